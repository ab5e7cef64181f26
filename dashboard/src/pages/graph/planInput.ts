// What to plan, as the address holds it: packages, all of them, or what a question to the solver picks.

import type { BuildPlanInput, DependencyKind } from "../../generated.ts";
import { place } from "../../routing.ts";
import { inputOf, questionIn } from "../resolve/question.ts";
import { selected } from "./selection.ts";

/** Which dependencies order builds, unless others are chosen. */
export const ORDERING: readonly DependencyKind[] = ["RUNTIME", "BUILD"];

export interface Planned {
  packages: string[];
  withDependents: boolean;
  isAll: boolean;
  isSolved: boolean;
  /** Null: nothing has been chosen yet. */
  input: BuildPlanInput | null;
}

/** Read what to plan. */
export function planned(): Planned {
  const { query } = place.value;
  const packages = [...new Set(query.getAll("package").filter(Boolean))];
  const withDependents = query.has("dependents");
  const isAll = query.has("all") && packages.length === 0;
  const question = questionIn(query);
  const isSolved = query.has("resolve") && question.requirements.length > 0;
  const { kinds, scope, includeOptional } = selected();
  const input: BuildPlanInput = { packages, includeDependents: withDependents, includeOptional };
  if (isSolved) {
    // The kinds of the address are those that the solver follows: what it follows orders the builds as well.
    Object.assign(input, { resolve: inputOf(question), kinds: [...new Set([...ORDERING, ...question.kinds])] });
  } else Object.assign(input, { scope, kinds: kinds ?? [...ORDERING] });
  return { packages, withDependents, isAll, isSolved, input: isSolved || isAll || packages.length ? input : null };
}
