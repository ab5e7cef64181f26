// The log of a build as it grows.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Refused } from "../../api/ask.ts";
import { asRefused } from "../../api/use.ts";
import type { LoggedLineFragment } from "../../generated.ts";
import { changed, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Empty, Loading, Panel, Problem } from "../../ui/parts.tsx";
import { LogTail, plain } from "./logTail.ts";

// No event tells of lines.
const EVERY = 1_000;
const NEAR = 24;

interface LogProps {
  build: string;
  /** Whether a worker is at it, so that more may come at any moment. */
  isGrowing: boolean;
  /** Changes whenever the build does: also then there may be more. */
  turn: string;
}

export function Log({ build, isGrowing, turn }: LogProps) {
  const { tail, isRead, error, readAgain } = useTail(build, isGrowing, turn);
  const box = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const wraps = place.value.query.get("wrap") !== "no";
  useLayoutEffect(() => {
    if (follows && box.current) box.current.scrollTop = box.current.scrollHeight;
  });
  const onScroll = () => {
    const { scrollTop, scrollHeight, clientHeight } = box.current!;
    setFollows(scrollHeight - clientHeight - scrollTop < NEAR);
  };
  return (
    <Panel
      title={<>Log {tail.total > 0 && <span class="note">{counted(tail.total, "line")}{isGrowing && ", growing"}</span>}</>}
      actions={<a href={changed({ wrap: wraps ? "no" : null })}>{wraps ? "Do not wrap lines" : "Wrap lines"}</a>}
    >
      {error && <Problem error={error} retry={readAgain} />}
      {!isRead && !error && <Loading what="Reading the log" />}
      {isRead && tail.total === 0 && <Empty><p>{isGrowing ? "Nothing has been printed yet." : "It has printed nothing."}</p></Empty>}
      {tail.total > 0 && (
        <div class="log">
          <div ref={box} class={`log-text ${wraps ? "wraps" : ""}`} tabIndex={0} role="region" aria-label="Log" onScroll={onScroll}>
            {tail.earlier > 0 && <Earlier count={tail.earlier} goBack={tail.mayGoBack ? () => void tail.goBack() : undefined} />}
            {tail.kept.map((chunk, index) => (
              <Lines key={chunk.after ?? ""} lines={chunk.lines ?? []} before={tail.kept[index - 1]?.lines?.at(-1)?.attempt} />
            ))}
          </div>
          {!follows && <button type="button" class="log-end" onClick={() => setFollows(true)}>Jump to the end</button>}
        </div>
      )}
    </Panel>
  );
}

function Earlier({ count, goBack }: { count: number; goBack: (() => void) | undefined }) {
  return (
    <p class="log-earlier">
      {counted(count, "earlier line")} {goBack
        ? <button type="button" class="quiet" onClick={goBack}>Show {grouped(Math.min(count, 1_000))} of them</button>
        : <>: more than this page shows. <code>buildatlas builds ID --log</code> prints them all.</>}
    </p>
  );
}

/** Lines of one chunk, each attempt's under its own heading. */
function Lines({ lines, before }: { lines: readonly LoggedLineFragment[]; before: number | undefined }) {
  const parts = useMemo(() => byAttempt(lines), [lines]);
  return (
    <>
      {parts.map(({ attempt, text }) => (
        <div key={attempt} class="log-part">
          {attempt !== before && <h3 class="log-attempt">Attempt {attempt}</h3>}
          <pre>{text}</pre>
        </div>
      ))}
    </>
  );
}

function byAttempt(lines: readonly LoggedLineFragment[]): { attempt: number; text: string }[] {
  const parts = new Map<number, string[]>();
  for (const { attempt, text } of lines) {
    const part = parts.get(attempt) ?? [];
    part.push(plain(text));
    parts.set(attempt, part);
  }
  return [...parts].map(([attempt, texts]) => ({ attempt, text: `${texts.join("\n")}\n` }));
}

function useTail(build: string, isGrowing: boolean, turn: string) {
  const [, setFrame] = useState(0);
  const [isRead, setRead] = useState(false);
  const [error, setError] = useState<Refused>();
  const tail = useMemo(() => new LogTail(build, () => setFrame((before) => before + 1)), [build]);
  const read = () => tail.read().then(
    () => {
      setRead(true);
      setError(undefined);
    },
    (problem: unknown) => (problem as Error).name === "AbortError" || setError(asRefused(problem)),
  );
  useEffect(() => () => tail.close(), [tail]);
  useEffect(() => {
    void read();
    if (!isGrowing) return undefined;
    const timer = setInterval(() => document.hidden || void read(), EVERY);
    return () => clearInterval(timer);
  }, [tail, isGrowing, turn]);
  return { tail, isRead, error, readAgain: () => void read() };
}
