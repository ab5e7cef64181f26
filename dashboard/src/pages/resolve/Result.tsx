// What the solver answers, and what changes by what is supposed.

import type { Result as Answer, Simulation } from "./answer.ts";
import { Conflict } from "./Conflict.tsx";
import { Diff } from "./Diff.tsx";
import { Pins } from "./Pins.tsx";
import type { Question } from "./question.ts";

interface ResultProps {
  question: Question;
  result: Answer;
  simulation: Simulation | undefined;
  onChange: (question: Question) => void;
}

export function Result({ question, result, simulation, onChange }: ResultProps) {
  return (
    <>
      {simulation && <Diff simulation={simulation} />}
      {result.__typename === "Resolution"
        ? <Pins question={question} resolution={result} onChange={onChange} />
        : <Conflict question={question} conflict={result} onChange={onChange} />}
    </>
  );
}
