// A plan: how much it is, the map of its waves, one wave as a list, the longest chain, and where cycles were cut.

import { useMemo } from "preact/hooks";
import type { PlanQuery } from "../../generated.ts";
import { address, changed, place } from "../../routing.ts";
import { counted, grouped, seconds } from "../../ui/figures.tsx";
import { PackageLink, Panel } from "../../ui/parts.tsx";
import { Breaks } from "./CycleParts.tsx";
import { Pages, paged } from "./Pages.tsx";
import { Wave } from "./Wave.tsx";
import { WaveMap } from "./WaveMap.tsx";

export type BuildPlan = Extract<PlanQuery["buildPlan"], { __typename: "BuildPlan" }>;

/** Which builds of a plan stand out. */
export interface Marks { critical: ReadonlySet<string>; cyclic: ReadonlySet<string> }

const ROWS = 50;
const CYCLES = 12;

export function PlanShown({ plan }: { plan: BuildPlan }) {
  const marks = useMemo((): Marks => ({ critical: new Set(plan.criticalPath), cyclic: new Set(plan.cycles.flatMap(({ packages }) => packages)) }), [plan]);
  const wave = Math.min(Math.max(Number(place.value.query.get("wave") ?? 1) || 1, 1), plan.waves.length) - 1;
  return (
    <>
      <Figures plan={plan} marks={marks} />
      <WaveMap plan={plan} marks={marks} chosen={wave} />
      <Wave plan={plan} marks={marks} chosen={wave} />
      <div class="columns">
        <CriticalPath plan={plan} />
        {plan.cycles.length > 0 && <Cyclic plan={plan} />}
      </div>
      {plan.cutEdges.length > 0 && (
        <Breaks breaks={plan.cutEdges} title="Left out" note="Cycles can only be built in an order by not waiting along these dependencies: what needs is built first, with what was there before." />
      )}
    </>
  );
}

function Figures({ plan, marks }: { plan: BuildPlan; marks: Marks }) {
  const { totalBuilds, waves, criticalPath, criticalPathSeconds, cycles } = plan;
  const widest = Math.max(...waves.map((wave) => wave.length));
  return (
    <dl class="plan-figures">
      <div><dt>builds</dt><dd>{grouped(totalBuilds)}</dd></div>
      <div><dt>waves</dt><dd>{grouped(waves.length)}</dd></div>
      <div><dt>most at once</dt><dd>{grouped(widest)}</dd></div>
      <div><dt>longest chain</dt><dd>{grouped(criticalPath.length)}{criticalPathSeconds !== null && <span class="note"> {seconds(criticalPathSeconds)}</span>}</dd></div>
      {cycles.length > 0 && <div><dt>in {counted(cycles.length, "cycle")}</dt><dd>{grouped(marks.cyclic.size)}</dd></div>}
    </dl>
  );
}

function CriticalPath({ plan: { criticalPath, criticalPathSeconds, waves } }: { plan: BuildPlan }) {
  const page = paged(criticalPath, ROWS, "chain");
  const waveOf = useMemo(() => {
    const wanted = new Set(criticalPath);
    return new Map(waves.flatMap((wave, at) => wave.filter((build) => wanted.has(build.package)).map((build): [string, number] => [build.package, at])));
  }, [waves]);
  return (
    <Panel title={`Longest chain: ${counted(criticalPath.length, "build")}`} actions={<Pages page={page} />}>
      <p class="note">
        {criticalPathSeconds === null
          ? "The most builds that have to wait for each other. Nothing of it was ever built, so nothing is known of how long it takes."
          : `No number of workers is done sooner than in ${seconds(criticalPathSeconds)}, by how long builds took of late.`}
      </p>
      <ol class="plan-chain" start={page.start + 1}>
        {page.rows.map((name) => (
          <li key={name}><PackageLink name={name} /> <a class="note" href={changed({ wave: String((waveOf.get(name) ?? 0) + 1), page: null })}>wave {(waveOf.get(name) ?? 0) + 1}</a></li>
        ))}
      </ol>
    </Panel>
  );
}

function Cyclic({ plan: { cycles } }: { plan: BuildPlan }) {
  const first = cycles.slice(0, CYCLES);
  return (
    <Panel title={counted(cycles.length, "cycle")} actions={<a href={address(["cycles"])}>All cycles</a>}>
      <ul class="rows">
        {first.map(({ packages }) => (
          <li key={packages[0]}><a href={address(["graph"], { cycle: packages[0]! })}>{counted(packages.length, "package")}</a> <span class="note">{packages.slice(0, 4).join(", ")}{packages.length > 4 && "…"}</span></li>
        ))}
      </ul>
      {cycles.length > first.length && <p class="note">Showing {first.length} of {grouped(cycles.length)}, in the order of the plan.</p>}
    </Panel>
  );
}
