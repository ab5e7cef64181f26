// The nodes of a picture: one of them is reached by Tab, the others from there along the edges by the arrow keys.

import { useMemo, useRef, useState } from "preact/hooks";
import type { Layout, Sized } from "./layered.ts";
import type { PictureEdge, PictureGrowth, PictureNode } from "./Picture.tsx";
import { TONE_WORDS } from "./PictureLegend.tsx";

const LONGEST = 48;
const LETTER = 7.1;
const BOLD_LETTER = 8;
const PADDING = 22;
const GROWTH = 12;
/** Of a + or −, which is on the edge of its node. */
export const GROWTH_RADIUS = 8;

/** How much room a node takes. */
export function sized({ id, label, note = "", grow = [], tone, column }: PictureNode): Sized {
  const letters = Math.max(shortened(label).length, shortened(note).length, 3);
  const letter = tone === "focus" ? BOLD_LETTER : LETTER;
  return { id, column, width: Math.ceil(PADDING + (grow.length ? GROWTH : 0) + letter * letters), height: note ? 40 : 28 };
}

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

interface NodesProps {
  nodes: readonly PictureNode[];
  edges: readonly PictureEdge[];
  laid: Layout;
  /** Told of the node that has the focus, or whose + or − was used. */
  onReach: (id: string) => void;
}

export function PictureNodes({ nodes, edges, laid, onReach }: NodesProps) {
  const group = useRef<SVGGElement>(null);
  const near = useMemo(() => neighbours(nodes, edges, laid), [nodes, edges, laid]);
  const [reached, setReached] = useState<string>();
  const current = reached !== undefined && laid.places.has(reached) ? reached : nodes.find(({ tone }) => tone === "focus")?.id ?? nodes[0]!.id;
  const move = (event: KeyboardEvent, node: PictureNode) => {
    const growth = growthBy(event.key, node);
    const next = near.get(node.id)?.keys.get(event.key);
    if (!growth && next === undefined) return;
    event.preventDefault();
    growth?.toggle();
    if (next !== undefined) reach(next);
  };
  const mark = (id: string) => {
    setReached(id);
    onReach(id);
  };
  const reach = (id: string) => {
    mark(id);
    const element = group.current?.querySelector<SVGElement>(`[data-node="${CSS.escape(id)}"]`);
    element?.focus();
    element?.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  return (
    <g ref={group}>
      {nodes.map((node) => (
        <Node
          key={node.id} node={node} at={laid.places.get(node.id)!} isReached={node.id === current}
          near={near.get(node.id)!} onKeyDown={(event) => move(event, node)} onFocus={() => mark(node.id)}
        />
      ))}
    </g>
  );
}

/** + opens what is closed and − closes what is open, a side at a time. */
function growthBy(key: string, { grow = [] }: PictureNode): PictureGrowth | undefined {
  if (key === "+" || key === "=") return grow.find(({ isOpen }) => !isOpen);
  return key === "-" ? grow.find(({ isOpen }) => isOpen) : undefined;
}

interface NodeProps {
  node: PictureNode;
  at: { x: number; y: number };
  isReached: boolean;
  near: Near;
  onKeyDown: (event: KeyboardEvent) => void;
  onFocus: () => void;
}

function Node({ node, at, isReached, near, onKeyDown, onFocus }: NodeProps) {
  const { id, label, note, href, tone = "plain", grow = [] } = node;
  const { width, height } = sized(node);
  // In SVG names of attributes are told apart by their case.
  const tabindex = isReached ? 0 : -1;
  const said = [shortened(label) !== label && label, TONE_WORDS[tone], `needs ${near.needs}`, `needed by ${near.neededBy}`].filter(Boolean).join(", ");
  const shown = (
    <>
      <title>{`${label}: ${said}`}</title>
      <rect width={width} height={height} rx="5" />
      <text x={width / 2} y={note ? 16 : height / 2 + 4}>{shortened(label)}</text>
      {note && <text class="picture-note" x={width / 2} y={31}>{shortened(note)}</text>}
    </>
  );
  const shared = { "data-node": id, class: `picture-node ${tone}`, tabindex, "aria-description": said, onKeyDown, onFocus };
  return (
    <g transform={`translate(${at.x - width / 2} ${at.y - height / 2})`}>
      {href ? <a href={href} draggable={false} {...shared}>{shown}</a> : <g role="img" aria-label={label} {...shared}>{shown}</g>}
      {grow.map((each) => <Growth key={each.side} growth={each} x={each.side === "left" ? 0 : width} y={height / 2} tabindex={tabindex} onFocus={onFocus} />)}
    </g>
  );
}

interface GrowthProps { growth: PictureGrowth; x: number; y: number; tabindex: number; onFocus: () => void }

function Growth({ growth: { isOpen, title, toggle }, x, y, tabindex, onFocus }: GrowthProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle();
  };
  return (
    <g class="picture-grow" role="button" aria-expanded={isOpen} aria-label={title} tabindex={tabindex} transform={`translate(${x} ${y})`} onClick={() => { onFocus(); toggle(); }} onKeyDown={onKeyDown} onFocus={onFocus}>
      <title>{title}</title>
      <circle class="picture-reach" r="12" />
      <circle r={GROWTH_RADIUS} />
      <path d={isOpen ? "M-3.5 0H3.5" : "M-3.5 0H3.5M0 -3.5V3.5"} />
    </g>
  );
}

interface Near {
  needs: number;
  neededBy: number;
  /** Where each arrow key leads. */
  keys: Map<string, string>;
}

function neighbours(nodes: readonly PictureNode[], edges: readonly PictureEdge[], laid: Layout): Map<string, Near> {
  const near = new Map(nodes.map(({ id }): [string, Near] => [id, { needs: 0, neededBy: 0, keys: new Map() }]));
  const level = (id: string, other: string) => Math.abs(laid.places.get(id)!.y - laid.places.get(other)!.y);
  const lead = (id: string, key: string, other: string) => {
    const { keys } = near.get(id)!;
    const before = keys.get(key);
    if (before === undefined || level(id, other) < level(id, before)) keys.set(key, other);
  };
  for (const { from, to } of edges) {
    if (from === to || !near.has(from) || !near.has(to)) continue;
    near.get(from)!.needs += 1;
    near.get(to)!.neededBy += 1;
    lead(from, "ArrowRight", to);
    lead(to, "ArrowLeft", from);
  }
  for (const column of columnsOf(nodes, laid)) {
    column.sort((one, other) => laid.places.get(one.id)!.y - laid.places.get(other.id)!.y);
    column.forEach(({ id }, row) => {
      if (row > 0) lead(id, "ArrowUp", column[row - 1]!.id);
      if (row < column.length - 1) lead(id, "ArrowDown", column[row + 1]!.id);
    });
  }
  return near;
}

function columnsOf(nodes: readonly PictureNode[], laid: Layout): PictureNode[][] {
  const columns: PictureNode[][] = [];
  for (const node of nodes) (columns[laid.places.get(node.id)!.column] ??= []).push(node);
  return columns.filter(Boolean);
}
