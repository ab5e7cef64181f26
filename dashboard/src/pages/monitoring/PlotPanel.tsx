// A plot with its title, or why there is nothing to draw.

import type { ComponentChildren } from "preact";
import type { MetricAggregate } from "../../generated.ts";
import { Empty } from "../../ui/parts.tsx";
import { Plot, type Line } from "../../ui/Plot.tsx";
import type { Unit } from "../../ui/units.ts";
import { NONE } from "./ExplorerControls.tsx";
import { metricAddress } from "./metrics.ts";
import { zoom } from "./span.ts";

/** What fills a plot of the server's own state. */
export const SAMPLED = "The server samples it about every 10 s.";

interface PlotPanelProps {
  title: string;
  /** What is drawn, for its own page: that shows the same. */
  metric: string;
  aggregate: MetricAggregate;
  /** The label that tells its lines apart. */
  by?: string;
  at: readonly number[];
  lines: readonly Line[];
  unit: Unit;
  /** What would fill it, when nothing was measured. */
  empty: ComponentChildren;
}

export function PlotPanel({ title, metric, aggregate, by = NONE, at, lines, unit, empty }: PlotPanelProps) {
  return (
    <section class="panel monitoring-plot">
      <div class="panel-head">
        <h3>{title}</h3>
        <a class="note mono" href={metricAddress(metric, { aggregate, by })}>{metric}</a>
      </div>
      {lines.length === 0 ? <Empty><p>Nothing was measured in this window. {empty}</p></Empty>
        : <Plot label={title} at={at} lines={lines} unit={unit} onZoom={zoom} />}
    </section>
  );
}
