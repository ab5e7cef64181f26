// What would change by what is supposed.

import { counted } from "../../ui/figures.tsx";
import { PackageLink, Panel } from "../../ui/parts.tsx";
import type { Simulation } from "./answer.ts";
import { Prose } from "./Conflict.tsx";

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

function Changes({ diff: { added, removed, changed } }: { diff: Difference }) {
  if (added.length + removed.length + changed.length === 0) return <p>Nothing: the same versions would be picked.</p>;
  return (
    <>
      <p class="note">{[counted(changed.length, "pin changed", "pins changed"), `${added.length} added`, `${removed.length} removed`].join(", ")}</p>
      <ul class="rows" aria-label="Differences">
        {changed.map(({ package: name, from, to, direction }) => (
          <li key={name}>
            <span class={`badge ${direction === "UPGRADE" ? "good" : "warn"}`}>{direction === "UPGRADE" ? "up" : "down"}</span>
            <PackageLink name={name} /> <span class="version">{from} → {to}</span>
          </li>
        ))}
        {added.map(({ package: name, version }) => <li key={name}><span class="badge busy">added</span><PackageLink name={name} /> <span class="version">{version}</span></li>)}
        {removed.map(({ package: name, version }) => <li key={name}><span class="badge bad">removed</span><PackageLink name={name} /> <span class="version">{version}</span></li>)}
      </ul>
    </>
  );
}
