// Pins as a picture, the nearest to what is required.

import { useMemo } from "preact/hooks";
import { address } from "../../routing.ts";
import { Picture, type PictureEdge, type PictureNode } from "../../ui/Picture.tsx";
import { grouped } from "../../ui/figures.tsx";
import type { Resolution } from "./answer.ts";
import type { Picked } from "./pins.ts";

const DRAWN = 150;
const LEGEND = { focus: "required by you", cut: "in a cycle" };

export function Drawn({ resolution, picked }: { resolution: Resolution; picked: Picked }) {
  const { nodes, edges } = useMemo(() => drawn(resolution, picked), [resolution, picked]);
  const total = picked.nearestFirst.length;
  return (
    <>
      {total > DRAWN && (
        <p class="note">
          Drawn are the {grouped(DRAWN)} nearest to what you require, of {grouped(total)} pins. The other {grouped(total - DRAWN)} are in the table.
        </p>
      )}
      <Picture label={`What needs what among ${grouped(nodes.length)} pins`} nodes={nodes} edges={edges} legend={LEGEND} />
    </>
  );
}

function drawn({ edges, cycles }: Resolution, { nearestFirst }: Picked): { nodes: PictureNode[]; edges: PictureEdge[] } {
  const shown = nearestFirst.slice(0, DRAWN);
  const names = new Set(shown.map((pin) => pin.package));
  const cyclic = new Set(cycles.flatMap(({ packages }) => packages));
  return {
    nodes: shown.map((pin) => ({
      id: pin.package, label: pin.package, note: pin.version, href: address(["packages", pin.package, pin.version]),
      tone: pin.direct ? "focus" : cyclic.has(pin.package) ? "cut" : "plain",
    })),
    edges: edges.flatMap(({ dependent, dependency, constraint }) => (
      dependent !== null && names.has(dependent) && names.has(dependency) ? [{ from: dependent, to: dependency, label: constraint }] : []
    )),
  };
}
