// A graph as a picture, laid out in layers: what needs is above what it needs.

import "./picture.css";
import { Graph, layout } from "@dagrejs/dagre";
import { useMemo } from "preact/hooks";

export interface PictureNode {
  id: string;
  label: string;
  /** Under the label: a version, a distance. */
  note?: string;
  href?: string;
  tone?: "focus" | "good" | "bad" | "cut" | "plain";
}

export interface PictureEdge {
  from: string;
  to: string;
  label?: string;
  tone?: "plain" | "cut" | "path";
}

interface PictureProps {
  /** What it shows, for those who do not see it. */
  label: string;
  nodes: readonly PictureNode[];
  edges: readonly PictureEdge[];
}

export function Picture({ label, nodes, edges }: PictureProps) {
  const laid = useMemo(() => laidOut(nodes, edges), [nodes, edges]);
  return (
    <div class="picture scroll">
      <svg role="group" aria-label={label} width={laid.width} height={laid.height} viewBox={`0 0 ${laid.width} ${laid.height}`}>
        {laid.edges.map(({ edge, points }) => (
          <path key={`${edge.from} ${edge.to}`} class={`picture-edge ${edge.tone ?? "plain"}`} d={`M${points.map(({ x, y }) => `${x} ${y}`).join("L")}`}>
            <title>{`${edge.from} needs ${edge.to}${edge.label ? ` ${edge.label}` : ""}`}</title>
          </path>
        ))}
        {laid.nodes.map(({ node, x, y, width, height }) => (
          <g key={node.id} transform={`translate(${x - width / 2} ${y - height / 2})`}>
            <a href={node.href} class={`picture-node ${node.tone ?? "plain"}`}>
              <rect width={width} height={height} rx="5" />
              <text x={width / 2} y={node.note ? 16 : height / 2 + 4}>{node.label}</text>
              {node.note && <text class="picture-note" x={width / 2} y={31}>{node.note}</text>}
            </a>
          </g>
        ))}
      </svg>
    </div>
  );
}

function laidOut(nodes: readonly PictureNode[], edges: readonly PictureEdge[]) {
  const graph = new Graph();
  graph.setGraph({ rankdir: "TB", nodesep: 16, ranksep: 36, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const node of nodes) {
    const width = 24 + 7.2 * Math.max(node.label.length, (node.note ?? "").length);
    graph.setNode(node.id, { width, height: node.note ? 40 : 28 });
  }
  for (const { from, to } of edges) if (from !== to) graph.setEdge(from, to);
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width, height,
    nodes: nodes.map((node) => ({ node, ...(graph.node(node.id) as { x: number; y: number; width: number; height: number }) })),
    edges: edges.filter(({ from, to }) => from !== to).map((edge) => ({ edge, points: (graph.edge(edge.from, edge.to) as { points: { x: number; y: number }[] }).points })),
  };
}
