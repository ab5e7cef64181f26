// The versions of a package, newest first.

import { useQuery } from "../../api/use.ts";
import { PackageVersionsDocument, type PackageVersionsQuery, type VersionStatus } from "../../generated.ts";
import { changed, go, place } from "../../routing.ts";
import { Day, grouped } from "../../ui/figures.tsx";
import { Answered, Badge, BuildLink, BuildState, Empty, Panel, VersionLink, words } from "../../ui/parts.tsx";
import { firstPage, pageIn, Pager } from "../../ui/Pager.tsx";

const SIZE = 20;
const STATUSES: VersionStatus[] = ["PUBLISHED", "DEPRECATED", "YANKED", "QUARANTINED", "DRAFT"];

type Listed = NonNullable<PackageVersionsQuery["package"]>["versions"];

export function Versions({ name }: { name: string }) {
  const { query } = place.value;
  const status = STATUSES.find((each) => each === query.get("vstatus"));
  const variables = { name, status: status ? [status] : null, ...pageIn(query, SIZE, "v") };
  const answer = useQuery(PackageVersionsDocument, variables);
  const total = answer.data?.package?.versions.totalCount;
  return (
    <Panel title={total === undefined ? "Versions" : `Versions (${grouped(total)})`} actions={<StatusFilter status={status ?? ""} />}>
      <Answered answer={answer}>{(data) => data.package && <List name={name} versions={data.package.versions} />}</Answered>
    </Panel>
  );
}

function StatusFilter({ status }: { status: string }) {
  return (
    <select aria-label="Status of the versions" value={status} onChange={(event) => go(changed({ ...firstPage("v"), vstatus: event.currentTarget.value }))}>
      <option value="">any status</option>
      {STATUSES.map((each) => <option key={each} value={each}>{words(each)}</option>)}
    </select>
  );
}

function List({ name, versions: { nodes, pageInfo } }: { name: string; versions: Listed }) {
  if (nodes.length === 0) return <Empty><p>It has no version of this status.</p></Empty>;
  return (
    <>
      <div class="scroll">
        <table>
          <caption class="away">Versions of {name}, newest first</caption>
          <thead><tr><th scope="col">Version</th><th scope="col">Status</th><th scope="col">Released</th><th scope="col">Latest build</th></tr></thead>
          <tbody>
            {nodes.map((each) => (
              <tr key={each.version}>
                <th scope="row"><VersionLink name={name} version={each.version} />{each.isPrerelease && <span class="note"> pre-release</span>}</th>
                <td title={each.statusReason ?? undefined}><Badge state={each.status} /></td>
                <td class="figure">{each.releasedAt && <Day at={each.releasedAt} />}</td>
                <td>{each.latestBuild && <BuildLink id={each.latestBuild.id}><BuildState status={each.latestBuild.status} conclusion={each.latestBuild.conclusion} /></BuildLink>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Pager label={`versions of ${name}`} page={pageInfo} prefix="v" back />
    </>
  );
}
