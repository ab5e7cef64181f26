// Publishing, deprecating, withdrawing a version, with a reason.

import { useId, useState } from "preact/hooks";
import { seen, type Refused } from "../../api/ask.ts";
import { useMutation } from "../../api/use.ts";
import { SetVersionStatusDocument, type VersionStatus } from "../../generated.ts";
import { Panel, Problem, words } from "../../ui/parts.tsx";

const TARGETS: Partial<Record<VersionStatus, string>> = {
  PUBLISHED: "Publish", DEPRECATED: "Deprecate", YANKED: "Yank", QUARANTINED: "Quarantine",
};
const MEANS: Partial<Record<VersionStatus, string>> = {
  PUBLISHED: "It may be picked like any other.",
  DEPRECATED: "It is picked only after all others.",
  YANKED: "It is picked only when pinned exactly or already locked.",
  QUARANTINED: "It is never picked.",
};

interface StatusChangeProps { name: string; version: string; status: VersionStatus; onChanged: () => void }

export function StatusChange({ name, version, status, onChanged }: StatusChangeProps) {
  const id = useId();
  const [target, setTarget] = useState<VersionStatus | "">("");
  const [reason, setReason] = useState("");
  const { run, error, isRunning } = useMutation(SetVersionStatusDocument);
  const change = async (event: Event) => {
    event.preventDefault();
    if (!target) return;
    const data = await run({ input: { package: name, version, status: target, reason: reason.trim() || null } });
    if (!data) return;
    seen(data.setVersionStatus.cursor);
    setTarget("");
    setReason("");
    onChanged();
  };
  return (
    <Panel title="Change its status">
      <form class="cat-form" onSubmit={change}>
        <div class="field">
          <label for={`${id}-target`}>What to do</label>
          <select id={`${id}-target`} required value={target} aria-describedby={`${id}-means`} onChange={(event) => setTarget(event.currentTarget.value as VersionStatus)}>
            <option value="">Choose</option>
            {statuses.filter((each) => each !== status).map((each) => <option key={each} value={each}>{TARGETS[each]}</option>)}
          </select>
        </div>
        <div class="field">
          <label for={`${id}-reason`}>Reason</label>
          <input id={`${id}-reason`} type="text" autocomplete="off" placeholder="shown to all who look at it" value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </div>
        <p id={`${id}-means`} class="note">{target ? MEANS[target] : `It is ${words(status)} now.`}</p>
        <button type="submit" class={target === "YANKED" || target === "QUARANTINED" ? "danger" : "primary"} disabled={isRunning || !target}>
          {target ? TARGETS[target] : "Change"}
        </button>
      </form>
      {error && <Illegal error={error} onChoose={setTarget} />}
    </Panel>
  );
}

const statuses = Object.keys(TARGETS) as VersionStatus[];

function Illegal({ error, onChoose }: { error: Refused; onChoose: (status: VersionStatus) => void }) {
  const allowed = statuses.filter((each) => Array.isArray(error.facts["allowed"]) && error.facts["allowed"].includes(each));
  return (
    <>
      <Problem error={error} />
      {allowed.length > 0 && (
        <p>
          Allowed from here: {allowed.map((each) => <button key={each} type="button" class="quiet" onClick={() => onChoose(each)}>{TARGETS[each]}</button>)}
        </p>
      )}
    </>
  );
}
