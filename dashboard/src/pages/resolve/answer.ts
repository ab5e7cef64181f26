// Asking the solver, with or without what is supposed.

import type { Refused } from "../../api/ask.ts";
import { useQuery } from "../../api/use.ts";
import { ResolveDocument, SimulateDocument, type ResolveQuery, type SimulateQuery } from "../../generated.ts";
import { inputOf, isSupposing, simulationOf, type Question } from "./question.ts";

export type Result = ResolveQuery["resolve"];
export type Resolution = Extract<Result, { __typename: "Resolution" }>;
export type Conflict = Extract<Result, { __typename: "ResolutionConflict" }>;
export type Simulation = SimulateQuery["simulate"];

export interface Answered {
  /** With what is supposed, if anything is. */
  result?: Result | undefined;
  simulation?: Simulation | undefined;
  error?: Refused | undefined;
  isLoading: boolean;
  reload: () => void;
}

export function useAnswer(question: Question): Answered {
  const isAsked = question.requirements.length > 0;
  const supposes = isSupposing(question);
  const plain = useQuery(ResolveDocument, { input: inputOf(question) }, { paused: !isAsked || supposes });
  const simulated = useQuery(SimulateDocument, { input: simulationOf(question) }, { paused: !isAsked || !supposes });
  const { error, isLoading, reload } = supposes ? simulated : plain;
  const simulation = supposes ? simulated.data?.simulate : undefined;
  return { result: supposes ? simulation?.after : plain.data?.resolve, simulation, error, isLoading, reload };
}
