// Which dependencies make the graph, as the address says.

import type { DependencyKind, GraphScope, PictureEdgeFragment } from "../../generated.ts";
import { place, type Query } from "../../routing.ts";
import type { PictureEdge } from "../../ui/Picture.tsx";
import { words } from "../../ui/parts.tsx";

export const KINDS: readonly DependencyKind[] = ["RUNTIME", "BUILD", "TEST", "DEV", "PEER"];

export interface Selection {
  /** Null: all. */
  kinds: DependencyKind[] | null;
  scope: GraphScope;
  includeOptional: boolean;
}

/** Read the selection from the address. */
export function selected(): Selection {
  const { query } = place.value;
  const kinds = KINDS.filter((kind) => query.getAll("kinds").includes(kind));
  return { kinds: kinds.length ? kinds : null, scope: query.get("scope") === "ALL" ? "ALL" : "LATEST", includeOptional: query.has("optional") };
}

/** Return a selection as the query of an address, for links that keep it. */
export function queryOf({ kinds, scope, includeOptional }: Selection): Query {
  return { kinds: kinds ?? [], scope: scope === "ALL" ? "ALL" : null, optional: includeOptional ? "1" : null };
}

/** Return an edge as a picture shows it. */
export function drawn({ dependent, dependency, kinds, optional }: PictureEdgeFragment, tone: PictureEdge["tone"] = "plain"): PictureEdge {
  const said = [...kinds.map(words), ...(optional ? ["optional"] : [])].join(", ");
  return { from: dependent, to: dependency, label: `(${said})`, tone };
}

/** Tell edges apart by their ends. */
export function ends({ dependent, dependency }: { dependent: string; dependency: string }): string {
  return JSON.stringify([dependent, dependency]);
}
