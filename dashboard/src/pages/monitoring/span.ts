// The window of time that is looked at: one that ends now and moves on, or one that was dragged over and stays.

import { computed } from "@preact/signals";
import { changed, go, place } from "../../routing.ts";
import { now } from "../../ui/figures.tsx";

export interface Span {
  /** In seconds since 1970. */
  from: number;
  to: number;
  /** Seconds to a point: about 200 make a plot. */
  bucket: number;
  /** The name of a window that ends now; else it stays where it is. */
  name?: string;
}

export const WINDOWS: Record<string, number> = { "1h": 3_600, "6h": 21_600, "1d": 86_400, "7d": 604_800, "30d": 2_592_000 };
const FIRST = "1h";
const POINTS = 240;
// What is measured is kept by the minute, then by the hour, then by the day.
const BUCKETS = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800];
const EVERY = 20_000;
const STEPS = 6;
const LEAST = 300;

const tick = computed(() => Math.floor(now.value / EVERY) * EVERY / 1_000);

/** The window that the address names. It moves on every 20 s or, where buckets are long, a few times in each: then all is asked again. */
export function span(): Span {
  const { query } = place.value;
  const dragged = { from: Number(query.get("from")), to: Number(query.get("to")) };
  if (dragged.from > 0 && dragged.to > dragged.from) return { ...dragged, bucket: bucketOf(dragged.to - dragged.from) };
  const asked = query.get("window") ?? FIRST;
  const name = WINDOWS[asked] ? asked : FIRST;
  const length = WINDOWS[name]!;
  const bucket = bucketOf(length);
  const to = stepped(tick.value, bucket / STEPS);
  return { from: to - length, to, bucket, name };
}

function stepped(moment: number, step: number): number {
  return Math.floor(moment / step) * step;
}

/** The shortest bucket of which a window has no more than so many. */
export function bucketOf(length: number, most = POINTS): number {
  return BUCKETS.find((bucket) => length / bucket <= most) ?? BUCKETS.at(-1)!;
}

/** What a query is given. */
export function variablesOf({ from, to, bucket }: Span): { since: string; until: string; bucket: number } {
  return { since: moment(from), until: moment(to), bucket };
}

function moment(seconds: number): string {
  return new Date(seconds * 1_000).toISOString();
}

/** Look at a part of a window, at least five minutes of it. */
export function zoom(from: number, to: number): void {
  const spare = Math.max(0, LEAST - (to - from)) / 2;
  go(changed({ window: null, from: Math.floor(from - spare), to: Math.ceil(to + spare) }));
}
