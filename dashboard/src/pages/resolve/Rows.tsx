// Packages, each with a constraint or a version to edit, and a box to add one.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { PackageLink } from "../../ui/parts.tsx";
import { PackagePicker } from "../../ui/PackagePicker.tsx";
import { entryOf } from "./question.ts";
import { WrongText } from "./WrongText.tsx";
import type { Wrong } from "./wrong.ts";

export interface Row { package: string; value: string; wrong?: Wrong | undefined; isInConflict?: boolean }

interface RowsProps {
  rows: Row[];
  /** Labels the box that adds one. */
  add: string;
  /** What is said of a package: "Constraint". */
  value: "Constraint" | "Version";
  onChange: (rows: Row[]) => void;
}

export function Rows({ rows, add, value, onChange }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const known = useRef(rows.length);
  const [isMine, setMine] = useState(false);
  useEffect(() => {
    // What was added by hand is filled in next; what was removed leaves its focus to the box that adds.
    const fields = box.current?.querySelectorAll<HTMLInputElement>(".res-row input");
    if (isMine && rows.length > known.current) fields?.[rows.length - 1]?.focus();
    else if (isMine && rows.length < known.current) box.current?.querySelector<HTMLInputElement>("[role=combobox]")?.focus();
    known.current = rows.length;
    setMine(false);
  }, [rows.length]);
  const change = (next: Row[]) => {
    setMine(true);
    onChange(next);
  };
  const added = (text: string) => {
    const { package: name, constraint } = entryOf(text);
    if (name) change([...rows, { package: name, value: value === "Version" ? constraint.replace(/^=+/, "") : constraint }]);
  };
  return (
    <div ref={box} class="res-rows">
      {rows.length > 0 && (
        <ul>
          {rows.map((row, index) => (
            <RowOf
              key={`${index} ${row.package}`} row={row} name={value}
              onValue={(text) => change(rows.map((each, at) => (at === index ? { ...each, value: text } : each)))}
              onRemove={() => change(rows.filter((_, at) => at !== index))}
            />
          ))}
        </ul>
      )}
      <PackagePicker label={add} clears split={split} onPick={added} />
    </div>
  );
}

function split(text: string): { name: string; rest: string } {
  const { package: name, constraint } = entryOf(text);
  return name ? { name, rest: constraint } : { name: text, rest: "" };
}

interface RowProps { row: Row; name: "Constraint" | "Version"; onValue: (text: string) => void; onRemove: () => void }

function RowOf({ row, name, onValue, onRemove }: RowProps) {
  const id = useId();
  const [text, setText] = useState(row.value);
  useEffect(() => setText(row.value), [row.value]);
  const commit = () => text.trim() !== row.value && onValue(text.trim());
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || text.trim() === row.value) return;
    event.preventDefault(); // The change itself asks anew.
    commit();
  };
  return (
    <li class={`res-row ${row.isInConflict ? "res-core" : ""}`}>
      <span class="res-name"><PackageLink name={row.package} />{row.isInConflict && <> <span class="badge bad">in conflict</span></>}</span>
      <input
        type="text" class="mono" autocomplete="off" spellcheck={false} value={text} placeholder={name === "Version" ? "version" : "any version"}
        aria-label={`${name} ${name === "Version" ? "of" : "on"} ${row.package}`}
        aria-invalid={row.wrong ? true : undefined} aria-describedby={row.wrong ? id : undefined}
        onInput={(event) => setText(event.currentTarget.value)} onChange={commit} onKeyDown={onKeyDown}
      />
      <button type="button" class="quiet" aria-label={`Remove ${row.package}`} onClick={onRemove}>×</button>
      {row.wrong && <WrongText id={id} wrong={row.wrong} />}
    </li>
  );
}
