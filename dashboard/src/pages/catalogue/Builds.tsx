// The builds of a package, or of one of its versions, newest first.

import { may } from "../../api/session.ts";
import { useQuery } from "../../api/use.ts";
import { PackageBuildsDocument, type PackageBuildsQuery } from "../../generated.ts";
import { address, place } from "../../routing.ts";
import { Ago, grouped, seconds } from "../../ui/figures.tsx";
import { Answered, BuildLink, BuildState, Empty, Panel, VersionLink } from "../../ui/parts.tsx";
import { Pager } from "../../ui/Pager.tsx";

const SIZE = 10;
const LOOKED_THROUGH = 200;
const EVERY = 5_000;

type Found = NonNullable<PackageBuildsQuery["package"]>["builds"];

export function Builds({ name }: { name: string }) {
  const answer = useQuery(PackageBuildsDocument, { name, first: SIZE, after: place.value.query.get("bafter") }, { every: EVERY });
  const total = answer.data?.package?.builds.totalCount;
  return (
    <Panel title={total ? `Builds (${grouped(total)})` : "Builds"} actions={total ? <a href={address(["builds"], { package: name })}>All</a> : null}>
      <Answered answer={answer}>{(data) => data.package && <List name={name} builds={data.package.builds} />}</Answered>
    </Panel>
  );
}

function List({ name, builds: { nodes, pageInfo, totalCount } }: { name: string; builds: Found }) {
  if (totalCount === 0) return <NotBuilt name={name} />;
  return (
    <>
      <BuildTable name={name} of={name} builds={nodes} />
      <Pager label={`builds of ${name}`} page={pageInfo} prefix="b" />
    </>
  );
}

/** The builds of one version, as far as they are among the newest of its package: the server lists builds by package. */
export function BuildsOf({ name, version }: { name: string; version: string }) {
  const answer = useQuery(PackageBuildsDocument, { name, first: LOOKED_THROUGH, after: null }, { every: EVERY });
  return (
    <Panel title="Builds of it" actions={<a href={address(["builds"], { package: name })}>All of {name}</a>}>
      <Answered answer={answer}>
        {(data) => data.package && <OfVersion name={name} version={version} builds={data.package.builds} />}
      </Answered>
    </Panel>
  );
}

function OfVersion({ name, version, builds: { nodes, totalCount } }: { name: string; version: string; builds: Found }) {
  const own = nodes.filter(({ packageVersion }) => packageVersion.version === version);
  return (
    <>
      {own.length > 0 && <BuildTable name={name} of={`${name} ${version}`} builds={own} />}
      {own.length === 0 && <Empty><p>{totalCount > nodes.length ? "None of the newest builds of its package is of it." : "It has not been built."}</p></Empty>}
      {totalCount > nodes.length && <p class="note">Of the {grouped(totalCount)} builds of {name} the newest {grouped(nodes.length)} were looked through.</p>}
    </>
  );
}

function BuildTable({ name, of, builds }: { name: string; of: string; builds: Found["nodes"] }) {
  return (
    <div class="scroll">
      <table>
        <caption class="away">Builds of {of}, newest first</caption>
        <thead><tr><th scope="col">Build</th><th scope="col">Version</th><th scope="col">State</th><th scope="col" class="end">Took</th></tr></thead>
        <tbody>
          {builds.map((build) => (
            <tr key={build.id}>
              <th scope="row"><BuildLink id={build.id}><Ago at={build.completedAt ?? build.createdAt} /></BuildLink></th>
              <td><VersionLink name={name} version={build.packageVersion.version} /></td>
              <td><BuildState status={build.status} conclusion={build.conclusion} /></td>
              <td class="end figure">{build.durationSeconds === null ? "" : seconds(build.durationSeconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function NotBuilt({ name }: { name: string }) {
  return (
    <Empty>
      <p>It has not been built.{may("build") && <> <a href={address(["plan"], { package: name })}>Look at a plan</a>, and start it.</>}</p>
    </Empty>
  );
}
