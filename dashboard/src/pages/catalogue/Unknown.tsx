// A package or version that is not there, and where one may look instead.

import { useQuery } from "../../api/use.ts";
import { ClosestPackagesDocument } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Empty, PackageLink } from "../../ui/parts.tsx";

const SHORTEST = 2;
const SHOWN = 8;

export function Unknown({ name }: { name: string }) {
  // What was meant often begins as what was typed.
  const begin = name.slice(0, Math.max(SHORTEST, Math.ceil(name.length / 2)));
  const { data } = useQuery(ClosestPackagesDocument, { begin: { nameStartsWith: begin } });
  const found = data?.packages.nodes.slice(0, SHOWN) ?? [];
  return (
    <Empty>
      <p>No package is named {name}. Names tell capitals from small letters.</p>
      {found.length > 0 && <p>Close to it: {found.map((each, index) => <span key={each.name}>{index > 0 && ", "}<PackageLink name={each.name} /></span>)}.</p>}
      <a class="button" href={address(["packages"], { q: begin })}>Search for “{begin}”</a>
    </Empty>
  );
}
