// One wave of a plan, as a list.

import { useMemo, useState } from "preact/hooks";
import { changed, go, place } from "../../routing.ts";
import { counted, grouped, seconds } from "../../ui/figures.tsx";
import { PackagePicker } from "../../ui/PackagePicker.tsx";
import { PackageLink, Panel, VersionLink } from "../../ui/parts.tsx";
import { Pages, paged } from "./Pages.tsx";
import type { BuildPlan, Marks } from "./PlanShown.tsx";

const ROWS = 50;

interface WaveProps { plan: BuildPlan; marks: Marks; chosen: number }

export function Wave({ plan: { waves }, marks, chosen }: WaveProps) {
  const wave = waves[chosen]!;
  const page = paged(wave, ROWS);
  const found = place.value.query.get("find");
  const expected = wave.flatMap(({ expectedSeconds }) => expectedSeconds ?? []);
  return (
    <Panel title={`Wave ${grouped(chosen + 1)} of ${grouped(waves.length)}: ${counted(wave.length, "build")}`} class="plan-wave" actions={<Choice waves={waves} chosen={chosen} />}>
      {expected.length > 0 && <p class="note">The longest takes {seconds(Math.max(...expected))}, all together {seconds(expected.reduce((sum, each) => sum + each, 0))}, by how long builds took of late.</p>}
      <Find waves={waves} />
      <div class="scroll">
        <table>
          <thead><tr><th scope="col">Package</th><th scope="col">Version</th><th scope="col" class="end">Expected</th><th scope="col">Note</th></tr></thead>
          <tbody>
            {page.rows.map(({ package: name, version, expectedSeconds }) => (
              <tr key={name} aria-current={name === found ? "true" : undefined}>
                <td><PackageLink name={name} /></td>
                <td>{version === null ? "" : <VersionLink name={name} version={version} />}</td>
                <td class="end">{expectedSeconds === null ? "" : seconds(expectedSeconds)}</td>
                <td>{[marks.critical.has(name) && "on the longest chain", marks.cyclic.has(name) && "in a cycle"].filter(Boolean).join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Pages page={page} />
    </Panel>
  );
}

function Choice({ waves, chosen }: { waves: BuildPlan["waves"]; chosen: number }) {
  const choose = (wave: number) => go(changed({ wave: wave === 0 ? null : String(wave + 1), page: null }), { replace: true });
  return (
    <>
      <button type="button" disabled={chosen === 0} onClick={() => choose(chosen - 1)}>Wave before</button>
      <label>
        <span class="away">Wave</span>
        <select value={chosen} onChange={(event) => choose(Number(event.currentTarget.value))}>
          {waves.map((wave, at) => <option key={at} value={at}>{`Wave ${at + 1}: ${counted(wave.length, "build")}`}</option>)}
        </select>
      </label>
      <button type="button" disabled={chosen === waves.length - 1} onClick={() => choose(chosen + 1)}>Wave after</button>
    </>
  );
}

/** Go to where a package is in the plan. */
function Find({ waves }: { waves: BuildPlan["waves"] }) {
  const [missing, setMissing] = useState("");
  const places = useMemo(() => new Map(waves.flatMap((wave, at) => wave.map((build, row): [string, [number, number]] => [build.package, [at, row]]))), [waves]);
  const find = (name: string) => {
    const [wave, row] = places.get(name) ?? [];
    setMissing(wave === undefined ? name : "");
    if (wave !== undefined) go(changed({ find: name, wave: String(wave + 1), page: String(Math.floor(row! / ROWS) + 1) }), { replace: true });
  };
  return (
    <div class="controls">
      <PackagePicker label="Find in this plan" clears onPick={find} />
      <p role="status">{missing && `${missing} is not in this plan.`}</p>
    </div>
  );
}
