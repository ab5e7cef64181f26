// A long list of rows of one height, of which only those are drawn that can be seen.

import "./virtual.css";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

// Beyond the edges, so that scrolling shows no gap.
const SPARE = 8;

interface VirtualProps<Row> {
  label: string;
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** In pixels. */
  rowHeight: number;
  children: (row: Row) => ComponentChildren;
}

export function Virtual<Row>({ label, rows, keyOf, rowHeight, children }: VirtualProps<Row>) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  const look = () => {
    const { scrollTop: top, clientHeight: height } = box.current!;
    setSeen((before) => (before.top === top && before.height === height ? before : { top, height }));
  };
  useLayoutEffect(() => {
    look();
    addEventListener("resize", look);
    return () => removeEventListener("resize", look);
  }, []);
  const first = Math.max(0, Math.min(Math.floor(seen.top / rowHeight), rows.length) - SPARE);
  const last = Math.min(rows.length, Math.ceil((seen.top + seen.height) / rowHeight) + SPARE);
  return (
    <div ref={box} class="virtual" tabIndex={0} role="region" aria-label={label} onScroll={look} style={{ height: `min(70vh, ${rows.length * rowHeight}px)` }}>
      <ul style={{ height: `${rows.length * rowHeight}px` }}>
        {rows.slice(first, last).map((row, index) => (
          <li
            key={keyOf(row)} aria-setsize={rows.length} aria-posinset={first + index + 1}
            style={{ transform: `translateY(${(first + index) * rowHeight}px)`, height: `${rowHeight}px` }}
          >
            {children(row)}
          </li>
        ))}
      </ul>
    </div>
  );
}
