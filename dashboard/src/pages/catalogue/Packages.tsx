// All packages: found by typing, narrowed by status, read page by page.

import { useEffect, useRef, useState } from "preact/hooks";
import { useQuery } from "../../api/use.ts";
import {
  ClosestPackagesDocument, PackagesDocument,
  type ListedPackageFragment, type PackageOrder, type PackagesQuery, type PackageStatus,
} from "../../generated.ts";
import { changed, go, place } from "../../routing.ts";
import { counted, Day } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, Page, PackageLink, VersionLink, words } from "../../ui/parts.tsx";
import { firstPage, pageIn, Pager } from "../../ui/Pager.tsx";

const SIZE = 50;
const CLOSEST = 5;
const PAUSE = 150;
const STATUSES: PackageStatus[] = ["ACTIVE", "DEPRECATED", "ARCHIVED", "QUARANTINED"];
const BY_NAME: PackageOrder = { field: "NAME", direction: "ASC" };
const BY_CHANGE: PackageOrder = { field: "UPDATED_AT", direction: "DESC" };

export function Packages() {
  const { query } = place.value;
  const text = query.get("q") ?? "";
  const status = STATUSES.filter((each) => query.getAll("status").includes(each));
  const isByChange = query.get("order") === "changed";
  const filter = { nameContains: text || null, status: status.length ? status : null };
  const variables = { filter, orderBy: isByChange ? BY_CHANGE : BY_NAME, ...pageIn(query, SIZE) };
  const answer = useQuery(PackagesDocument, variables);
  const isFirst = !query.has("after") && !query.has("before");
  const closest = useClosest(isFirst ? text : "", filter.status);
  return (
    <Page title="Packages">
      <search class="controls">
        <SearchBox text={text} />
        <div class="field">
          <label for="packages-status">Status</label>
          <select id="packages-status" value={status[0] ?? ""} onChange={(event) => go(changed({ ...firstPage(), status: event.currentTarget.value }))}>
            <option value="">Any</option>
            {STATUSES.map((each) => <option key={each} value={each}>{words(each)}</option>)}
          </select>
        </div>
        <div class="field">
          <label for="packages-order">Order</label>
          <select id="packages-order" value={isByChange ? "changed" : ""} onChange={(event) => go(changed({ ...firstPage(), order: event.currentTarget.value }))}>
            <option value="">By name</option>
            <option value="changed">Changed last</option>
          </select>
        </div>
      </search>
      <Answered answer={answer}>{(data) => <Listed data={data} closest={closest} isNarrowed={Boolean(text || status.length)} />}</Answered>
    </Page>
  );
}

function SearchBox({ text }: { text: string }) {
  const [typed, setTyped] = useState(text);
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => setTyped(text), [text]);
  useEffect(() => () => clearTimeout(waiting.current), []);
  const onInput = (value: string) => {
    setTyped(value);
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => go(changed({ ...firstPage(), q: value.trim() }), { replace: true }), PAUSE);
  };
  return (
    <div class="field cat-search">
      <label for="packages-search">Search by name</label>
      <input id="packages-search" type="search" autocomplete="off" spellcheck={false} placeholder="part of a name" value={typed} onInput={(event) => onInput(event.currentTarget.value)} />
    </div>
  );
}

/** The few whose names begin with what was typed, the shortest first: in a long list by name they would be hard to find. */
function useClosest(text: string, status: PackageStatus[] | null): ListedPackageFragment[] {
  const { data } = useQuery(ClosestPackagesDocument, { begin: { nameStartsWith: text, status } }, { paused: !text });
  if (!text || !data) return [];
  const begins = data.packages.nodes.filter(({ name }) => name.toLowerCase().startsWith(text.toLowerCase()));
  return begins.sort((one, other) => one.name.length - other.name.length).slice(0, CLOSEST);
}

function Listed({ data, closest, isNarrowed }: { data: PackagesQuery; closest: ListedPackageFragment[]; isNarrowed: boolean }) {
  const { totalCount, nodes, pageInfo } = data.packages;
  const isMany = totalCount > CLOSEST && closest.length > 0;
  const above = new Set(isMany ? closest.map(({ name }) => name) : []);
  const others = nodes.filter(({ name }) => !above.has(name));
  const isTold = [...closest, ...nodes].some(({ description }) => description);
  if (totalCount === 0) return isNarrowed ? <NothingFound /> : <NothingThere />;
  return (
    <section class="panel" aria-label="Packages found">
      <p class="note" role="status">{counted(totalCount, "package")}{isNarrowed ? " found" : ""}</p>
      <div class="scroll">
        <table class="cat-packages">
          <thead><tr><th scope="col">Name</th><th scope="col">Latest</th><th scope="col">Released</th>{isTold && <th scope="col">Description</th>}</tr></thead>
          {isMany && <Group title="Closest" packages={closest} isTold={isTold} />}
          <Group title={isMany ? "Others" : ""} packages={others} isTold={isTold} />
        </table>
      </div>
      <Pager label="packages" page={pageInfo} back />
    </section>
  );
}

function Group({ title, packages, isTold }: { title: string; packages: readonly ListedPackageFragment[]; isTold: boolean }) {
  return (
    <tbody>
      {title && <tr class="cat-group"><th scope="rowgroup" colSpan={isTold ? 4 : 3}>{title}</th></tr>}
      {packages.map((each) => (
        <tr key={each.name}>
          <th scope="row"><PackageLink name={each.name} /> {each.status !== "ACTIVE" && <Badge state={each.status} />}</th>
          <td>{each.latestVersion ? <VersionLink name={each.name} version={each.latestVersion.version} /> : <span class="note">none published</span>}</td>
          <td class="figure">{each.latestVersion?.releasedAt && <Day at={each.latestVersion.releasedAt} />}</td>
          {isTold && <td class="cat-description">{each.description}</td>}
        </tr>
      ))}
    </tbody>
  );
}

function NothingFound() {
  return (
    <Empty>
      <p role="status">No package has this in its name and status. Try a shorter part of the name.</p>
      <a class="button" href={changed({ ...firstPage(), q: null, status: null })}>Show all packages</a>
    </Empty>
  );
}

function NothingThere() {
  return (
    <Empty>
      <p>The catalogue is empty. Fill it from JSON Lines, or have your build tool publish versions:</p>
      <pre>buildatlas import FILE</pre>
    </Empty>
  );
}
