// One version: what it needs as it declares it, its build, what has become of it.

import { may } from "../../api/session.ts";
import { useQuery } from "../../api/use.ts";
import { VersionPageDocument, type VersionPageQuery } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Ago, Day, seconds } from "../../ui/figures.tsx";
import { Answered, Badge, BuildLink, BuildState, Empty, PackageLink, Page, Panel, RunLink } from "../../ui/parts.tsx";
import { Labels } from "./Labels.tsx";
import { Needs } from "./Needs.tsx";
import { StatusChange } from "./StatusChange.tsx";
import { Transitions } from "./Transitions.tsx";

const EVERY = 15_000;
const CANDIDATES = 5;

type Shown = NonNullable<VersionPageQuery["packageVersion"]>;

export function VersionIn({ name, version }: { name: string; version: string }) {
  const answer = useQuery(VersionPageDocument, { package: name, version, candidates: CANDIDATES }, { every: EVERY });
  const resolve = <a class="button" href={address(["resolve"], { r: `${name} ==${version}` })}>Resolve</a>;
  return (
    <Page title={`${name} ${version}`} lead={<>A version of <PackageLink name={name} /></>} actions={answer.data?.packageVersion && resolve}>
      <Answered answer={answer}>
        {(data) => (data.packageVersion ? <Parts shown={data.packageVersion} reload={answer.reload} /> : <NoSuch name={name} version={version} />)}
      </Answered>
    </Page>
  );
}

function NoSuch({ name, version }: { name: string; version: string }) {
  return <Empty><p>{name} has no version {version}. See <a href={address(["packages", name])}>what versions it has</a>.</p></Empty>;
}

function Parts({ shown, reload }: { shown: Shown; reload: () => void }) {
  const { package: { name }, version, status, updatedAt, id, dependencies } = shown;
  return (
    <>
      <About shown={shown} />
      <Panel title={`What it needs (${dependencies.length})`}><Needs needs={dependencies} of={`${name} ${version}`} /></Panel>
      <div class="columns">
        {may("write") && <StatusChange name={name} version={version} status={status} onChanged={reload} />}
        <Panel title="Latest build"><LatestBuild shown={shown} /></Panel>
        <Transitions subject={id} turn={updatedAt} />
      </div>
    </>
  );
}

function About({ shown }: { shown: Shown }) {
  const { package: { name, status: ofPackage, latestVersion }, version, status, statusReason, releasedAt, createdAt, digest, labels, isPrerelease } = shown;
  return (
    <dl class="cat-facts">
      <div><dt>Status</dt><dd><Badge state={status} /> {statusReason}</dd></div>
      {ofPackage !== "ACTIVE" && <div><dt>Its package is</dt><dd><Badge state={ofPackage} /></dd></div>}
      <div><dt>Released</dt><dd>{releasedAt ? <Day at={releasedAt} /> : "not told"}{isPrerelease && <span class="note"> pre-release</span>}</dd></div>
      <div><dt>Registered</dt><dd><Ago at={createdAt} /></dd></div>
      <div>
        <dt>Latest version</dt>
        <dd>{latestVersion?.version === version ? "this one" : latestVersion && <a class="version" href={address(["packages", name, latestVersion.version])}>{latestVersion.version}</a>}</dd>
      </div>
      {digest && <div><dt>Digest</dt><dd class="mono">{digest}</dd></div>}
      {labels.length > 0 && <div><dt>Labels</dt><dd><Labels labels={labels} /></dd></div>}
    </dl>
  );
}

function LatestBuild({ shown: { latestBuild: build, package: { name } } }: { shown: Shown }) {
  if (!build) return <Empty><p>It has not been built.</p></Empty>;
  return (
    <>
      <dl class="cat-facts">
        <div><dt>State</dt><dd><BuildState status={build.status} conclusion={build.conclusion} /></dd></div>
        <div><dt>{build.completedAt ? "Ended" : "Planned"}</dt><dd><BuildLink id={build.id}><Ago at={build.completedAt ?? build.createdAt} /></BuildLink></dd></div>
        {build.durationSeconds !== null && <div><dt>Took</dt><dd class="figure">{seconds(build.durationSeconds)}</dd></div>}
        {build.worker && <div><dt>Worker</dt><dd>{build.worker}</dd></div>}
        {build.run && <div><dt>Run</dt><dd><RunLink id={build.run.id}>the run it belongs to</RunLink></dd></div>}
      </dl>
      <p class="note"><a href={address(["builds"], { package: name })}>All builds of {name}</a></p>
    </>
  );
}
