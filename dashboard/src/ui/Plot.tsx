// Numbers over time: lines, and under them a table that is both their legend and what they tell in words.

import "uplot/dist/uPlot.min.css";
import "./plot.css";
import uPlot from "uplot";
import { useEffect, useRef, useState } from "preact/hooks";
import { PlotLegend, colourOf, type Line } from "./PlotLegend.tsx";
import { token, useTheme } from "./theme.ts";
import { TIME_STEPS, said, type Unit } from "./units.ts";

export type { Line } from "./PlotLegend.tsx";

interface PlotProps {
  label: string;
  /** Seconds since 1970, ascending and evenly spaced. */
  at: readonly number[];
  /** Null where nothing was measured: there the line has a gap. */
  lines: readonly Line[];
  unit?: Unit;
  height?: number;
  /** Is given what was dragged over, in seconds since 1970. */
  onZoom?: (from: number, to: number) => void;
}

// Plots of one page show the same moment.
const SHARED_CURSOR = "page";
const LEAST_ZOOM_PIXELS = 6;
// At the end of the axis there may be the middle of a moment's name.
const LAST_NAME = 20;
// The opacity of what is under a line, as the end of its colour.
const FAINT = "1f";

export function Plot({ label, at, lines, unit = "1", height = 170, onZoom }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const [index, setIndex] = useState<number | null>(null);
  const theme = useTheme();
  const shape = JSON.stringify([lines.map(({ name, tone }) => [name, tone]), unit, height, theme]);
  useEffect(() => {
    const place = box.current!;
    const made = new uPlot(
      options(lines, unit, place.clientWidth, height, { setIndex, zoom: (from, to) => zoom.current?.(from, to) }),
      aligned(at, lines), place,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: place.clientWidth, height }));
    resized.observe(place);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(aligned(at, lines)), [at, lines]);
  return (
    <div class="plot">
      <div
        ref={box} class="plot-box" role="img" aria-label={`${label}: the table that follows has its values`}
        style={{ height: `${height}px` }}
      />
      <PlotLegend
        label={label} at={at} lines={lines} unit={unit} index={index}
        onPoint={(line) => plot.current?.setSeries(line === null ? null : line + 1, { focus: true })}
      />
    </div>
  );
}

function aligned(at: readonly number[], lines: readonly Line[]): uPlot.AlignedData {
  return [at as number[], ...lines.map(({ values }) => values as (number | null)[])];
}

interface Told { setIndex: (index: number | null) => void; zoom: (from: number, to: number) => void }

function options(lines: readonly Line[], unit: Unit, width: number, height: number, { setIndex, zoom }: Told): uPlot.Options {
  return {
    width, height,
    legend: { show: false },
    padding: [8, LAST_NAME, 0, 0],
    focus: { alpha: 0.2 },
    cursor: { y: false, drag: { x: true, y: false, setScale: false }, sync: { key: SHARED_CURSOR, setSeries: false }, points: { size: 6 } },
    scales: { y: { range: (_, least, most) => vertical(least, most) } },
    axes: [axis({ values: moments, space: 70, size: 28 }), axis({ values: (_, splits) => splits.map((each) => said(each, unit)), size: 62, space: 34, ...steps(unit) })],
    series: [{}, ...lines.map((line, position) => series(line, position, lines.length === 1))],
    hooks: {
      setCursor: [({ cursor: { idx = null } }) => setIndex(idx)],
      setSelect: [(plot) => {
        const { left, width: dragged } = plot.select;
        if (dragged < LEAST_ZOOM_PIXELS) return;
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        zoom(plot.posToVal(left, "x"), plot.posToVal(left + dragged, "x"));
      }],
    },
  };
}

function series(line: Line, position: number, isAlone: boolean): uPlot.Series {
  const stroke = token(colourOf(line, position));
  return {
    label: line.name, stroke, width: 1.5,
    ...(isAlone ? { fill: `${stroke}${FAINT}` } : {}),
    // A line needs two points; one between gaps is drawn by itself.
    points: { show: true, size: 4, fill: stroke, filter: (plot, which) => lonely(plot.data[which]!) },
  };
}

function lonely(values: ArrayLike<number | null | undefined>): number[] {
  return Array.from(values).flatMap((value, index) => (value != null && values[index - 1] == null && values[index + 1] == null ? [index] : []));
}

function axis(own: Partial<uPlot.Axis>): uPlot.Axis {
  const grid = { stroke: token("--line"), width: 1 };
  return { stroke: token("--muted"), font: "12px system-ui, sans-serif", gap: 6, grid, ticks: { show: false }, ...own };
}

function steps(unit: Unit): Partial<uPlot.Axis> {
  return unit === "s" ? { incrs: TIME_STEPS } : {};
}

/** From 0, so that heights compare. */
function vertical(least: number | null, most: number | null): [number, number] {
  const low = Math.min(least ?? 0, 0);
  const high = Math.max(most ?? 0, 0);
  return high === low ? [low, low + 1] : [low * 1.08, high * 1.08];
}

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function moments(_: uPlot, splits: number[]): string[] {
  return splits.map((each, index) => {
    const moment = new Date(each * 1_000);
    const isMidnight = moment.getHours() === 0 && moment.getMinutes() === 0;
    const isOfOtherDay = index === 0 || DATE.format(moment) !== DATE.format(splits[index - 1]! * 1_000);
    return isMidnight && isOfOtherDay ? DATE.format(moment) : CLOCK.format(moment);
  });
}
