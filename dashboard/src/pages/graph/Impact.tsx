// What a change to a package reaches: how many at which distance, the nearest as a picture, all as a table.

import { useMemo } from "preact/hooks";
import { useQuery } from "../../api/use.ts";
import { ImpactOfDocument, type ImpactOfQuery } from "../../generated.ts";
import { address, changed, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Missing, isMissing } from "../../ui/Missing.tsx";
import { Picture, type PictureNode } from "../../ui/Picture.tsx";
import { Answered, Empty, PackageLink, Panel } from "../../ui/parts.tsx";
import { Pages, paged } from "./Pages.tsx";
import { queryOf, selected } from "./selection.ts";

// As many as the server lists.
const LISTED = 10_000;
const SIZES = [40, 150];
const ROWS = 50;

type Impact = ImpactOfQuery["impact"];

export function ImpactOf({ name }: { name: string }) {
  const answer = useQuery(ImpactOfDocument, { packages: [name], first: LISTED, ...selected() });
  if (isMissing(answer)) return <Missing name={name} to={(near) => changed({ impact: near })} />;
  return (
    <Answered answer={answer}>
      {({ impact }) => (impact.totalCount ? <Reached name={name} impact={impact} /> : <Empty><p>Nothing needs {name}, by the dependencies chosen above.</p></Empty>)}
    </Answered>
  );
}

function Reached({ name, impact }: { name: string; impact: Impact }) {
  const size = place.value.query.get("top") === String(SIZES[1]) ? SIZES[1]! : SIZES[0]!;
  const { nodes, edges } = useMemo(() => picture(name, impact, size), [name, impact, size]);
  const shown = nodes.length - 1;
  const total = `${impact.totalCount > impact.dependents.length || !impact.truncated ? "" : "at least "}${grouped(impact.totalCount)}`;
  return (
    <>
      <p>
        A change to <PackageLink name={name} /> reaches {total} {impact.totalCount === 1 ? "package" : "packages"}.
        {impact.dependents.length < impact.totalCount && ` The nearest ${grouped(impact.dependents.length)} are counted and listed here.`}
      </p>
      <Distances impact={impact} />
      <Panel title="The nearest">
        <Picture label={`What a change to ${name} reaches first`} nodes={nodes} edges={edges} legend={{ focus: "what changes" }} />
        <p class={shown < impact.totalCount ? "" : "note"}>
          Showing {grouped(shown)} of {total} dependents, nearest first, each with one way by which it is reached.{" "}
          {shown < impact.totalCount && size < SIZES[1]! && <a href={changed({ top: String(SIZES[1]) })}>Show {SIZES[1]}</a>}
          {shown < impact.totalCount && " All are in the table below."}
        </p>
      </Panel>
      <All impact={impact} />
    </>
  );
}

function picture(name: string, { dependents }: Impact, size: number) {
  const keep = queryOf(selected());
  const near = dependents.slice(0, size);
  const nodes: PictureNode[] = [
    { id: name, label: name, tone: "focus", href: address(["packages", name]), column: 0 },
    ...near.map(({ package: each, distance }) => ({
      id: each, label: each, note: distance === 1 ? "" : counted(distance, "step"), href: address(["graph"], { ...keep, impact: each }), column: -distance,
    })),
  ];
  return { nodes, edges: near.map((each) => ({ from: each.package, to: each.via })) };
}

function Distances({ impact: { dependents } }: { impact: Impact }) {
  const counts = new Map<number, number>();
  for (const { distance } of dependents) counts.set(distance, (counts.get(distance) ?? 0) + 1);
  const largest = Math.max(...counts.values());
  const chosen = place.value.query.get("distance");
  return (
    <Panel title="By distance" actions={chosen && <a href={changed({ distance: null, page: null })}>All distances</a>}>
      <ul class="graph-distances">
        {[...counts].map(([distance, count]) => (
          <li key={distance}>
            <a href={changed({ distance: String(distance), page: null })} aria-current={chosen === String(distance) ? "true" : undefined}>{distance === 1 ? "direct" : `${distance} steps`}</a>
            <span class="graph-bar" aria-hidden="true"><span style={{ width: `${(100 * count) / largest}%` }} /></span>
            <span class="figure">{grouped(count)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function All({ impact: { dependents } }: { impact: Impact }) {
  const chosen = place.value.query.get("distance");
  const wanted = chosen ? dependents.filter(({ distance }) => String(distance) === chosen) : dependents;
  const page = paged(wanted, ROWS);
  return (
    <Panel title={chosen ? `All at distance ${chosen}` : "All of them"} actions={<Pages page={page} />}>
      <div class="scroll">
        <table>
          <thead><tr><th scope="col">Package</th><th scope="col" class="end">Steps</th><th scope="col">Through</th></tr></thead>
          <tbody>
            {page.rows.map((each) => (
              <tr key={each.package}><td><PackageLink name={each.package} /></td><td class="end">{each.distance}</td><td><PackageLink name={each.via} /></td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}
