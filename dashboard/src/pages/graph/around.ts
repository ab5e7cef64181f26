// Fetches the graph around a package, level by level, as far as it is opened and can be drawn.

import { useEffect, useState } from "preact/hooks";
import { ask, type Refused } from "../../api/ask.ts";
import { asRefused } from "../../api/use.ts";
import { AroundDocument, SubgraphDocument, type AroundPackageFragment, type SubgraphQuery } from "../../generated.ts";
import { STEP, type Opened, type Side } from "./opened.ts";
import type { Selection } from "./selection.ts";

export const MOST = 150;

/** A side of a package that is opened. */
export interface Grown {
  name: string;
  side: Side;
  shown: number;
  /** How many of what is there are registered. */
  total: number;
  declared: number;
}

export interface Around {
  versions: Map<string, string | null>;
  part: SubgraphQuery["subgraph"];
  grown: Grown[];
  /** Some of what is opened had no room. */
  isFull: boolean;
}

interface Task { name: string; side: Side; count: number; level: number }

/** Fetch what is around `focus`. */
export function useAround(focus: string, open: Opened, selection: Selection): { data?: Around; error?: Refused; isLoading: boolean; reload: () => void } {
  const [state, setState] = useState<{ data?: Around; error?: Refused; isLoading: boolean }>({ isLoading: true });
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify([focus, open.depth, [...open.left], [...open.right], selection]);
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, isLoading: true }));
    around(focus, open, selection, abort.signal).then(
      (data) => abort.signal.aborted || setState({ data, isLoading: false }),
      (error: unknown) => abort.signal.aborted || setState({ error: asRefused(error), isLoading: false }),
    );
    return () => abort.abort();
  }, [key, turn]);
  return { ...state, reload: () => setTurn(turn + 1) };
}

async function around(focus: string, open: Opened, selection: Selection, abort: AbortSignal): Promise<Around> {
  const versions = new Map<string, string | null>([[focus, null]]);
  const grown: Omit<Grown, "declared">[] = [];
  let isFull = false;
  let tasks = openedOf(focus, ["left", "right"], 0, open);
  const asked = new Set(tasks.map(named));
  while (tasks.length) {
    const found = await Promise.all(tasks.map((task) => neighbours(task, selection, abort)));
    const next: Task[] = [];
    found.forEach(({ version, total, nodes }, at) => {
      const task = tasks[at]!;
      versions.set(task.name, version);
      let shown = 0;
      for (const { name, latestVersion } of nodes) {
        if (!versions.has(name) && versions.size >= MOST) {
          isFull = true;
          continue;
        }
        shown += 1;
        const isNew = !versions.has(name);
        versions.set(name, latestVersion?.version ?? null);
        if (isNew) next.push(...openedOf(name, [task.side], task.level + 1, open));
      }
      grown.push({ name: task.name, side: task.side, shown, total });
    });
    tasks = next.filter((task) => !asked.has(named(task)));
    tasks.forEach((task) => asked.add(named(task)));
  }
  const { subgraph } = await ask(SubgraphDocument, { packages: [...versions.keys()], ...selection }, abort);
  const counts = new Map(subgraph.nodes.map((node) => [node.package, { left: node.dependents, right: node.dependencies }]));
  return { versions, part: subgraph, grown: grown.map((each) => ({ ...each, declared: counts.get(each.name)![each.side] })), isFull };
}

function named({ name, side }: Task): string {
  return `${side} ${name}`;
}

/** Return the sides of a package that are opened: by the depth those that lead farther out, by name either. */
function openedOf(name: string, outward: Side[], level: number, { depth, left, right }: Opened): Task[] {
  return (["left", "right"] as const).flatMap((side) => {
    const count = (side === "left" ? left : right).get(name) ?? (level < depth && outward.includes(side) ? STEP : 0);
    return count > 0 ? [{ name, side, count, level }] : [];
  });
}

interface Neighbours { version: string | null; total: number; nodes: readonly AroundPackageFragment[] }

async function neighbours({ name, side, count }: Task, selection: Selection, abort: AbortSignal): Promise<Neighbours> {
  const variables = { name, first: count, needs: side === "right", neededBy: side === "left", ...selection };
  const { package: found } = await ask(AroundDocument, variables, abort);
  const page = side === "right" ? found?.dependencies : found?.dependents;
  return { version: found?.latestVersion?.version ?? null, total: page?.totalCount ?? 0, nodes: page?.nodes ?? [] };
}
