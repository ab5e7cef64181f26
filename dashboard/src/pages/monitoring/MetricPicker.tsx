// Opening any metric by its name.

import { useId } from "preact/hooks";
import { go } from "../../routing.ts";
import { Panel } from "../../ui/parts.tsx";
import { METRICS, metricAddress } from "./metrics.ts";

export function MetricPicker() {
  return (
    <Panel title="Every metric">
      <MetricField value="" />
      <dl class="monitoring-metrics">
        {Object.entries(METRICS).map(([name, tells]) => (
          <div key={name}><dt class="mono"><a href={metricAddress(name)}>{name}</a></dt><dd class="note">{tells}</dd></div>
        ))}
      </dl>
    </Panel>
  );
}

/** A box for the name of a metric, also of one that only its producer knows. */
export function MetricField({ value }: { value: string }) {
  const id = useId();
  const open = (event: SubmitEvent) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get("metric")).trim();
    if (name) go(metricAddress(name));
  };
  return (
    <form class="controls" onSubmit={open}>
      <div class="field monitoring-name">
        <label for={id}>Metric, also one given to <code>recordMetrics</code></label>
        <input key={value} id={id} name="metric" list={`${id}-known`} required autocomplete="off" spellcheck={false} defaultValue={value} placeholder="its whole name" />
        <datalist id={`${id}-known`}>{Object.keys(METRICS).map((name) => <option key={name} value={name} />)}</datalist>
      </div>
      <button type="submit">Open</button>
    </form>
  );
}
