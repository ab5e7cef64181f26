// What a version needs, as it declares it, and what there is to satisfy it.

import type { DeclaredNeedFragment } from "../../generated.ts";
import { Badge, Empty, PackageLink, VersionLink, words } from "../../ui/parts.tsx";

export function Needs({ needs, of }: { needs: readonly DeclaredNeedFragment[]; of: string }) {
  if (needs.length === 0) return <Empty><p>{of} needs nothing.</p></Empty>;
  return (
    <div class="scroll">
      <table class="cat-needs">
        <caption class="away">What {of} needs</caption>
        <thead><tr><th scope="col">Package</th><th scope="col">Constraint</th><th scope="col">Kinds</th><th scope="col">Candidates, newest first</th></tr></thead>
        <tbody>{needs.map((need) => <Need key={need.id} need={need} />)}</tbody>
      </table>
    </div>
  );
}

function Need({ need }: { need: DeclaredNeedFragment }) {
  const { packageName, constraint, kinds, optional, marker, package: known } = need;
  return (
    <tr>
      <th scope="row">
        {known ? <PackageLink name={packageName} /> : <span class="name">{packageName}</span>}
        {known && known.status !== "ACTIVE" && <> <Badge state={known.status} /></>}
      </th>
      <td class="version">{constraint || "any version"}</td>
      <td>
        {kinds.map(words).join(", ")}
        {optional && <span class="note"> optional</span>}
        {marker && <div class="note">when <code>{marker}</code></div>}
      </td>
      <td><Candidates need={need} /></td>
    </tr>
  );
}

function Candidates({ need: { packageName, package: known, candidates } }: { need: DeclaredNeedFragment }) {
  if (!known) return <span class="badge bad">not registered</span>;
  if (candidates.length === 0) return <span class="badge bad">no version satisfies</span>;
  return <>{candidates.map(({ version }, index) => <span key={version}>{index > 0 && ", "}<VersionLink name={packageName} version={version} /></span>)}</>;
}
