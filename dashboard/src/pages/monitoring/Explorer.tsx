// One metric: any aggregate of it, of the series that have some labels, told apart by others.

import { useMemo } from "preact/hooks";
import { useQuery } from "../../api/use.ts";
import { OneMetricDocument, MetricLabelsDocument, type MetricAggregate, type MetricLabelsQuery, type MetricQuery } from "../../generated.ts";
import { address, place } from "../../routing.ts";
import { counted, zone } from "../../ui/figures.tsx";
import { Answered, Empty, Page, Panel } from "../../ui/parts.tsx";
import { Plot, type Line } from "../../ui/Plot.tsx";
import { unitOf } from "../../ui/units.ts";
import { ALL, NONE, ExplorerControls, labelPairs } from "./ExplorerControls.tsx";
import { MetricField } from "./MetricPicker.tsx";
import { AGGREGATES, METRICS } from "./metrics.ts";
import { moments, valuesAt, type Measured } from "./series.ts";
import { SpanPicker } from "./SpanPicker.tsx";
import { span, variablesOf, zoom, type Span } from "./span.ts";

// More lines than this nobody tells apart: the first ones are drawn, by their largest value.
const DRAWN = 12;
// So few are told apart unasked.
const FEW = 8;

export function Explorer({ name }: { name: string }) {
  const shown = span();
  const { since, until } = variablesOf(shown);
  // The whole window as one or two points: which labels there are.
  const labels = useQuery(MetricLabelsDocument, { query: { name, aggregate: "COUNT", since, until, bucketSeconds: Math.ceil((shown.to - shown.from) / 60) * 60 } });
  return (
    <Page title={name} actions={<SpanPicker span={shown} />} lead={METRICS[name] ?? (labels.data?.metrics.length ? "Recorded by an outside producer." : "")}>
      <p><a href={address(["monitoring"], { window: place.value.query.get("window") })}>All of monitoring</a></p>
      <MetricField value={name} />
      <Answered answer={labels}>{(data) => (data.metrics.length === 0 ? <Unmeasured name={name} /> : <Explored name={name} known={data.metrics} span={shown} />)}</Answered>
    </Page>
  );
}

function Unmeasured({ name }: { name: string }) {
  return (
    <Empty>
      <p>Nothing was measured under this name in this window. Choose a longer one, or see that the name is right.</p>
      {!METRICS[name] && <p>Record values with the mutation <code>recordMetrics</code>; they show within the minute.</p>}
    </Empty>
  );
}

interface ExploredProps { name: string; known: MetricLabelsQuery["metrics"]; span: Span }

function Explored({ name, known, span: shown }: ExploredProps) {
  const { query } = place.value;
  const asked = query.get("aggregate") ?? "";
  const aggregate: MetricAggregate = asked in AGGREGATES ? asked as MetricAggregate : "MEAN";
  const pairs = query.getAll("label");
  const by = query.get("by") ?? (known.length <= FEW || pairs.length ? ALL : NONE);
  const answer = useQuery(OneMetricDocument, { query: asQuery(name, aggregate, pairs, by, shown) });
  return (
    <>
      <ExplorerControls series={known} aggregate={aggregate} pairs={pairs} by={by} />
      <Answered answer={answer}>{({ metrics }) => <Drawn name={name} aggregate={aggregate} series={metrics} span={shown} />}</Answered>
    </>
  );
}

function asQuery(name: string, aggregate: MetricAggregate, pairs: readonly string[], by: string, shown: Span): MetricQuery {
  const { since, until, bucket } = variablesOf(shown);
  return {
    name, aggregate, since, until, bucketSeconds: bucket,
    labels: labelPairs(pairs),
    by: by === ALL ? null : by === NONE ? [] : [by],
  };
}

interface DrawnProps { name: string; aggregate: MetricAggregate; series: readonly Measured[]; span: Span }

function Drawn({ name, aggregate, series, span: shown }: DrawnProps) {
  const { at, lines } = useMemo(() => drawn(series, shown), [series]);
  if (lines.length === 0) return <Empty><p>No series has these labels in this window. Take one of them away.</p></Empty>;
  const unit = aggregate === "COUNT" ? "1" : unitOf(name, series[0]?.unit ?? "");
  return (
    <Panel title={`${AGGREGATES[aggregate]} of ${name}, by ${bucketName(shown.bucket)}`}>
      <Plot label={`${AGGREGATES[aggregate]} of ${name}`} at={at} lines={lines} unit={unit} height={320} onZoom={zoom} />
      <p class="note">Times are in {zone()}.</p>
      {series.length > lines.length && (
        <p class="note">{counted(series.length, "series", "series")}, of which the {DRAWN} with the largest values are drawn. Choose labels to see others.</p>
      )}
    </Panel>
  );
}

function drawn(series: readonly Measured[], shown: Span): { at: number[]; lines: Line[] } {
  const at = moments(shown);
  const most = (each: Measured) => Math.max(...each.points.map(({ value }) => value));
  const largest = [...series].sort((one, other) => most(other) - most(one)).slice(0, DRAWN);
  return { at, lines: largest.map((each) => ({ name: named(each), values: valuesAt(at, each) })) };
}

/** A series by its labels; their names only where they differ in several. */
function named({ labels }: Measured): string {
  if (labels.length === 1) return labels[0]!.value || "(empty)";
  return labels.map(({ key, value }) => `${key}=${value}`).join(", ") || "all";
}

function bucketName(seconds: number): string {
  if (seconds % 86_400 === 0) return counted(seconds / 86_400, "day");
  return seconds % 3_600 === 0 ? counted(seconds / 3_600, "hour") : counted(seconds / 60, "minute");
}
