// Which builds are listed, as the address has it.

import type { BuildConclusion, BuildStatus } from "../../generated.ts";
import { address, changed, go, place } from "../../routing.ts";
import { PackagePicker } from "../../ui/PackagePicker.tsx";
import { words } from "../../ui/parts.tsx";
import { RunNamed } from "./RunNamed.tsx";

interface State { name: string; status: BuildStatus[]; conclusion: BuildConclusion[] }

const HELD: BuildStatus[] = ["ASSIGNED", "PREPARING", "RUNNING", "FINALIZING"];
const ENDINGS: BuildConclusion[] = [
  "SUCCESS", "FAILURE", "DEP_FAILED", "UNRESOLVABLE", "TIMED_OUT", "INFRA_ERROR", "CANCELED", "SKIPPED", "UNCHANGED", "SUPERSEDED",
];
const STATES: State[] = [
  { name: "any state", status: [], conclusion: [] },
  { name: "being built", status: HELD, conclusion: [] },
  { name: "queued", status: ["QUEUED"], conclusion: [] },
  { name: "blocked", status: ["BLOCKED"], conclusion: [] },
  { name: "canceling", status: ["CANCELING"], conclusion: [] },
  { name: "ended", status: ["COMPLETED"], conclusion: [] },
  ...ENDINGS.map((each) => ({ name: words(each), status: [], conclusion: [each] })),
];

export function Filter() {
  const { query } = place.value;
  const run = query.get("run");
  const status = query.getAll("status");
  const conclusion = query.getAll("conclusion");
  const chosen = STATES.findIndex((each) => isSame(each.status, status) && isSame(each.conclusion, conclusion));
  const to = (part: Parameters<typeof changed>[0]) => go(changed({ ...part, after: null, before: null }));
  return (
    <form class="controls" onSubmit={(event) => event.preventDefault()}>
      <div class="field">
        <label for="builds-state">State</label>
        <select
          id="builds-state" value={String(chosen)}
          onChange={({ currentTarget }) => {
            const state = STATES[Number(currentTarget.value)];
            if (state) to({ status: state.status, conclusion: state.conclusion });
          }}
        >
          {chosen < 0 && <option value="-1">{[...status, ...conclusion].map(words).join(" or ")}</option>}
          {STATES.map(({ name }, index) => <option key={name} value={String(index)}>{name}</option>)}
        </select>
      </div>
      <PackagePicker label="Package" value={query.get("package") ?? ""} onPick={(name) => to({ package: name })} />
      <div class="field">
        <label for="builds-worker">Worker</label>
        <input
          id="builds-worker" type="text" value={query.get("worker") ?? ""} placeholder="its whole name" autocomplete="off" spellcheck={false}
          onChange={(event) => to({ worker: event.currentTarget.value.trim() })}
        />
      </div>
      {run && <p class="builds-run">Of <RunNamed id={run} /> <a class="button" href={changed({ run: null, after: null, before: null })}>Of all runs</a></p>}
      {query.size > 0 && <a class="button" href={address(["builds"])}>Clear</a>}
    </form>
  );
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each) => other.includes(each));
}
