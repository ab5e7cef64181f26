// The solver ran out of time or work: that is no answer.

import type { Refused } from "../../api/ask.ts";
import { grouped } from "../../ui/figures.tsx";
import { Panel } from "../../ui/parts.tsx";
import type { Question } from "./question.ts";

export function GaveUp({ error, question, onChange }: { error: Refused; question: Question; onChange: (question: Question) => void }) {
  const { decisions, conflicts } = error.facts;
  return (
    <Panel title="Gave up" class="res-gave-up">
      <p>The solver ran out of time or work before it found versions or proved that there are none. This says nothing about whether there are any.</p>
      {typeof decisions === "number" && typeof conflicts === "number" && <p class="note">{grouped(decisions)} decisions, {grouped(conflicts)} conflicts. {error.message}</p>}
      <p>Ask for less: narrow the constraints to newer versions, require fewer packages, or lock pins that are known to go together.</p>
      {question.strategy !== "HIGHEST" && <button type="button" onClick={() => onChange({ ...question, strategy: "HIGHEST" })}>Pick the newest instead</button>}
    </Panel>
  );
}
