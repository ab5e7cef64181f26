// Measured values as readers say them, by their units.

import { bytes } from "./figures.tsx";

/** As the server names them, and what this page makes of some: shares, and counts by time. */
export type Unit = "s" | "By" | "1" | "%" | "/s" | "/min" | string;

const PLAIN = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const LARGE = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const TIMES: [least: number, name: string][] = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"]];

/** Say a value: "12.5 ms", "3 min", "1.2 GB", "40 %", "7 /min". */
export function said(value: number, unit: Unit): string {
  if (unit === "s") return time(value);
  if (unit === "By") return value === 0 ? "0" : bytes(value);
  if (unit === "%") return `${PLAIN.format(value * 100)} %`;
  if (unit === "1" || unit === "") return number(value);
  return `${number(value)} ${unit}`;
}

function time(value: number): string {
  if (value === 0) return "0";
  const [length, name] = TIMES.find(([least]) => Math.abs(value) >= least) ?? [1e-6, "µs"];
  return `${PLAIN.format(value / length)} ${name}`;
}

function number(value: number): string {
  return Math.abs(value) < 100_000 ? PLAIN.format(Math.abs(value) < 1_000 ? value : Math.round(value)) : LARGE.format(value);
}

/** The unit of a metric's values: what is called a ratio reads better as a share. */
export function unitOf(name: string, unit: string): Unit {
  return name.endsWith(".ratio") ? "%" : unit;
}

/** Steps that an axis of seconds may have, so that minutes and hours come out whole. */
export const TIME_STEPS: number[] = [
  ...[1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1].flatMap((power) => [1, 2, 5].map((each) => each * power)),
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000, 2_592_000, 8_640_000,
];
