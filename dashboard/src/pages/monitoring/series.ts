// What the server measured, as lines over one row of moments.

import type { MeasuredFragment } from "../../generated.ts";
import type { Line } from "../../ui/Plot.tsx";
import type { Span } from "./span.ts";

export type Measured = MeasuredFragment;

/** The beginnings of a window's buckets, which the server has at multiples of their length since 1970. */
export function moments({ from, to, bucket }: Span): number[] {
  const first = Math.floor(from / bucket) * bucket;
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / bucket)) }, (_, index) => first + index * bucket);
}

/** The values of a series at these moments: null where nothing was measured, or `missing`. */
export function valuesAt(at: readonly number[], series: Measured | undefined, missing: number | null = null): (number | null)[] {
  const known = new Map(series?.points.map((point) => [Date.parse(point.at) / 1_000, point.value]));
  return at.map((moment) => known.get(moment) ?? missing);
}

/** How often something happened, by a unit of time of so many seconds. What was not counted did not happen. */
export function rates(at: readonly number[], series: Measured | undefined, bucket: number, unit: number): number[] {
  return valuesAt(at, series, 0).map((count) => (count ?? 0) / bucket * unit);
}

/** Lines of one series each, without those in which nothing was measured. */
export function lines(at: readonly number[], named: Record<string, readonly Measured[]>): Line[] {
  return Object.entries(named)
    .map(([name, [series]]) => ({ name, values: valuesAt(at, series) }))
    .filter(({ values }) => values.some((value) => value !== null));
}

export function labelOf({ labels }: Measured, key: string): string {
  return labels.find((label) => label.key === key)?.value ?? "";
}

export function total({ points }: Measured): number {
  return points.reduce((sum, { value }) => sum + value, 0);
}

/** The last value that is known. */
export function last(series: readonly Measured[]): number | undefined {
  return series[0]?.points.at(-1)?.value;
}
