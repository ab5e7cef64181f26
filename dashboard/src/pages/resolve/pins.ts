// What a resolution tells, by package: who requires whom, and how far each is from the question.

import type { Resolution } from "./answer.ts";

export type Edge = Resolution["edges"][number];
export type Pin = Resolution["pins"][number];

export interface Picked {
  byName: ReadonlyMap<string, Pin>;
  requirersOf: ReadonlyMap<string, Edge[]>;
  /** Of the question itself: of null. */
  needsOf: ReadonlyMap<string | null, Edge[]>;
  /** Nearest to the question first. */
  nearestFirst: readonly Pin[];
}

export function pickedIn({ pins, edges }: Resolution): Picked {
  const byName = new Map(pins.map((pin) => [pin.package, pin]));
  const needsOf = grouped(edges, (edge) => edge.dependent);
  return { byName, needsOf, requirersOf: grouped(edges, (edge) => edge.dependency), nearestFirst: nearestFirst(byName, needsOf) };
}

function grouped<Key>(edges: readonly Edge[], keyOf: (edge: Edge) => Key): Map<Key, Edge[]> {
  const groups = new Map<Key, Edge[]>();
  for (const edge of edges) {
    const group = groups.get(keyOf(edge));
    if (group) group.push(edge);
    else groups.set(keyOf(edge), [edge]);
  }
  return groups;
}

function nearestFirst(byName: ReadonlyMap<string, Pin>, needsOf: ReadonlyMap<string | null, Edge[]>): Pin[] {
  const found = new Set<string>();
  const waiting: (string | null)[] = [null];
  for (const name of waiting) {
    for (const { dependency } of needsOf.get(name) ?? []) {
      if (found.has(dependency)) continue;
      found.add(dependency);
      waiting.push(dependency);
    }
  }
  return [...found].flatMap((name) => byName.get(name) ?? []);
}
