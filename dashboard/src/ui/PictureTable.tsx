// A picture as a table: each package with what it needs, among those in the picture.

import { useState } from "preact/hooks";
import { counted } from "./figures.tsx";
import type { PictureEdge, PictureNode } from "./Picture.tsx";

export function PictureTable({ nodes, edges }: { nodes: readonly PictureNode[]; edges: readonly PictureEdge[] }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="picture-list" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table: {counted(nodes.length, "package")}, {counted(edges.length, "dependency", "dependencies")}</summary>
      {isOpen && <Rows nodes={nodes} edges={edges} />}
    </details>
  );
}

function Rows({ nodes, edges }: { nodes: readonly PictureNode[]; edges: readonly PictureEdge[] }) {
  const labels = new Map(nodes.map(({ id, label }) => [id, label]));
  const needs = new Map<string, string[]>();
  for (const { from, to, label, tone } of edges) {
    const said = [labels.get(to) ?? to, label, tone === "cut" && "(cut)"].filter(Boolean).join(" ");
    needs.set(from, [...(needs.get(from) ?? []), said]);
  }
  return (
    <div class="scroll picture-rows" tabIndex={0} role="region" aria-label="The picture as a table">
      <table>
        <thead><tr><th scope="col">Package</th><th scope="col">Note</th><th scope="col">Needs</th></tr></thead>
        <tbody>
          {nodes.map(({ id, label, note, href }) => (
            <tr key={id}>
              <th scope="row">{href ? <a class="name" href={href}>{label}</a> : <span class="name">{label}</span>}</th>
              <td>{note}</td>
              <td>{needs.get(id)?.join(", ") ?? ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
