// What would change by what is supposed.

import { useState } from "preact/hooks";
import { counted } from "../../ui/figures.tsx";
import { PackageLink, Panel } from "../../ui/parts.tsx";
import type { Simulation } from "./answer.ts";
import { Prose } from "./Conflict.tsx";

const SHOWN = 60;

type Difference = NonNullable<Simulation["diff"]>;

export function Diff({ simulation: { before, after, diff } }: { simulation: Simulation }) {
  return (
    <Panel title="What would change">
      {diff ? <Changes diff={diff} /> : <p>{turned(before.__typename, after.__typename)}</p>}
      {before.__typename === "ResolutionConflict" && (
        <details class="res-more"><summary>Why none satisfy as things are</summary><Prose message={before.message} /></details>
      )}
    </Panel>
  );
}

function turned(before: Simulation["before"]["__typename"], after: Simulation["after"]["__typename"]): string {
  if (before === after) return "Nothing satisfies the question, neither as things are nor with what is supposed.";
  return after === "Resolution"
    ? "As things are, no versions satisfy the question. With what is supposed, these do."
    : "As things are, there are versions that satisfy the question. With what is supposed, none do.";
}

function Changes({ diff }: { diff: Difference }) {
  const [isWhole, setWhole] = useState(false);
  const changes = changesIn(diff);
  if (changes.length === 0) return <p>Nothing: the same versions would be picked.</p>;
  const { added, removed, changed } = diff;
  return (
    <>
      <p class="note">{counted(changed.length, "pin changed", "pins changed")}, {added.length} added, {removed.length} removed</p>
      <ul class="res-diff" aria-label="Differences">
        {changes.slice(0, isWhole ? changes.length : SHOWN).map(({ name, what, tone, version }) => (
          <li key={name}><span class={`badge ${tone}`}>{what}</span><PackageLink name={name} /> <span class="version">{version}</span></li>
        ))}
      </ul>
      {!isWhole && changes.length > SHOWN && <button type="button" onClick={() => setWhole(true)}>Show all {changes.length}</button>}
    </>
  );
}

function changesIn({ changed, added, removed }: Difference) {
  return [
    ...changed.map(({ package: name, from, to, direction }) => ({
      name, version: `${from} → ${to}`, ...(direction === "UPGRADE" ? { what: "up", tone: "good" } : { what: "down", tone: "warn" }),
    })),
    ...added.map(({ package: name, version }) => ({ name, version, what: "added", tone: "busy" })),
    ...removed.map(({ package: name, version }) => ({ name, version, what: "removed", tone: "bad" })),
  ];
}
