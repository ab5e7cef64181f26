// Why nothing satisfies the question: in prose, step by step, and what would work instead.

import { useEffect, useRef } from "preact/hooks";
import { changed, place } from "../../routing.ts";
import { Panel } from "../../ui/parts.tsx";
import type { Conflict as Answer } from "./answer.ts";
import { Work } from "./Pins.tsx";
import { relaxed, type Question } from "./question.ts";

interface ConflictProps { question: Question; conflict: Answer; onChange: (question: Question) => void }

export function Conflict({ question, conflict, onChange }: ConflictProps) {
  const { message, relaxations, steps, coreIsMinimal, statistics } = conflict;
  return (
    <>
      <Panel title="Conflict" class="res-conflict">
        <Prose message={message} />
        {!coreIsMinimal && <p class="note">Time ran out before each entry that is marked was tried without: perhaps not all of them are needed for the conflict.</p>}
        <Work statistics={statistics} />
      </Panel>
      {relaxations.length > 0 && (
        <Panel title="What would work">
          <p class="note">Each was tried. One changes the question as it says, and asks again.</p>
          <ul class="res-relaxations">
            {relaxations.map((each) => (
              <li key={each.description}><button type="button" onClick={() => onChange(relaxed(question, each))}>{capital(each.description)}</button></li>
            ))}
          </ul>
        </Panel>
      )}
      <Panel title="Step by step"><Steps steps={steps} /></Panel>
    </>
  );
}

/** The message as paragraphs: on a screen its columns are not as wide as in a terminal. */
export function Prose({ message }: { message: string }) {
  return (
    <div class="res-prose">
      {message.split("\n").map((line, index) => <p key={index} class={line.startsWith(" ") ? "res-reason" : ""}><Unbroken text={line.trim().replace(/ {2,}/g, " ")} /></p>)}
    </div>
  );
}

/** A text whose lines do not end within a constraint, after a comma. */
function Unbroken({ text }: { text: string }) {
  return <>{text.split(/(\S+,[<>=!~^]\S*)/).map((part, index) => (index % 2 ? <span key={index} class="res-unbroken">{part}</span> : part))}</>;
}

function Steps({ steps }: { steps: Answer["steps"] }) {
  const chosen = place.value.query.get("step");
  return (
    <ol class="res-steps" aria-label="Derivation">
      {steps.map((step) => <Step key={step.index} step={step} isChosen={chosen === String(step.index + 1)} />)}
    </ol>
  );
}

function Step({ step: { text, kind, causes }, isChosen }: { step: Answer["steps"][number]; isChosen: boolean }) {
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isChosen) item.current?.focus();
  }, [isChosen]);
  return (
    <li ref={item} tabIndex={-1} class={`${kind === "DERIVED" ? "res-derived" : ""} ${isChosen ? "res-chosen" : ""}`}>
      <Unbroken text={`${capital(text)}.`} />
      {causes.length > 0 && (
        <span class="note"> By {causes.map((cause, index) => (
          <span key={cause}>{index > 0 && (index === causes.length - 1 ? " and " : ", ")}<a href={changed({ step: String(cause + 1) })} aria-label={`Step ${cause + 1}`}>{cause + 1}</a></span>
        ))}</span>
      )}
    </li>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
