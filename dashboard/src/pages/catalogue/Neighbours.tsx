// Who needs a package, and all that it needs: directly, or at any distance when that is asked for.

import { useQuery } from "../../api/use.ts";
import { AllDependenciesDocument, DependentsDocument, type NeighboursFragment } from "../../generated.ts";
import { address, changed, go, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, PackageLink, Panel } from "../../ui/parts.tsx";
import { firstPage, Pager } from "../../ui/Pager.tsx";

const SIZE = 30;

export function NeededBy({ name }: { name: string }) {
  const { query } = place.value;
  const transitive = query.get("needed") === "all";
  const optional = query.has("optional");
  const answer = useQuery(DependentsDocument, { name, transitive, optional, first: SIZE, after: query.get("dafter") });
  const found = answer.data?.package?.neighbours;
  const turn = (changes: Record<string, string | null>) => go(changed({ ...firstPage("d"), ...changes }));
  return (
    <Panel title={found ? `Needed by (${total(found)})` : "Needed by"} actions={<a href={address(["graph"], { impact: name })}>Impact</a>}>
      <div class="controls cat-small">
        <label class="check">
          <input type="checkbox" checked={transitive} onChange={(event) => turn({ needed: event.currentTarget.checked ? "all" : null })} /> also indirectly
        </label>
        <label class="check">
          <input type="checkbox" checked={optional} onChange={(event) => turn({ optional: event.currentTarget.checked ? "1" : null })} /> also optionally
        </label>
      </div>
      <Answered answer={answer}>
        {(data) => data.package && (
          <List label={`packages that need ${name}`} found={data.package.neighbours} prefix="d" none={`No package's latest version needs ${name}.`} />
        )}
      </Answered>
    </Panel>
  );
}

/** Counts and names what a package's latest version needs at any distance, once that is asked for. */
export function AllNeeds({ name }: { name: string }) {
  const { query } = place.value;
  const isOpen = query.has("needs");
  return (
    <details class="cat-all" open={isOpen} onToggle={(event) => event.currentTarget.open !== isOpen && go(changed({ ...firstPage("n"), needs: isOpen ? null : "all" }), { replace: true })}>
      <summary>All that it needs, directly or not</summary>
      {isOpen && <AllNeeded name={name} after={query.get("nafter")} />}
    </details>
  );
}

function AllNeeded({ name, after }: { name: string; after: string | null }) {
  const answer = useQuery(AllDependenciesDocument, { name, optional: false, first: SIZE, after });
  return (
    <Answered answer={answer}>
      {(data) => data.package && (
        <>
          <p class="note">{total(data.package.neighbours)} {data.package.neighbours.totalCount === 1 ? "package" : "packages"}</p>
          <List label={`packages that ${name} needs`} found={data.package.neighbours} prefix="n" none="It needs nothing that is registered." />
        </>
      )}
    </Answered>
  );
}

function List({ label, found, prefix, none }: { label: string; found: NeighboursFragment; prefix: string; none: string }) {
  if (found.totalCount === 0) return <Empty><p>{none}</p></Empty>;
  return (
    <>
      {found.truncated && <p class="note">There are more: the server stopped at {counted(found.totalCount, "package")}.</p>}
      <ul class="cat-names" aria-label={label}>
        {found.nodes.map((each) => (
          <li key={each.name}>
            <PackageLink name={each.name} /> <span class="version note">{each.latestVersion?.version}</span> {each.status !== "ACTIVE" && <Badge state={each.status} />}
          </li>
        ))}
      </ul>
      <Pager label={label} page={found.pageInfo} prefix={prefix} />
    </>
  );
}

function total({ totalCount, truncated }: NeighboursFragment): string {
  return truncated ? `over ${grouped(totalCount)}` : grouped(totalCount);
}
