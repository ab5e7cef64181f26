// What the colours and lines of a picture mean, of those that are in it.

import type { PictureEdge, PictureNode } from "./Picture.tsx";

/** What a node's tone says; `plain` says nothing. */
export const TONE_WORDS: Record<string, string> = { focus: "looked at", good: "fine", bad: "failed", cut: "cut off" };
const EDGE_WORDS: Record<string, string> = { cut: "left out to break a cycle", path: "the path" };

interface LegendProps {
  nodes: readonly PictureNode[];
  edges: readonly PictureEdge[];
  /** By tone, for nodes and lines alike: `focus`, `good`, `bad`, `cut`, `path`, `plain`. */
  words: Partial<Record<string, string>>;
}

export function Legend({ nodes, edges, words }: LegendProps) {
  const boxes = used(nodes).filter((tone) => tone in TONE_WORDS);
  const lines = used(edges).filter((tone) => tone in EDGE_WORDS);
  return (
    <ul class="picture-legend" aria-label="Legend">
      {boxes.map((tone) => (
        <li key={tone}><svg class={`picture-node ${tone}`} width="22" height="14" aria-hidden="true"><rect x="1" y="1" width="20" height="12" rx="3" /></svg>{words[tone] ?? TONE_WORDS[tone]}</li>
      ))}
      {lines.map((tone) => (
        <li key={`${tone} line`}><svg width="26" height="14" aria-hidden="true"><path class={`picture-edge ${tone}`} d="M0 7H26" /></svg>{words[tone] ?? EDGE_WORDS[tone]}</li>
      ))}
    </ul>
  );
}

function used(parts: readonly { tone?: string }[]): string[] {
  return [...new Set(parts.map(({ tone }) => tone ?? "plain"))].sort();
}
