// A graph as a picture, laid out in columns: what needs is left of what it needs. The same can be read as a table.

import "./picture.css";
import { useId, useMemo, useRef } from "preact/hooks";
import { counted, grouped } from "./figures.tsx";
import { layered, type Layout } from "./layered.ts";
import { useZoom } from "./panning.ts";
import { Legend } from "./PictureLegend.tsx";
import { GROWTH_RADIUS, PictureNodes, sized } from "./PictureNodes.tsx";
import { PictureTable } from "./PictureTable.tsx";

export interface PictureNode {
  id: string;
  label: string;
  /** Under the label: a version, a distance. */
  note?: string;
  href?: string;
  tone?: "focus" | "good" | "bad" | "cut" | "plain";
  /** Where it stands, from left to right, where something else than the edges decides: of all nodes or of none. */
  column?: number;
  /** What its + and − do: `left` is about what needs it, `right` about what it needs. */
  grow?: PictureGrowth[];
}

export interface PictureGrowth {
  side: "left" | "right";
  isOpen: boolean;
  /** "Show the 12 packages that need zlib". */
  title: string;
  toggle: () => void;
}

export interface PictureEdge {
  from: string;
  to: string;
  label?: string;
  tone?: "plain" | "cut" | "path";
}

export interface PictureProps {
  /** What it shows, for those who do not see it. */
  label: string;
  nodes: readonly PictureNode[];
  edges: readonly PictureEdge[];
  /** What the tones mean here, where it is not what they mean everywhere. */
  legend?: Partial<Record<string, string>>;
}

export const MOST_NODES = 400;
export const MOST_EDGES = 1_500;

export function Picture(props: PictureProps) {
  const { nodes, edges } = props;
  if (nodes.length === 0) return <p class="empty">There is nothing to draw.</p>;
  if (nodes.length <= MOST_NODES && edges.length <= MOST_EDGES) return <Drawn {...props} />;
  return (
    <div class="picture">
      <p class="picture-refusal">
        {counted(nodes.length, "package")} and {counted(edges.length, "dependency", "dependencies")} are more than a picture can show:
        at most {grouped(MOST_NODES)} and {grouped(MOST_EDGES)}. Narrow it down, or read the table.
      </p>
      <PictureTable nodes={nodes} edges={edges} />
    </div>
  );
}

function Drawn({ label, nodes, edges, legend = {} }: PictureProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const laid = useMemo(() => laidOut(nodes, edges), [nodes, edges]);
  const growing = useMemo(() => new Set(nodes.flatMap(({ id: each, grow = [] }) => grow.map(({ side }) => `${side} ${each}`))), [nodes]);
  const reached = useRef("");
  const zoom = useZoom(box, laid, beginning(nodes, laid), (before) => {
    const [from, to] = [before.places.get(reached.current), laid.places.get(reached.current)];
    return from && to ? { from, to } : null;
  });
  return (
    <div class="picture">
      <div class="picture-tools">
        <Legend nodes={nodes} edges={edges} words={legend} />
        <div class="picture-zoom" role="group" aria-label="Zoom">
          <button type="button" class="quiet" aria-label="Farther" onClick={zoom.farther}>−</button>
          <span class="figure" aria-live="polite">{Math.round(zoom.scale * 100)} %</span>
          <button type="button" class="quiet" aria-label="Closer" onClick={zoom.closer}>+</button>
          <button type="button" class="quiet" onClick={zoom.fit}>Fit</button>
        </div>
      </div>
      <div class="picture-view" ref={box} style={{ height: `${zoom.height}px` }}>
        <svg
          role="group" aria-label={label} aria-describedby={`${id}-keys`}
          width={laid.width * zoom.scale} height={laid.height * zoom.scale} viewBox={`0 0 ${laid.width} ${laid.height}`}
        >
          <Arrowheads id={id} />
          {edges.map((edge, at) => <Edge key={`${edge.from} ${edge.to}`} edge={edge} points={clear(laid.lines[at]!, edge, laid, growing)} heads={id} />)}
          <PictureNodes nodes={nodes} edges={edges} laid={laid} onReach={(id) => { reached.current = id; }} />
        </svg>
      </div>
      <p id={`${id}-keys`} class="note picture-keys">
        What needs is left of what it needs. Drag or scroll to move, Ctrl and wheel to zoom; on a package, the arrow keys follow its
        dependencies, Enter opens it{nodes.some(({ grow }) => grow?.length) && ", + and − show and hide what is around it"}.
      </p>
      <PictureTable nodes={nodes} edges={edges} />
    </div>
  );
}

function Arrowheads({ id }: { id: string }) {
  return (
    <defs>
      {["plain", "cut", "path"].map((tone) => (
        <marker key={tone} id={`${id}-${tone}`} class={`picture-head ${tone}`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
          <path d="M0 0.5 L8 4 L0 7.5z" />
        </marker>
      ))}
    </defs>
  );
}

function Edge({ edge, points, heads }: { edge: PictureEdge; points: Layout["lines"][number]; heads: string }) {
  if (points.length === 0) return null;
  const { from, to, label, tone = "plain" } = edge;
  return (
    <path class={`picture-edge ${tone}`} d={curve(points)} marker-end={`url(#${heads}-${tone})`}>
      <title>{`${from} needs ${to}${label ? ` ${label}` : ""}`}</title>
    </path>
  );
}

/** End a line before the + or − that is where it arrives, so that its head can be seen. */
function clear(points: Layout["lines"][number], { to }: PictureEdge, laid: Layout, growing: ReadonlySet<string>): Layout["lines"][number] {
  const end = points.at(-1);
  if (!end) return points;
  const side = end.x < laid.places.get(to)!.x ? "left" : "right";
  if (!growing.has(`${side} ${to}`)) return points;
  return [...points.slice(0, -1), { ...end, x: end.x + (side === "left" ? -GROWTH_RADIUS : GROWTH_RADIUS) }];
}

/** A line that leaves and arrives level. */
function curve(points: Layout["lines"][number]): string {
  return points.map(({ x, y }, at) => {
    const before = points[at - 1];
    if (!before) return `M${x} ${y}`;
    const middle = (before.x + x) / 2;
    return `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`;
  }).join("");
}

/** Where to begin to look: at the focus, or else at the middle of the left edge. */
function beginning(nodes: readonly PictureNode[], laid: Layout): { x: number; y: number } {
  const focus = nodes.find(({ tone }) => tone === "focus");
  return (focus && laid.places.get(focus.id)) ?? { x: 0, y: laid.height / 2 };
}

function laidOut(nodes: readonly PictureNode[], edges: readonly PictureEdge[]): Layout {
  return layered(nodes.map(sized), edges.map(({ from, to, tone }) => ({ from, to, isCut: tone === "cut" })));
}
