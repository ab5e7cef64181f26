// Parts of a build's page that only show.

import type { ComponentChildren } from "preact";
import type { BuildDetailsQuery, BuildLineFragment } from "../../generated.ts";
import { Ago, Elapsed, bytes, grouped, seconds } from "../../ui/figures.tsx";
import { Badge, BuildLink, BuildState, Empty, Panel } from "../../ui/parts.tsx";
import { Labels } from "./Labels.tsx";

type Details = NonNullable<BuildDetailsQuery["build"]>;

export function Facts({ build }: { build: Details }) {
  const isQueued = build.status === "QUEUED";
  const isEnded = build.status === "COMPLETED";
  return (
    <Panel title="Facts">
      <dl class="facts">
        <Fact name="Planned"><Ago at={build.createdAt} /></Fact>
        {build.queuedAt && <Fact name="Queued"><Ago at={build.queuedAt} /></Fact>}
        {isQueued && build.notBefore && <Fact name="Not before"><Ago at={build.notBefore} /></Fact>}
        {build.startedAt && <Fact name={isEnded ? "Took" : "Running for"}><Elapsed from={build.startedAt} to={build.completedAt} /></Fact>}
        <Fact name="Usually takes">{build.expectedSeconds === null ? "not known" : seconds(build.expectedSeconds)}</Fact>
        <Fact name="At most">{seconds(build.timeoutSeconds)}</Fact>
        {build.worker && <Fact name="Worker">{build.worker}</Fact>}
        {!isEnded && build.leaseExpiresAt && <Fact name="Lease ends"><Ago at={build.leaseExpiresAt} /></Fact>}
        <Fact name="Attempt"><span class="figure">{build.attempt} of {build.maxAttempts}</span></Fact>
        {build.priority !== 0 && <Fact name="Priority">{grouped(build.priority)}</Fact>}
        {build.workerLabels.length > 0 && <Fact name="Needs a worker with"><Labels labels={build.workerLabels} /></Fact>}
        {build.outputDigest && <Fact name="Output"><code>{build.outputDigest}</code></Fact>}
      </dl>
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

export function Attempts({ build: { attempts } }: { build: Details }) {
  if (attempts.length === 0) return null;
  return (
    <Panel title="Attempts">
      <ol class="rows">
        {attempts.map(({ number, worker, startedAt, completedAt, conclusion, message }) => (
          <li key={number}>
            <span class="figure">{number}</span>
            {conclusion ? <Badge state={conclusion} /> : <Badge state="RUNNING" />}
            <span>{worker}</span>
            {startedAt && <Elapsed from={startedAt} to={completedAt} />}
            {message && <span class="note">{message}</span>}
          </li>
        ))}
      </ol>
    </Panel>
  );
}

export function Artifacts({ build: { artifacts } }: { build: Details }) {
  if (artifacts.length === 0) return null;
  return (
    <Panel title="Produced">
      <ul class="rows">
        {artifacts.map(({ name, uri, digest, sizeBytes }) => (
          <li key={name}>
            {isWeb(uri) ? <a href={uri} rel="noreferrer">{name}</a> : <span>{name} <code class="note">{uri}</code></span>}
            {sizeBytes !== null && <span class="figure note">{bytes(sizeBytes)}</span>}
            {digest && <code class="note">{digest}</code>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

// A worker may name anything, and a link to some things is dangerous.
function isWeb(uri: string): boolean {
  return /^https?:\/\//i.test(uri);
}

export function Around({ title, none, totalCount, nodes }: { title: string; none: string; totalCount: number; nodes: readonly BuildLineFragment[] }) {
  return (
    <Panel title={<>{title} <span class="note">{grouped(totalCount)}</span></>}>
      {nodes.length === 0 && <Empty><p>{none}</p></Empty>}
      <ul class="rows">
        {nodes.map(({ id, status, conclusion, packageVersion }) => (
          <li key={id}>
            <BuildState status={status} conclusion={conclusion} />
            <BuildLink id={id}><span class="name">{packageVersion.package.name}</span> <span class="version">{packageVersion.version}</span></BuildLink>
          </li>
        ))}
      </ul>
      {totalCount > nodes.length && <p class="note">{grouped(totalCount - nodes.length)} more are not shown.</p>}
    </Panel>
  );
}

export function History({ build: { transitions } }: { build: Details }) {
  return (
    <Panel title="History">
      <ol class="rows">
        {transitions.nodes.map(({ sequence, at, to, conclusion, attempt, actor, reason }) => (
          <li key={sequence}>
            <Badge state={conclusion ?? to} />
            <Ago at={at} />
            {attempt !== null && attempt > 0 && <span class="note">try {attempt}</span>}
            {actor && <span class="note">by {actor}</span>}
            {reason && <span class="note">{reason}</span>}
          </li>
        ))}
      </ol>
      {transitions.pageInfo.hasNextPage && <p class="note">What came later is not shown.</p>}
    </Panel>
  );
}
