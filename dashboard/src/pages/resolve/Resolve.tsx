// Which versions go together: the question on one side, pins or the reasons against them on the other.

import "./resolve.css";
import { Empty, Loading, Page, Problem } from "../../ui/parts.tsx";
import { changed, go, place } from "../../routing.ts";
import { Result } from "./Result.tsx";
import { Form } from "./Form.tsx";
import { GaveUp } from "./GaveUp.tsx";
import { queryOf, questionIn, type Question } from "./question.ts";
import { useAnswer, type Answered } from "./answer.ts";
import { placeOf } from "./wrong.ts";

export default function Resolve() {
  const question = questionIn(place.value.query);
  const answer = useAnswer(question);
  const core = answer.result?.__typename === "ResolutionConflict" && !answer.error ? answer.result.core : [];
  const onChange = (next: Question) => go(changed({ ...queryOf(next), step: null }));
  return (
    <Page title="Resolve" lead="Which versions go together, or why none do.">
      <div class="res-page">
        <Form question={question} core={core} error={answer.error} onChange={onChange} onAsk={answer.reload} />
        <section class="res-answer" aria-label="Answer" aria-busy={answer.isLoading || undefined}>
          <Answer question={question} answer={answer} onChange={onChange} />
        </section>
      </div>
    </Page>
  );
}

interface AnswerProps { question: Question; answer: Answered; onChange: (question: Question) => void }

function Answer({ question, answer: { result, simulation, error, isLoading, reload }, onChange }: AnswerProps) {
  if (question.requirements.length === 0) return <NothingAsked />;
  if (error?.code === "GAVE_UP") return <GaveUp error={error} question={question} onChange={onChange} />;
  if (error) return placeOf(error) ? <Elsewhere /> : <Problem error={error} retry={reload} />;
  if (!result) return <Loading what="Resolving" />;
  return (
    <>
      <p class="away" role="status">{isLoading ? "Resolving…" : said(result)}</p>
      <Result question={question} result={result} simulation={simulation} onChange={onChange} />
    </>
  );
}

function said(result: NonNullable<Answered["result"]>): string {
  return result.__typename === "Resolution" ? `Resolved: ${result.pins.length} pins` : "No versions satisfy this";
}

function NothingAsked() {
  return (
    <Empty>
      <p>Add what you require: the answer is here as soon as there is something to resolve, and changes with the question.</p>
      <p>The address holds the whole question, so that a link to it asks the same.</p>
    </Empty>
  );
}

function Elsewhere() {
  return <Empty><p>One entry of the question cannot be read. Mend it where it is marked, and the answer will be here.</p></Empty>;
}
