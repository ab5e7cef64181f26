// What the lines of a plot are and tell: the value under the cursor, else the last one, and the extremes.

import { MINUTES } from "./figures.tsx";
import { said, type Unit } from "./units.ts";

export interface Line {
  name: string;
  values: readonly (number | null)[];
  /** A tone of base.css, for a line that is a state's; else the lines have colours by their order. */
  tone?: "good" | "bad" | "busy" | "wait" | "warn" | "accent";
  /** Where the name leads. */
  href?: string;
}

interface LegendProps {
  label: string;
  at: readonly number[];
  lines: readonly Line[];
  unit: Unit;
  /** Which moment the cursor is at. */
  index: number | null;
  /** The line that is pointed at, or null for none. */
  onPoint: (line: number | null) => void;
}

const COLOURS = 8;

/** The name of the token of a line's colour. */
export function colourOf({ tone }: Line, position: number): string {
  return tone ? `--${tone}` : `--line-${position % COLOURS + 1}`;
}

export function PlotLegend({ label, at, lines, unit, index, onPoint }: LegendProps) {
  const moment = index === null ? undefined : at[index];
  return (
    <table class="plot-legend" onMouseLeave={() => onPoint(null)}>
      <caption class="away">{label}</caption>
      <thead>
        <tr>
          <th scope="col"><span class="away">Line</span></th>
          <th scope="col" class="end">{moment === undefined ? "last" : MINUTES.format(moment * 1_000)}</th>
          <th scope="col" class="end plot-least">least</th>
          <th scope="col" class="end">mean</th>
          <th scope="col" class="end">most</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line, position) => (
          <Row key={line.name} line={line} unit={unit} index={index} colour={colourOf(line, position)} onPoint={() => onPoint(position)} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps { line: Line; unit: Unit; index: number | null; colour: string; onPoint: () => void }

function Row({ line, unit, index, colour, onPoint }: RowProps) {
  const known = line.values.filter((value) => value !== null);
  const shown = index === null ? known.at(-1) : line.values[index];
  const figures = known.length ? [Math.min(...known), known.reduce((sum, each) => sum + each, 0) / known.length, Math.max(...known)] : [];
  return (
    <tr onMouseEnter={onPoint}>
      <th scope="row">
        <span class="plot-mark" style={{ background: `var(${colour})` }} />
        {line.href ? <a href={line.href}>{line.name}</a> : line.name}
      </th>
      <td class="end plot-now">{shown === null || shown === undefined ? "–" : said(shown, unit)}</td>
      {[0, 1, 2].map((each) => <td key={each} class={`end ${each === 0 ? "plot-least" : ""}`}>{figures[each] === undefined ? "–" : said(figures[each]!, unit)}</td>)}
    </tr>
  );
}
