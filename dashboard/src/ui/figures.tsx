// Numbers and moments as readers say them.

import { signal } from "@preact/signals";
import { clockOffset } from "../api/ask.ts";

const NUMBERS = new Intl.NumberFormat("en");
const DATES = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });
const DAYS = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
/** Day and minute, where the year goes without saying. */
export const MINUTES = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "long" });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1],
];

/** The server's time, which moves once a second. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now() + clockOffset.value * 1000;
}, 1_000);

/** "1 package", "2,000 packages". */
export function counted(number: number, word: string, plural = `${word}s`): string {
  return `${NUMBERS.format(number)} ${number === 1 ? word : plural}`;
}

export function grouped(number: number): string {
  return NUMBERS.format(number);
}

/** The zone of the clock times on these pages: "UTC", "GMT+2". */
export function zone(): string {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(now.value);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}

/** A moment as how long ago it was, kept true, with the moment itself on request. */
export function Ago({ at }: { at: string }) {
  const seconds = (Date.parse(at) - now.value) / 1000;
  const [unit, length] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return <time dateTime={at} title={DATES.format(Date.parse(at))}>{AGO.format(Math.trunc(seconds / length), unit)}</time>;
}

/** A moment by its day. */
export function Day({ at }: { at: string }) {
  return <time dateTime={at} title={DATES.format(Date.parse(at))}>{DAYS.format(Date.parse(at))}</time>;
}

/** Seconds: "3 ms", "1.42 s", "2 min 5 s", "1 h 3 min". */
export function seconds(value: number): string {
  if (value < 1) return `${(value * 1000).toFixed(value < 0.01 ? 1 : 0)} ms`;
  if (value < 60) return `${value.toFixed(value < 10 ? 2 : 0)} s`;
  if (value < 3_600) return `${Math.floor(value / 60)} min ${Math.floor(value % 60)} s`;
  return `${grouped(Math.floor(value / 3_600))} h ${Math.floor((value % 3_600) / 60)} min`;
}

/** How long something took, or has taken so far. */
export function Elapsed({ from, to }: { from: string; to?: string | null }) {
  const end = to ? Date.parse(to) : now.value;
  return <span class="figure">{seconds(Math.max(0, (end - Date.parse(from)) / 1000))}</span>;
}

/** Bytes in units that suit them. */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), units.length - 1);
  const figure = value / 1000 ** power;
  return `${figure.toFixed(power === 0 || figure >= 100 ? 0 : 1)} ${units[power]}`;
}
