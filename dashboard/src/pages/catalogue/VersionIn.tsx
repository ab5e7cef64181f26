// One version: what it needs as it declares it, its build, what has become of it.

import { may } from "../../api/session.ts";
import { useQuery } from "../../api/use.ts";
import { VersionPageDocument, type VersionPageQuery } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Ago, Day } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, PackageLink, Page, Panel } from "../../ui/parts.tsx";
import { BuildsOf } from "./Builds.tsx";
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
        <BuildsOf name={name} version={version} />
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
