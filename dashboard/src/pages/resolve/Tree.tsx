// Pins as a tree: what is required, and under each what it needs in turn, when it is opened.

import { useState } from "preact/hooks";
import { PackageLink, VersionLink } from "../../ui/parts.tsx";
import type { Edge, Picked } from "./pins.ts";

export function Tree({ picked }: { picked: Picked }) {
  return <div class="res-tree"><Branches edges={picked.needsOf.get(null) ?? []} above={[]} picked={picked} label="What you require" /></div>;
}

interface BranchesProps { edges: readonly Edge[]; above: readonly string[]; picked: Picked; label: string }

function Branches({ edges, above, picked, label }: BranchesProps) {
  return <ul aria-label={label}>{edges.map((edge) => <Branch key={edge.dependency} edge={edge} above={above} picked={picked} />)}</ul>;
}

function Branch({ edge: { dependency, constraint }, above, picked }: { edge: Edge; above: readonly string[]; picked: Picked }) {
  const [isOpen, setOpen] = useState(above.length === 0 && (picked.needsOf.get(null)?.length ?? 0) === 1);
  const pin = picked.byName.get(dependency);
  const needs = picked.needsOf.get(dependency) ?? [];
  const isRepeated = above.includes(dependency);
  const hasMore = needs.length > 0 && !isRepeated;
  return (
    <li>
      <div class="res-branch">
        {hasMore
          ? <button type="button" class="quiet" aria-expanded={isOpen} aria-label={`What ${dependency} needs`} onClick={() => setOpen(!isOpen)}>{isOpen ? "−" : "+"}</button>
          : <span class="res-leaf" />}
        <PackageLink name={dependency} />
        {pin && <VersionLink name={dependency} version={pin.version} />}
        {constraint && <span class="version note">{constraint}</span>}
        {isRepeated && <span class="note">as above: a cycle</span>}
        {hasMore && !isOpen && <span class="note">needs {needs.length}</span>}
      </div>
      {hasMore && isOpen && <Branches edges={needs} above={[...above, dependency]} picked={picked} label={`What ${dependency} needs`} />}
    </li>
  );
}
