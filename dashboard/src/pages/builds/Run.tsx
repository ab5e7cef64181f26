// One run: what it is, and its builds as they go on.

import { seen } from "../../api/ask.ts";
import { useNews } from "../../api/news.ts";
import { may } from "../../api/session.ts";
import { useMutation, useQuery } from "../../api/use.ts";
import { CancelRunDocument, RunHeadingDocument, type RunHeadingQuery } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Ago, Elapsed, counted, grouped, seconds } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, PackageLink, Page, words } from "../../ui/parts.tsx";
import { Cancel } from "./Cancel.tsx";
import { Labels } from "./Labels.tsx";
import { RunBoard } from "./RunBoard.tsx";

type Head = NonNullable<RunHeadingQuery["run"]>;

const CUTS_SHOWN = 100;

export function Run({ id }: { id: string }) {
  const answer = useQuery(RunHeadingDocument, { id });
  useNews({ run: id, kinds: ["RUN_CHANGED"] }, answer.data?.server.cursor, answer.reload);
  const run = answer.data?.run;
  return (
    <Page
      title={run ? `Run ${run.number}` : "Run"} lead={run && <Lead run={run} />}
      actions={run && <Actions run={run} reload={answer.reload} />}
    >
      {answer.error?.code === "BAD_USER_INPUT"
        ? <Gone />
        : <Answered answer={answer}>{({ run: found }) => (found ? <Found run={found} /> : <Gone />)}</Answered>}
    </Page>
  );
}

function Gone() {
  return <Empty><p>There is no such run, or no more: an address may have been cut short. <a href={address(["runs"])}>See all runs</a>.</p></Empty>;
}

function Lead({ run }: { run: Head }) {
  const { priority, timeoutSeconds, maxAttempts, workerLabels, reason } = run;
  return (
    <>
      <p class="run-lead">
        <Badge state={run.conclusion ?? run.status} />
        <span>{words(run.trigger)}, started <Ago at={run.createdAt} />, {run.completedAt ? "took" : "going on for"} <Elapsed from={run.createdAt} to={run.completedAt} /></span>
        <Labels labels={run.labels} />
      </p>
      {reason && <p>{reason}</p>}
      <p class="note">
        Each build is tried up to {counted(maxAttempts, "time")}, for at most {seconds(timeoutSeconds)} each
        {priority !== 0 && `, with priority ${grouped(priority)}`}
        {workerLabels.length > 0 && `, by workers that offer ${workerLabels.map(({ key, value }) => `${key}=${value}`).join(", ")}`}.
      </p>
    </>
  );
}

function Actions({ run, reload }: { run: Head; reload: () => void }) {
  const { run: cancel, error, isRunning } = useMutation(CancelRunDocument);
  const onCancel = async (reason: string | null) => {
    const done = await cancel({ input: { id: run.id, reason } });
    if (!done) return false;
    seen(done.cancelRun.cursor);
    reload();
    return true;
  };
  return (
    <>
      <a class="button" href={address(["blockers"], { run: run.id })}>Fix first</a>
      {run.status === "RUNNING" && may("build") && (
        <Cancel
          what="this run" error={error} isRunning={isRunning} onCancel={onCancel}
          note="What nobody has claimed ends at once; what a worker holds stops within its lease."
        />
      )}
    </>
  );
}

function Found({ run }: { run: Head }) {
  return (
    <>
      <RunBoard run={run} />
      {run.cutEdges.length > 0 && <CutEdges run={run} />}
    </>
  );
}

function CutEdges({ run: { cutEdges } }: { run: Head }) {
  const left = cutEdges.length - CUTS_SHOWN;
  return (
    <details class="panel">
      <summary>{counted(cutEdges.length, "dependency", "dependencies")} not waited for, since they are part of cycles</summary>
      <ul class="cuts">
        {cutEdges.slice(0, CUTS_SHOWN).map(({ dependent, dependency }) => (
          <li key={`${dependent} ${dependency}`}><PackageLink name={dependent} /> is built without waiting for <PackageLink name={dependency} /></li>
        ))}
      </ul>
      {left > 0 && <p class="note">{grouped(left)} more are not shown.</p>}
    </details>
  );
}
