// Numbers over time.

import "uplot/dist/uPlot.min.css";
import uPlot from "uplot";
import { useEffect, useRef } from "preact/hooks";

export interface Line { name: string; values: (number | null)[] }

interface PlotProps {
  label: string;
  /** Seconds since 1970, ascending. */
  at: number[];
  lines: Line[];
}

export function Plot({ label, at, lines }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = place.current!;
    const series: uPlot.Series[] = [{}, ...lines.map(({ name }) => ({ label: name, stroke: "currentColor" }))];
    const plot = new uPlot({ width: box.clientWidth, height: 200, series }, [at, ...lines.map(({ values }) => values)], box);
    return () => plot.destroy();
  }, [at, lines]);
  return <div ref={place} class="plot" role="img" aria-label={label} />;
}
