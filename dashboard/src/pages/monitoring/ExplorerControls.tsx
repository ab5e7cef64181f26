// What of a metric is drawn: the aggregate, which labels its series must have, and which tell them apart.

import type { LabelInput, MetricAggregate, MetricLabelsQuery } from "../../generated.ts";
import { changed, go } from "../../routing.ts";
import { AGGREGATES } from "./metrics.ts";

export const ALL = "all";
export const NONE = "none";

// Of a label: a list of more is not read, and the address takes any.
const OFFERED = 200;

interface ControlsProps {
  series: MetricLabelsQuery["metrics"];
  aggregate: MetricAggregate;
  /** Each KEY=VALUE. */
  pairs: readonly string[];
  by: string;
}

export function ExplorerControls({ series, aggregate, pairs, by }: ControlsProps) {
  const values = valuesByKey(series);
  const refine = (query: Parameters<typeof changed>[0]) => go(changed(query), { replace: true });
  const chosen = new Map(labelPairs(pairs).map(({ key, value }) => [key, value]));
  return (
    <div class="controls">
      <div class="field">
        <label for="explorer-aggregate">Aggregate</label>
        <select id="explorer-aggregate" value={aggregate} onChange={(event) => refine({ aggregate: event.currentTarget.value })}>
          {Object.entries(AGGREGATES).map(([name, word]) => <option key={name} value={name}>{word}</option>)}
        </select>
      </div>
      {values.size > 0 && (
        <div class="field">
          <label for="explorer-by">A line for each</label>
          <select id="explorer-by" value={by} onChange={(event) => refine({ by: event.currentTarget.value })}>
            <option value={ALL}>series</option>
            <option value={NONE}>none: all as one</option>
            {[...values.keys()].map((key) => <option key={key} value={key}>{key}</option>)}
          </select>
        </div>
      )}
      {[...values].map(([key, known]) => (
        <LabelField
          key={key} label={key} known={known} value={chosen.get(key) ?? ""}
          onChoose={(value) => refine({ label: withLabel(pairs, key, value) })}
        />
      ))}
    </div>
  );
}

function LabelField({ label, known, value, onChoose }: { label: string; known: readonly string[]; value: string; onChoose: (value: string) => void }) {
  const shown = known.slice(0, OFFERED);
  return (
    <div class="field monitoring-label">
      <label for={`explorer-${label}`}>{label}</label>
      <select id={`explorer-${label}`} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">any</option>
        {value && !shown.includes(value) && <option value={value}>{value}</option>}
        {shown.map((each) => <option key={each} value={each}>{each || "(empty)"}</option>)}
      </select>
    </div>
  );
}

/** The labels that an address names as KEY=VALUE. */
export function labelPairs(pairs: readonly string[]): LabelInput[] {
  return pairs.filter((pair) => pair.includes("=")).map((pair) => {
    const at = pair.indexOf("=");
    return { key: pair.slice(0, at), value: pair.slice(at + 1) };
  });
}

function withLabel(pairs: readonly string[], key: string, value: string): string[] {
  const others = pairs.filter((pair) => !pair.startsWith(`${key}=`));
  return value ? [...others, `${key}=${value}`] : others;
}

function valuesByKey(series: MetricLabelsQuery["metrics"]): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  for (const { labels } of series) for (const { key, value } of labels) found.set(key, (found.get(key) ?? new Set()).add(value));
  return new Map([...found].map(([key, values]) => [key, [...values].sort()]));
}
