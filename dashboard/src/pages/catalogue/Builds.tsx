// The builds of a package's versions, newest first.

import { may } from "../../api/session.ts";
import { useQuery } from "../../api/use.ts";
import { PackageBuildsDocument, type PackageBuildsQuery } from "../../generated.ts";
import { address, place } from "../../routing.ts";
import { Ago, grouped, seconds } from "../../ui/figures.tsx";
import { Answered, BuildLink, BuildState, Empty, Panel, VersionLink } from "../../ui/parts.tsx";
import { Pager } from "./Pager.tsx";

const SIZE = 10;
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
      <div class="scroll">
        <table>
          <caption class="away">Builds of {name}, newest first</caption>
          <thead><tr><th scope="col">Build</th><th scope="col">Version</th><th scope="col">State</th><th scope="col" class="end">Took</th></tr></thead>
          <tbody>
            {nodes.map((build) => (
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
      <Pager label={`builds of ${name}`} page={pageInfo} prefix="b" />
    </>
  );
}

function NotBuilt({ name }: { name: string }) {
  return (
    <Empty>
      <p>It has not been built.{may("build") && <> <a href={address(["plan"], { package: name })}>Look at a plan</a>, and start it.</>}</p>
    </Empty>
  );
}
