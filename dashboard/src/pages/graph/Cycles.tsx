// The dependency cycles of the catalogue, largest first.

import "./graph.css";
import { useQuery } from "../../api/use.ts";
import { AllCyclesDocument, type AllCyclesQuery, type CycleFragment } from "../../generated.ts";
import { address } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Answered, Empty, Page, words } from "../../ui/parts.tsx";
import { Controls } from "./Controls.tsx";
import { Chain } from "./CycleParts.tsx";
import { Pages, paged } from "./Pages.tsx";
import { queryOf, selected } from "./selection.ts";

const LISTED = 1_000;
const ROWS = 20;
const BREAKS = 3;

export default function Cycles() {
  const answer = useQuery(AllCyclesDocument, { first: LISTED, ...selected() });
  return (
    <Page title="Cycles" lead="Packages that need each other, directly or not: each group as large as it gets.">
      <Controls />
      <Answered answer={answer}>{({ cycles }) => <All cycles={cycles} />}</Answered>
    </Page>
  );
}

function All({ cycles }: { cycles: AllCyclesQuery["cycles"] }) {
  const page = paged(cycles.nodes, ROWS);
  if (cycles.totalCount === 0) return <Empty><p>Nothing goes in a circle, by the dependencies chosen above. Other kinds, all versions or optional dependencies may.</p></Empty>;
  const inside = cycles.nodes.reduce((sum, { packages }) => sum + packages.length, 0);
  return (
    <>
      <div class="panel-head">
        <p>{counted(cycles.totalCount, "cycle")} with {counted(inside, "package")}{cycles.truncated && ` in the largest ${grouped(cycles.nodes.length)}`}.</p>
        <Pages page={page} />
      </div>
      <ul class="graph-cycles">{page.rows.map((cycle) => <Each key={cycle.packages[0]} cycle={cycle} />)}</ul>
      <Pages page={page} />
    </>
  );
}

function Each({ cycle: { packages, example, suggestedBreaks } }: { cycle: CycleFragment }) {
  const there = address(["graph"], { ...queryOf(selected()), cycle: packages[0]! });
  const first = suggestedBreaks.slice(0, BREAKS);
  return (
    <li class="panel">
      <div class="panel-head">
        <h2>{packages.length === 1 ? `${packages[0]} needs itself` : counted(packages.length, "package")}</h2>
        <a href={there}>Picture and breaks<span class="away"> of the cycle of {packages[0]}</span></a>
      </div>
      <p><span class="note">Shortest: </span><Chain names={example} /></p>
      <p>
        <span class="note">Break: </span>
        {first.map(({ dependent, dependency, kinds, optional }, at) => (
          <span key={`${dependent} ${dependency}`}>{at > 0 && "; "}<span class="name">{dependent}</span> needs <span class="name">{dependency}</span> <span class="note">({kinds.map(words).join(", ")}{optional && ", optional"})</span></span>
        ))}
        {suggestedBreaks.length > first.length && <> and <a href={there}>{counted(suggestedBreaks.length - first.length, "other")}</a></>}
      </p>
    </li>
  );
}
