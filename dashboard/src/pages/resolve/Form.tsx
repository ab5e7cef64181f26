// The question: whatever is changed is in the address at once, and asked.

import type { ComponentChildren } from "preact";
import type { Refused } from "../../api/ask.ts";
import { Options } from "./Options.tsx";
import { Rows, type Row } from "./Rows.tsx";
import { isSame, isSupposing, type EntryList, type Question, type Sourced } from "./question.ts";
import { WhatIf } from "./WhatIf.tsx";
import { placeOf, wrongIn } from "./wrong.ts";

interface FormProps {
  question: Question;
  /** The entries that cannot hold together. */
  core: readonly Sourced[];
  error: Refused | undefined;
  onChange: (question: Question) => void;
  onAsk: () => void;
}

export function Form({ question, core, error, onChange, onAsk }: FormProps) {
  const wrong = placeOf(error);
  const ask = (event: Event) => {
    event.preventDefault();
    onAsk();
  };
  const entries = (list: EntryList) => ({
    rows: question[list].map((entry, index): Row => ({
      package: entry.package, value: entry.constraint, wrong: wrongIn(wrong, list, index),
      isInConflict: core.some((each) => isSame(entry, list, each)),
    })),
    onChange: (rows: Row[]) => onChange({ ...question, [list]: rows.map(({ package: name, value }) => ({ package: name, constraint: value })) }),
  });
  const locked = {
    rows: question.locked.map(({ package: name, version }, index): Row => ({ package: name, value: version, wrong: wrongIn(wrong, "locked", index) })),
    onChange: (rows: Row[]) => onChange({ ...question, locked: rows.map(({ package: name, value }) => ({ package: name, version: value })) }),
  };
  return (
    <form class="panel res-form" aria-label="Question" onSubmit={ask}>
      <h2>Requirements</h2>
      <Rows {...entries("requirements")} add="Add a requirement" value="Constraint" />
      <More title="Constraints" count={question.constraints.length} note="Restrict a package without requiring it.">
        <Rows {...entries("constraints")} add="Add a constraint on" value="Constraint" />
      </More>
      <More title="Overrides" count={question.overrides.length} note="Replace every declared constraint on a package.">
        <Rows {...entries("overrides")} add="Add an override for" value="Constraint" />
      </More>
      <More title="Locked pins" count={question.locked.length} note="Kept unless a requirement forbids them.">
        <Rows {...locked} add="Add a pin of" value="Version" />
      </More>
      <More title="How to pick" count={chosen(question)} note="">
        <Options question={question} onChange={onChange} />
      </More>
      <More title="What if" count={question.publish.length + question.yank.length} note="Suppose versions published or yanked, and see what would change. Nothing is written.">
        <WhatIf question={question} wrong={wrong} onChange={onChange} />
      </More>
      <button type="submit" disabled={question.requirements.length === 0}>{isSupposing(question) ? "Simulate again" : "Resolve again"}</button>
    </form>
  );
}

function chosen({ kinds, includeOptional, strategy, prereleases, asOf }: Question): number {
  const isDefault = [kinds.join() === "RUNTIME", !includeOptional, strategy === "HIGHEST", prereleases === "IF_NECESSARY", !asOf];
  return isDefault.filter((each) => !each).length;
}

function More({ title, count, note, children }: { title: string; count: number; note: string; children: ComponentChildren }) {
  return (
    <details class="res-more" open={count > 0}>
      <summary>{title}{count > 0 && <span class="note"> {count}</span>}</summary>
      {note && <p class="note">{note}</p>}
      {children}
    </details>
  );
}
