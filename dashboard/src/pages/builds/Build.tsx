// One build: where it stands and why, its log, and what came of it.

import { seen } from "../../api/ask.ts";
import { useNews } from "../../api/news.ts";
import { may } from "../../api/session.ts";
import { useMutation, useQuery } from "../../api/use.ts";
import { BuildDetailsDocument, CancelBuildDocument, type BuildDetailsQuery } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Ago, Elapsed } from "../../ui/figures.tsx";
import { Answered, BuildState, Empty, PackageLink, Page, Panel, RunLink, VersionLink } from "../../ui/parts.tsx";
import { Artifacts, Around, Attempts, Facts, History } from "./BuildParts.tsx";
import { Cancel } from "./Cancel.tsx";
import { Labels } from "./Labels.tsx";
import { Log } from "./Log.tsx";
import { Reasons } from "./reasons.tsx";
import { Retry } from "./Retry.tsx";

type Details = NonNullable<BuildDetailsQuery["build"]>;

const LEASED = new Set(["ASSIGNED", "PREPARING", "RUNNING", "FINALIZING", "CANCELING"]);
const CAUSES: Record<Details["trigger"], string> = {
  NEW: "its version was new",
  SOURCE_CHANGE: "its source had changed",
  DEPENDENCY_CHANGE: "something that it depends on was built",
  RETRY: "it was to be tried again",
  MANUAL: "someone asked for it",
};
// What is around it has changes of its own, and leases are renewed without an event.
const EVERY = 5_000;

export function Build({ id }: { id: string }) {
  const answer = useQuery(BuildDetailsDocument, { id }, { every: EVERY });
  const build = answer.data?.build;
  useNews(
    { kinds: ["BUILD_CHANGED"], packages: build ? [build.packageVersion.package.name] : null, run: build?.run?.id },
    build ? answer.data?.server.cursor : undefined, answer.reload, id,
  );
  const title = build ? `Build of ${build.packageVersion.package.name} ${build.packageVersion.version}` : "Build";
  return (
    <Page title={title} lead={build && <Lead build={build} />} actions={build && <Actions build={build} reload={answer.reload} />}>
      {answer.error?.code === "BAD_USER_INPUT"
        ? <Gone />
        : <Answered answer={answer}>{({ build: found }) => (found ? <Found build={found} /> : <Gone />)}</Answered>}
    </Page>
  );
}

function Gone() {
  return <Empty><p>There is no such build, or no more: an address may have been cut short. <a href={address(["builds"])}>See all builds</a>.</p></Empty>;
}

function Lead({ build }: { build: Details }) {
  const { status, conclusion, run, packageVersion, worker, reason, message, startedAt, completedAt } = build;
  return (
    <>
      <p class="run-lead">
        <span role="status"><BuildState status={status} conclusion={conclusion} /></span>
        <span>
          <PackageLink name={packageVersion.package.name} /> <VersionLink name={packageVersion.package.name} version={packageVersion.version} />
          {run && <>, in <RunLink id={run.id} number={run.number} />, started <Ago at={run.createdAt} /></>}
        </span>
        {LEASED.has(status) && <span>{status === "ASSIGNED" ? "claimed" : "being built"} by {worker}{startedAt && <>, for <Elapsed from={startedAt} /></>}</span>}
        {completedAt && <span>ended <Ago at={completedAt} /></span>}
        {run && <Labels labels={run.labels} />}
      </p>
      {reason && <p class="blocker-said">{reason}</p>}
      {message && message !== reason && <p class="blocker-said">{message}</p>}
    </>
  );
}

function Actions({ build, reload }: { build: Details; reload: () => void }) {
  const { id, status } = build;
  const cancel = useMutation(CancelBuildDocument);
  if (!may("build")) return null;
  const onCancel = async (reason: string | null) => {
    const data = await cancel.run({ input: { id, reason } });
    if (!data) return false;
    seen(data.cancelBuild.cursor);
    reload();
    return true;
  };
  return (
    <>
      <Retry build={build} class="primary" onDone={reload} />
      {status !== "COMPLETED" && status !== "CANCELING" && (
        <Cancel
          what="this build" error={cancel.error} isRunning={cancel.isRunning} onCancel={onCancel}
          note={LEASED.has(status) ? "Its worker is told to stop, and has until its lease ends." : "Nobody has claimed it: it ends at once. What waits for it does not go on."}
        />
      )}
    </>
  );
}

function Found({ build }: { build: Details }) {
  const isLeased = LEASED.has(build.status);
  return (
    <>
      {build.blockedBy.length > 0 && (
        <Panel title="Why it is not being built">
          <Reasons reasons={build.blockedBy} />
        </Panel>
      )}
      {build.status === "QUEUED" && build.blockedBy.length === 0 && <p>Nothing is in its way: it waits for a worker that has time.</p>}
      {build.attempt > 0 && <Log build={build.id} isGrowing={isLeased} turn={`${build.status} ${build.attempt}`} />}
      <div class="columns">
        <Facts build={build} />
        <Attempts build={build} />
        <Artifacts build={build} />
        <Around title="Waits for" none="It waits for no other build." {...build.dependencies} />
        <Around title="Wait for it" none="No build waits for it." {...build.dependents} />
        <History build={build} />
      </div>
      <p class="note">It was planned since {CAUSES[build.trigger]}.</p>
    </>
  );
}
