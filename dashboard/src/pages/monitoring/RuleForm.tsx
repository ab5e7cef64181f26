// The fields of a rule. A secret is only ever written: what is stored never comes back.

import { useState } from "preact/hooks";
import { useMutation, useQuery } from "../../api/use.ts";
import { MetricLabelsDocument, SetAlertRuleDocument, type AlertSeverity, type Comparison, type MetricAggregate, type SetAlertRuleInput, type ShownRuleFragment } from "../../generated.ts";
import { address, go } from "../../routing.ts";
import { labelsIn, noLabel } from "../../ui/labels.ts";
import { Problem, words } from "../../ui/parts.tsx";
import { AGGREGATES, METRICS } from "./metrics.ts";
import { BLOCKED_BUILDS, COMPARISONS, SEVERITIES } from "./rules.ts";

const YEAR = 31_536_000;
const DAY = 86_400;
// Within so many days a metric that is recorded at all will have been.
const LOOKED_BACK = 30;

export function RuleForm({ rule, names }: { rule: ShownRuleFragment | undefined; names: readonly string[] }) {
  const setting = useMutation(SetAlertRuleDocument);
  const [wrong, setWrong] = useState("");
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const input = inputOf(form, rule);
    const refusal = !rule && names.includes(input.name)
      ? `There is a rule “${input.name}” already. Choose another name, or change that one.` : wrongLabels(form);
    setWrong(refusal);
    if (!refusal && await setting.run({ input })) go(address(["alerts", "rules"]));
  };
  return (
    <form class="panel rule-form" onSubmit={(event) => void submit(event)}>
      {!rule && <Field name="name" label="Name" hint="It cannot be changed later." required maxLength={200} />}
      <Condition rule={rule} />
      <div class="controls">
        <Field name="windowSeconds" label="Window, in seconds" hint="How far back it looks." type="number" min={1} max={YEAR} value={rule?.windowSeconds ?? 300} />
        <Field name="forSeconds" label="For, in seconds" hint="How long it must hold." type="number" min={0} max={YEAR} value={rule?.forSeconds ?? 0} />
        <Choice name="severity" label="Severity" value={rule?.severity ?? "WARNING"} options={SEVERITIES.map((each) => [each, words(each)])} />
      </div>
      <Receiver rule={rule} />
      <label class="check"><input type="checkbox" name="enabled" defaultChecked={rule?.enabled ?? true} /> Enabled</label>
      {wrong && <p class="problem" role="alert">{wrong}</p>}
      {setting.error && <Problem error={setting.error} />}
      <div class="controls">
        <button type="submit" class="primary" disabled={setting.isRunning}>{rule ? "Save" : "Make the rule"}</button>
        <a class="button" href={address(["alerts", "rules"])}>Cancel</a>
      </div>
    </form>
  );
}

function Condition({ rule }: { rule: ShownRuleFragment | undefined }) {
  const [metric, setMetric] = useState(rule?.metric ?? "");
  return (
    <>
      <Field name="metric" label="Metric" hint={`What is measured, or ${BLOCKED_BUILDS}: what each root cause holds up.`} required value={rule?.metric} list="rule-metrics" onChange={(event: Event) => setMetric((event.target as HTMLInputElement).value.trim())} />
      <datalist id="rule-metrics">{[BLOCKED_BUILDS, ...Object.keys(METRICS)].map((name) => <option key={name} value={name} />)}</datalist>
      {metric && metric !== BLOCKED_BUILDS && !METRICS[metric] && <Unmeasured metric={metric} />}
      <Field name="labels" label="Labels, as KEY=VALUE with commas between" hint="Only series that have all of these." value={rule?.labels.map(({ key, value }) => `${key}=${value}`).join(", ")} />
      <div class="controls">
        <Choice name="aggregate" label="Aggregate" value={rule?.aggregate ?? "MEAN"} options={Object.entries(AGGREGATES)} />
        <Choice name="comparison" label="Is" value={rule?.comparison ?? "GT"} options={Object.entries(COMPARISONS)} />
        <Field name="threshold" label="Threshold" hint="In the metric's unit." type="number" step="any" required value={rule?.threshold} />
      </div>
    </>
  );
}

/** Warns of a name under which nothing was recorded: a rule may come before what it watches, and may be misspelled. */
function Unmeasured({ metric }: { metric: string }) {
  const [until] = useState(Date.now);
  const bounds = { since: new Date(until - LOOKED_BACK * DAY * 1_000).toISOString(), until: new Date(until).toISOString() };
  const { data } = useQuery(MetricLabelsDocument, { query: { name: metric, aggregate: "COUNT", bucketSeconds: LOOKED_BACK * DAY, ...bounds } });
  const isKnown = data === undefined || data.metrics.length > 0;
  return <p class="rule-warning" role="status">{!isKnown && `Nothing was recorded as “${metric}” in the last ${LOOKED_BACK} days. See that the name is right: until something is, the rule never holds.`}</p>;
}

function Receiver({ rule }: { rule: ShownRuleFragment | undefined }) {
  return (
    <div class="controls">
      <Field name="webhook" label="Webhook" hint="The address of a receiver. Empty: nobody is told." type="url" value={rule?.webhook ?? ""} />
      <Field
        name="webhookSecret" label="Secret of the webhook" type="password" autocomplete="new-password"
        hint={rule ? "Signs deliveries. Empty: as it was." : "Signs deliveries. Empty: they are not signed."}
      />
      {rule && <label class="check"><input type="checkbox" name="unsigned" /> Take the secret away</label>}
    </div>
  );
}

interface FieldProps { name: string; label: string; hint: string; value?: string | number; [attribute: string]: unknown }

function Field({ name, label, hint, value, ...attributes }: FieldProps) {
  return (
    <div class="field">
      <label for={`rule-${name}`}>{label}</label>
      <input id={`rule-${name}`} name={name} defaultValue={value ?? ""} aria-describedby={`rule-${name}-hint`} {...attributes} />
      <span id={`rule-${name}-hint`} class="note">{hint}</span>
    </div>
  );
}

function Choice({ name, label, value, options }: { name: string; label: string; value: string; options: readonly (readonly [string, string])[] }) {
  return (
    <div class="field">
      <label for={`rule-${name}`}>{label}</label>
      <select id={`rule-${name}`} name={name}>
        {options.map(([each, word]) => <option key={each} value={each} selected={each === value}>{word}</option>)}
      </select>
    </div>
  );
}

function wrongLabels(form: FormData): string {
  const { wrong } = labelsIn(String(form.get("labels") ?? ""), ",");
  return wrong === undefined ? "" : noLabel(wrong);
}

function inputOf(form: FormData, rule: ShownRuleFragment | undefined): SetAlertRuleInput {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const secret = text("webhookSecret");
  return {
    name: rule?.name ?? text("name"),
    metric: text("metric"),
    labels: labelsIn(text("labels"), ",").labels,
    aggregate: text("aggregate") as MetricAggregate,
    comparison: text("comparison") as Comparison,
    threshold: Number(text("threshold")),
    windowSeconds: Number(text("windowSeconds")),
    forSeconds: Number(text("forSeconds")),
    severity: text("severity") as AlertSeverity,
    webhook: text("webhook") || null,
    webhookSecret: form.has("unsigned") ? "" : secret || null,
    enabled: form.has("enabled"),
  };
}
