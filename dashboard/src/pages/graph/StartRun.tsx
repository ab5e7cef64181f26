// Starting a plan as a run.

import { useEffect, useRef, useState } from "preact/hooks";
import { seen } from "../../api/ask.ts";
import { useMutation, useQuery } from "../../api/use.ts";
import { PreviewDocument, StartRunDocument, type BuildPlanInput, type LabelInput, type StartRunInput } from "../../generated.ts";
import { address, go } from "../../routing.ts";
import { counted } from "../../ui/figures.tsx";
import { labelsIn, noLabel } from "../../ui/labels.ts";
import { Panel, Problem, words } from "../../ui/parts.tsx";

interface Wanted { priority: number; maxAttempts: number; timeoutMinutes: number; labels: string }

export function StartRun({ plan, total }: { plan: BuildPlanInput; total: number }) {
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    // The focus goes back to where it was before the form was there.
    if (wasOpen.current && !isOpen) opener.current?.focus();
    wasOpen.current = isOpen;
  }, [isOpen]);
  if (isOpen) return <Form plan={plan} total={total} onClose={() => setOpen(false)} />;
  return <p><button ref={opener} type="button" class="primary" onClick={() => setOpen(true)}>Start this run…</button></p>;
}

function Form({ plan, total, onClose }: { plan: BuildPlanInput; total: number; onClose: () => void }) {
  const [wanted, setWanted] = useState<Wanted>({ priority: 0, maxAttempts: 3, timeoutMinutes: 60, labels: "" });
  // The same for all that this form sends: whoever clicks twice starts one run.
  const [idempotencyKey] = useState(unique);
  const [conflict, setConflict] = useState<string>();
  const start = useMutation(StartRunDocument);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.focus(), []);
  const { labels, wrong } = labelsIn(wanted.labels, "\n");
  const submit = async (event: Event) => {
    event.preventDefault();
    if (start.isRunning || wrong) return;
    const answer = await start.run({ input: inputOf(plan, wanted, labels, idempotencyKey) });
    if (!answer) return;
    const { run, conflict: found, cursor } = answer.startRun;
    seen(cursor);
    setConflict(found?.message);
    if (run) go(address(["runs", run.id]));
  };
  const set = (some: Partial<Wanted>) => setWanted({ ...wanted, ...some });
  const title = `Start a run of ${counted(total, "build")}`;
  return (
    <Panel title={title}>
      <form ref={form} class="plan-start" tabIndex={-1} aria-label={title} onSubmit={submit} onKeyDown={(event) => event.key === "Escape" && onClose()}>
        <div class="controls">
          <Figure label="Priority" note="higher goes first" value={wanted.priority} least={-1_000_000} most={1_000_000} onChange={(priority) => set({ priority })} />
          <Figure label="Attempts" note="when a worker breaks" value={wanted.maxAttempts} least={1} most={100} onChange={(maxAttempts) => set({ maxAttempts })} />
          <Figure label="Minutes each may take" note="then it is stopped" value={wanted.timeoutMinutes} least={1} most={525_600} onChange={(timeoutMinutes) => set({ timeoutMinutes })} />
        </div>
        <label class="field plan-labels">
          <span class="label">Labels, one <code>key=value</code> a line</span>
          <textarea rows={2} value={wanted.labels} aria-invalid={wrong !== undefined} aria-describedby="plan-labels-wrong" onInput={(event) => set({ labels: event.currentTarget.value })} />
          <span id="plan-labels-wrong" class="plan-wrong" role="status">{wrong !== undefined && noLabel(wrong)}</span>
        </label>
        <Preview plan={plan} />
        {start.error && <Problem error={start.error} />}
        {conflict && <p class="problem" role="alert">{conflict}</p>}
        <div class="actions">
          <button type="submit" class="primary" disabled={start.isRunning || wrong !== undefined}>{start.isRunning ? "Starting…" : "Start"}</button>
          <button type="button" onClick={onClose}>Not now</button>
        </div>
      </form>
    </Panel>
  );
}

interface FigureProps { label: string; note: string; value: number; least: number; most: number; onChange: (value: number) => void }

function Figure({ label, note, value, least, most, onChange }: FigureProps) {
  return (
    <label class="field">
      <span class="label">{label} <span class="note">({note})</span></span>
      <input type="number" required min={least} max={most} step={1} value={Number.isNaN(value) ? "" : value} onChange={(event) => onChange(event.currentTarget.valueAsNumber)} />
    </label>
  );
}

/** How the builds would begin. */
function Preview({ plan }: { plan: BuildPlanInput }) {
  const { data, error } = useQuery(PreviewDocument, { input: { plan } });
  if (error) return <Problem error={error} />;
  if (data === undefined) return <p class="note" role="status">Looking at how its builds would begin…</p>;
  if (data.previewRun.__typename !== "RunPreview") return null;
  const { counts, supersedes } = data.previewRun;
  return (
    <p class="note">
      To begin with: {counts.map(({ status, conclusion, count }) => `${counted(count, "build")} ${words(conclusion ?? status)}`).join(", ")}.
      {supersedes > 0 && ` It takes the place of ${counted(supersedes, "build")} of other runs that nobody has begun.`}
    </p>
  );
}

function inputOf(plan: BuildPlanInput, wanted: Wanted, labels: LabelInput[], idempotencyKey: string): StartRunInput {
  const { priority, maxAttempts, timeoutMinutes } = wanted;
  return { plan, priority, maxAttempts, timeoutSeconds: timeoutMinutes * 60, labels, idempotencyKey };
}

// crypto.randomUUID is not there where the dashboard comes by plain HTTP from another machine.
function unique(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
