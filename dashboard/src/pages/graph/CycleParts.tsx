// What cycles are shown with: a chain of packages, and where to break.

import { Fragment } from "preact";
import type { PictureEdgeFragment } from "../../generated.ts";
import { counted } from "../../ui/figures.tsx";
import { PackageLink, Panel, words } from "../../ui/parts.tsx";
import { Pages, paged } from "./Pages.tsx";

const ROWS = 25;

export function Chain({ names }: { names: readonly string[] }) {
  return (
    <span class="graph-chain">
      {names.map((name, at) => <Fragment key={at}>{at > 0 && " → "}<PackageLink name={name} /></Fragment>)}
    </span>
  );
}

export function Breaks({ breaks, title = "Suggested breaks", note = "Without these dependencies nothing goes in a circle any more. What is soft comes first; there may be fewer that do." }: { breaks: readonly PictureEdgeFragment[]; title?: string; note?: string }) {
  const page = paged(breaks, ROWS, "break");
  return (
    <Panel title={`${title}: ${counted(breaks.length, "dependency", "dependencies")}`} actions={<Pages page={page} />}>
      <p class="note">{note}</p>
      <div class="scroll">
        <table>
          <thead><tr><th scope="col">Package</th><th scope="col">needs</th><th scope="col">for</th></tr></thead>
          <tbody>
            {page.rows.map(({ dependent, dependency, kinds, optional }) => (
              <tr key={`${dependent} ${dependency}`}>
                <td><PackageLink name={dependent} /></td><td><PackageLink name={dependency} /></td>
                <td>{kinds.map(words).join(", ")}{optional && " (optional)"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
