// In which order to build: what to plan, the plan, and starting it.

import "./graph.css";
import "./plan.css";
import { useQuery } from "../../api/use.ts";
import { may, viewer } from "../../api/session.ts";
import { PlanDocument, type PlanQuery } from "../../generated.ts";
import { address, changed, go, place } from "../../routing.ts";
import { PackagePicker } from "../../ui/PackagePicker.tsx";
import { Answered, Empty, Page, Panel } from "../../ui/parts.tsx";
import { queryOf, questionIn, textOf } from "../resolve/question.ts";
import { Controls } from "./Controls.tsx";
import { ORDERING, planned, type Planned } from "./planInput.ts";
import { PlanShown } from "./PlanShown.tsx";
import { StartRun } from "./StartRun.tsx";

const NOTHING = { input: { packages: [] } };

export default function Plan() {
  const what = planned();
  const answer = useQuery(PlanDocument, what.input ? { input: what.input } : NOTHING, { paused: what.input === null });
  return (
    <Page title="Plan" lead="In which order to build: everything in a wave can be built at once, after the waves before it.">
      {what.isSolved ? <Asked what={what} /> : <Chosen what={what} />}
      {what.input ? (
        <Answered answer={answer}>
          {({ buildPlan }) => <Found what={what} plan={buildPlan} isOfNow={!answer.isLoading && !answer.error} />}
        </Answered>
      ) : <Nothing />}
    </Page>
  );
}

interface FoundProps {
  what: Planned;
  plan: PlanQuery["buildPlan"];
  /** Whether it is the plan of what is chosen, and not of what was before. */
  isOfNow: boolean;
}

function Found({ what, plan, isOfNow }: FoundProps) {
  if (plan.__typename === "ResolutionConflict") return <Unsolved message={plan.message} />;
  if (plan.totalBuilds === 0) return <Empty><p>There is nothing to build: none of these packages has a published version.</p></Empty>;
  return (
    <>
      {viewer.value && !may("build") && <p class="note">To start this as a run, sign in with a token that has the scope <code>build</code>.</p>}
      {may("build") && isOfNow && <StartRun key={JSON.stringify(what.input)} plan={what.input!} total={plan.totalBuilds} />}
      <PlanShown plan={plan} />
    </>
  );
}

function Nothing() {
  return (
    <Empty>
      <p>Choose the packages to build above. Or let the solver <a href={address(["resolve"])}>pick versions</a> first, and build those.</p>
      <p><a class="button" href={changed({ all: "1" })}>Plan the whole catalogue</a></p>
    </Empty>
  );
}

function Unsolved({ message }: { message: string }) {
  return (
    <Panel title="There is nothing to plan">
      <p class="plan-prose">{message}</p>
      <p><a class="button" href={address(["resolve"], queryOf(questionIn(place.value.query)))}>See why, and what would work</a></p>
    </Panel>
  );
}

/** What the solver is asked first. */
function Asked({ what }: { what: Planned }) {
  const question = questionIn(place.value.query);
  return (
    <Panel title="Build what the solver picks for" actions={<a href={address(["resolve"], queryOf(question))}>Change the question</a>}>
      <ul class="plan-chips">{question.requirements.map((each) => <li key={textOf(each)} class="plan-chip">{textOf(each)}</li>)}</ul>
      {what.packages.length > 0 && <p class="note">Of that only {what.packages.join(", ")}{what.withDependents && " and what depends on them"}.</p>}
    </Panel>
  );
}

function Chosen({ what: { packages, withDependents, isAll } }: { what: Planned }) {
  const choose = (names: string[]) => go(changed({ package: names, all: null, wave: null, page: null }));
  return (
    <Panel title="What to build" actions={!isAll && <a href={address(["plan"], { all: "1" })}>The whole catalogue</a>}>
      {isAll && <p>Every active package that has a published version.</p>}
      {packages.length > 0 && (
        <ul class="plan-chips" aria-label="Packages to build">
          {packages.map((name) => (
            <li key={name} class="plan-chip">
              <a href={address(["packages", name])}>{name}</a>
              <button type="button" class="quiet" aria-label={`Leave ${name} out`} onClick={() => choose(packages.filter((each) => each !== name))}>×</button>
            </li>
          ))}
        </ul>
      )}
      <div class="controls graph-asks">
        <PackagePicker label="Add a package" clears onPick={(name) => choose([...packages, name])} />
        {packages.length > 0 && (
          <label class="check graph-optional">
            <input type="checkbox" checked={withDependents} onChange={(event) => go(changed({ dependents: event.currentTarget.checked ? "1" : null, wave: null, page: null }), { replace: true })} />
            and all that depends on them
          </label>
        )}
        <Controls byDefault={ORDERING} />
      </div>
    </Panel>
  );
}
