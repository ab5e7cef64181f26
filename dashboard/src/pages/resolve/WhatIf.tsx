// Versions to suppose published or yanked before resolving.

import { useId, useState } from "preact/hooks";
import { PackagePicker } from "../../ui/PackagePicker.tsx";
import { entryOf, pinText, textOf, type Pinned, type Question, type Supposed } from "./question.ts";
import { WrongText } from "./WrongText.tsx";
import type { Wrong } from "./wrong.ts";

interface WhatIfProps { question: Question; wrong: Wrong | undefined; onChange: (question: Question) => void }

export function WhatIf({ question, wrong, onChange }: WhatIfProps) {
  const { publish, yank } = question;
  const id = useId();
  const isHere = wrong?.path[0] === "publish" || wrong?.path[0] === "yank";
  return (
    <div class="res-what-if">
      <List label="Supposed published" all={publish} said={saidOf} onRemove={(at) => onChange({ ...question, publish: without(publish, at) })} />
      <List label="Supposed yanked" all={yank} said={(pin) => `yank ${pinText(pin)}`} onRemove={(at) => onChange({ ...question, yank: without(yank, at) })} />
      {isHere && <WrongText id={id} wrong={wrong} />}
      <Supposing
        onPublish={(each) => onChange({ ...question, publish: [...publish, each] })}
        onYank={(each) => onChange({ ...question, yank: [...yank, each] })}
      />
    </div>
  );
}

function saidOf({ dependencies, ...pin }: Supposed): string {
  return `publish ${pinText(pin)}${dependencies.length ? `, which needs ${dependencies.map(textOf).join("; ")}` : ""}`;
}

function without<Item>(all: readonly Item[], at: number): Item[] {
  return all.filter((_, index) => index !== at);
}

interface ListProps<Item> { label: string; all: readonly Item[]; said: (item: Item) => string; onRemove: (at: number) => void }

function List<Item extends Pinned>({ label, all, said, onRemove }: ListProps<Item>) {
  if (all.length === 0) return null;
  return (
    <ul class="rows" aria-label={label}>
      {all.map((each, at) => (
        <li key={`${at} ${pinText(each)}`}>
          <span class="res-supposed">{said(each)}</span>
          <button type="button" class="quiet" aria-label={`Do not suppose ${pinText(each)}`} onClick={() => onRemove(at)}>×</button>
        </li>
      ))}
    </ul>
  );
}

function Supposing({ onPublish, onYank }: { onPublish: (supposed: Supposed) => void; onYank: (pin: Pinned) => void }) {
  const id = useId();
  const [name, setName] = useState("");
  const [version, setVersion] = useState("");
  const [needs, setNeeds] = useState("");
  const pin = { package: name.trim(), version: version.trim() };
  const isReady = pin.package !== "" && pin.version !== "";
  const done = (tell: () => void) => {
    tell();
    setVersion("");
    setNeeds("");
  };
  const dependencies = needs.split("\n").map(entryOf).filter((each) => each.package);
  return (
    <div class="res-supposing" role="group" aria-label="A version to suppose">
      <PackagePicker label="Package" value={name} onPick={(text) => setName(entryOf(text).package)} />
      <div class="field">
        <label for={`${id}-version`}>Version</label>
        <input id={`${id}-version`} type="text" class="mono" autocomplete="off" value={version} onInput={(event) => setVersion(event.currentTarget.value)} onKeyDown={unsent} />
      </div>
      <div class="field">
        <label for={`${id}-needs`}>What it would need, one a line</label>
        <textarea id={`${id}-needs`} class="mono" rows={3} spellcheck={false} placeholder="Zygote >=0.6,<0.7" value={needs} onInput={(event) => setNeeds(event.currentTarget.value)} />
      </div>
      <div class="actions">
        <button type="button" disabled={!isReady} onClick={() => done(() => onPublish({ ...pin, dependencies }))}>Suppose published</button>
        <button type="button" disabled={!isReady} onClick={() => done(() => onYank(pin))}>Suppose yanked</button>
      </div>
      {!isReady && <p class="note">Choose a package, and say a version: one to come, or one that is there.</p>}
    </div>
  );
}

/** Enter in a half-filled group would ask anew. */
function unsent(event: KeyboardEvent): void {
  if (event.key === "Enter") event.preventDefault();
}
