// What of the graph around a package is opened, as the address holds it.

import { changed, place } from "../../routing.ts";

export type Side = "left" | "right";

/** How many neighbours a package shows at first, and how many more at a time. */
export const STEP = 20;
export const DEEPEST = 3;

const NAMES: Record<Side, string> = { left: "u", right: "d" };

export interface Opened {
  /** So many levels on both sides are opened by themselves. */
  depth: number;
  /** By package: how many of its dependents (left) or dependencies (right) are shown. */
  left: Map<string, number>;
  right: Map<string, number>;
}

/** Read what is opened. */
export function opened(): Opened {
  const { query } = place.value;
  const depth = Number(query.get("depth") ?? 1);
  return { depth: Number.isInteger(depth) ? Math.min(Math.max(depth, 0), DEEPEST) : 1, left: listed("left"), right: listed("right") };
}

function listed(side: Side): Map<string, number> {
  return new Map(place.value.query.getAll(NAMES[side]).map((text): [string, number] => {
    const [, name = text, steps = "1"] = /^(.*)\*(\d{1,2})$/.exec(text) ?? [];
    return [name, Number(steps) * STEP];
  }));
}

/** Return the address at which these are opened. */
export function addressOf({ depth, left, right }: Opened): string {
  const texts = (side: Map<string, number>) => [...side].map(([name, count]) => (count > STEP ? `${name}*${Math.ceil(count / STEP)}` : name));
  return changed({ depth: depth === 1 ? null : String(depth), [NAMES.left]: texts(left), [NAMES.right]: texts(right) });
}
