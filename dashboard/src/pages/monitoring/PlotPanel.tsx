// A plot with its title, or why there is nothing to draw.

import type { ComponentChildren } from "preact";
import { Empty } from "../../ui/parts.tsx";
import { Plot, type Line } from "../../ui/Plot.tsx";
import type { Unit } from "../../ui/units.ts";
import { metricAddress } from "./metrics.ts";
import { zoom } from "./span.ts";

interface PlotPanelProps {
  title: string;
  /** The metric by which all of it can be looked at. */
  metric?: string;
  at: readonly number[];
  lines: readonly Line[];
  unit: Unit;
  /** What would fill it, when nothing was measured. */
  empty: ComponentChildren;
}

export function PlotPanel({ title, metric, at, lines, unit, empty }: PlotPanelProps) {
  return (
    <section class="panel monitoring-plot">
      <div class="panel-head">
        <h3>{title}</h3>
        {metric && <a class="note mono" href={metricAddress(metric)}>{metric}</a>}
      </div>
      {lines.length === 0 ? <Empty><p>Nothing was measured in this window. {empty}</p></Empty>
        : <Plot label={title} at={at} lines={lines} unit={unit} onZoom={zoom} />}
    </section>
  );
}
