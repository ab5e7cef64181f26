// How versions are picked among those that would do.

import type { DependencyKind, PrereleasePolicy, ResolutionStrategy } from "../../generated.ts";
import { words } from "../../ui/parts.tsx";
import { KINDS, POLICIES, STRATEGIES, type Question } from "./question.ts";

const STRATEGY: Record<ResolutionStrategy, string> = {
  HIGHEST: "the newest", LOWEST: "the oldest", LOWEST_DIRECT: "the oldest of what is required, else the newest",
};
const POLICY: Record<PrereleasePolicy, string> = { IF_NECESSARY: "if necessary", ALLOW: "like any other", DISALLOW: "never" };
const MINUTE = "2024-01-01T00:00".length;

export function Options({ question, onChange }: { question: Question; onChange: (question: Question) => void }) {
  const kind = (each: DependencyKind, isFollowed: boolean) => {
    const kinds = KINDS.filter((other) => (other === each ? isFollowed : question.kinds.includes(other)));
    onChange({ ...question, kinds });
  };
  // Without a zone the field gives no moment: it is read as UTC, like all that the server tells.
  const asOf = (text: string) => onChange({ ...question, asOf: text && `${text}${text.length === MINUTE ? ":00" : ""}Z` });
  return (
    <div class="res-options">
      <Choice label="Pick" value={question.strategy} all={STRATEGIES} said={STRATEGY} onChoose={(strategy) => onChange({ ...question, strategy })} />
      <Choice label="Pre-releases" value={question.prereleases} all={POLICIES} said={POLICY} onChoose={(prereleases) => onChange({ ...question, prereleases })} />
      <div class="field">
        <label for="resolve-as-of">As of (UTC)</label>
        <input id="resolve-as-of" type="datetime-local" step="1" value={question.asOf.replace(/(Z|[+-]00:00)$/, "")} onChange={(event) => asOf(event.currentTarget.value)} />
      </div>
      <fieldset class="res-kinds">
        <legend class="note">Dependencies to follow</legend>
        {KINDS.map((each) => (
          <label key={each} class="check">
            <input type="checkbox" checked={question.kinds.includes(each)} disabled={question.kinds.join() === each} onChange={(event) => kind(each, event.currentTarget.checked)} />
            {words(each)}
          </label>
        ))}
        <label class="check">
          <input type="checkbox" checked={question.includeOptional} onChange={(event) => onChange({ ...question, includeOptional: event.currentTarget.checked })} />
          also optional ones
        </label>
      </fieldset>
    </div>
  );
}

interface ChoiceProps<Value extends string> {
  label: string;
  value: Value;
  all: readonly Value[];
  said: Record<Value, string>;
  onChoose: (value: Value) => void;
}

function Choice<Value extends string>({ label, value, all, said, onChoose }: ChoiceProps<Value>) {
  const id = `resolve-${label.toLowerCase()}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChoose(event.currentTarget.value as Value)}>
        {all.map((each) => <option key={each} value={each}>{said[each]}</option>)}
      </select>
    </div>
  );
}
