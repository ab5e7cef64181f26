// One package: what it is, its versions, what it needs, who needs it, its builds.

import { useQuery } from "../../api/use.ts";
import { may } from "../../api/session.ts";
import { PackagePageDocument, type PackagePageQuery } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Ago, Day } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, Page, Panel, VersionLink } from "../../ui/parts.tsx";
import { Missing } from "../../ui/Missing.tsx";
import { Labels } from "./Labels.tsx";
import { Needs } from "./Needs.tsx";
import { AllNeeds, NeededBy } from "./Neighbours.tsx";
import { Builds } from "./Builds.tsx";
import { Versions } from "./Versions.tsx";

const EVERY = 15_000;

type Shown = NonNullable<PackagePageQuery["package"]>;

export function PackageIn({ name }: { name: string }) {
  const answer = useQuery(PackagePageDocument, { name, candidates: 1 }, { every: EVERY });
  const found = answer.data?.package;
  return (
    <Page title={name} lead={found?.description} actions={found && <Actions name={name} />}>
      <Answered answer={answer}>{(data) => (data.package ? <Parts shown={data.package} /> : <Missing name={name} />)}</Answered>
    </Page>
  );
}

function Actions({ name }: { name: string }) {
  return (
    <>
      <a class="button" href={address(["graph"], { focus: name })}>Graph</a>
      <a class="button" href={address(["graph"], { impact: name })}>Impact</a>
      <a class="button" href={address(["resolve"], { r: name })}>Resolve</a>
      {may("build") && <a class="button" href={address(["plan"], { package: name })}>Build</a>}
    </>
  );
}

function Parts({ shown }: { shown: Shown }) {
  const { name, latestVersion: latest } = shown;
  return (
    <>
      <About shown={shown} />
      <Panel
        title={latest ? <>What {latest.version} needs</> : "What it needs"}
        actions={latest && <a href={address(["packages", name, latest.version])}>About {latest.version}</a>}
      >
        {latest ? <Needs needs={latest.dependencies} of={`${name} ${latest.version}`} /> : <Empty><p>No version of it is published.</p></Empty>}
        {latest && latest.dependencies.length > 0 && <AllNeeds name={name} />}
      </Panel>
      <div class="cat-columns">
        <Versions name={name} />
        <div class="cat-stack">
          <NeededBy name={name} />
          <Builds name={name} />
        </div>
      </div>
    </>
  );
}

function About({ shown }: { shown: Shown }) {
  const { name, status, statusReason, latestVersion: latest, createdAt, updatedAt, labels } = shown;
  return (
    <dl class="cat-facts">
      <div><dt>Status</dt><dd><Badge state={status} /> {statusReason}</dd></div>
      <div>
        <dt>Latest version</dt>
        <dd>
          {latest ? <VersionLink name={name} version={latest.version} /> : "none published"}
          {latest?.releasedAt && <span class="note"> <Day at={latest.releasedAt} /></span>}
        </dd>
      </div>
      <div><dt>Registered</dt><dd><Day at={createdAt} /></dd></div>
      <div><dt>Changed</dt><dd><Ago at={updatedAt} /></dd></div>
      {labels.length > 0 && <div><dt>Labels</dt><dd><Labels labels={labels} /></dd></div>}
    </dl>
  );
}
