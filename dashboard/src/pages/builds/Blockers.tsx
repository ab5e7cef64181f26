// What to fix first: root causes by what they hold up.

import "./builds.css";
import { useNews } from "../../api/news.ts";
import { useQuery } from "../../api/use.ts";
import { BlockerListDocument, type BlockerListQuery } from "../../generated.ts";
import { address, changed, place } from "../../routing.ts";
import { Ago, counted, grouped, seconds } from "../../ui/figures.tsx";
import { Answered, BuildLink, BuildState, Empty, PackageLink, Page, RunLink } from "../../ui/parts.tsx";
import { kindName, whatToDo } from "./reasons.tsx";
import { Retry } from "./Retry.tsx";
import { RunNamed } from "./RunNamed.tsx";

type Blocker = BlockerListQuery["blockers"][number];

const STEP = 20;
const MOST = 1_000;
// Some causes come and go without an event, as a worker that falls silent.
const EVERY = 15_000;

export default function Blockers() {
  const { query } = place.value;
  const run = query.get("run");
  const first = Math.min(Math.max(Number(query.get("first")) || STEP, 1), MOST);
  const answer = useQuery(BlockerListDocument, { run, first }, { every: EVERY });
  useNews({ kinds: ["BUILD_CHANGED", "PACKAGE_CHANGED", "VERSION_PUBLISHED"], run }, answer.data?.server.cursor, answer.reload);
  const lead = run
    ? <>What holds up builds of <RunNamed id={run} />, by how much. <a href={changed({ run: null })}>Of all runs</a></>
    : "What holds up builds, by how many and how long a path waits behind it.";
  return (
    <Page title="Fix first" lead={<p>{lead}</p>}>
      <Answered answer={answer}>
        {({ blockers }) => (blockers.length === 0 ? <None /> : <Found blockers={blockers} first={first} reload={answer.reload} />)}
      </Answered>
    </Page>
  );
}

function None() {
  return (
    <Empty>
      <p>Nothing is in the way of any build{place.value.query.has("run") ? " of this run" : ""}: what is not built yet waits for its turn.</p>
      <p><a href={address(["builds"], { status: ["QUEUED", "BLOCKED"] })}>See what waits</a></p>
    </Empty>
  );
}

function Found({ blockers, first, reload }: { blockers: readonly Blocker[]; first: number; reload: () => void }) {
  return (
    <>
      <ol class="blockers">
        {blockers.map((each, index) => <Cause key={`${each.kind} ${each.package} ${each.build?.id}`} blocker={each} rank={index + 1} reload={reload} />)}
      </ol>
      {blockers.length === first && first < MOST && (
        <p class="note">Only the first {grouped(first)}. <a href={changed({ first: Math.min(first + STEP * 4, MOST) })}>Show more</a></p>
      )}
    </>
  );
}

// Where no times were known when a run was planned, the server counts builds: a whole number, and no time of this one.
function behind(length: number, build: Blocker["build"]): string {
  const isCount = build?.expectedSeconds == null && Number.isInteger(length);
  return isCount ? counted(length, "build") : seconds(length);
}

function Cause({ blocker, rank, reload }: { blocker: Blocker; rank: number; reload: () => void }) {
  const { kind, package: name, message, blockedBuilds, remainingSeconds, build } = blocker;
  return (
    <li class="panel blocker">
      <p class="blocker-rank" aria-hidden="true">{rank}</p>
      <div class="blocker-what">
        <h2><PackageLink name={name} /> <span class="blocker-kind">{kindName(kind)}</span></h2>
        <p class="blocker-said">{message}</p>
        <p><b>To do:</b> {whatToDo(kind, name)}</p>
        {build && (
          <div class="blocker-build">
            <BuildState status={build.status} conclusion={build.conclusion} />
            <BuildLink id={build.id}>Build of {build.packageVersion.package.name} {build.packageVersion.version}</BuildLink>
            {build.run && <span class="note"><RunLink id={build.run.id} number={build.run.number} />, started <Ago at={build.run.createdAt} /></span>}
            <Retry build={build} name={name} onDone={reload} />
          </div>
        )}
      </div>
      <dl class="blocker-figures">
        <div><dt>holds up</dt><dd>{counted(blockedBuilds, "build")}</dd></div>
        <div><dt>longest path behind it</dt><dd>{behind(remainingSeconds, build)}</dd></div>
      </dl>
    </li>
  );
}
