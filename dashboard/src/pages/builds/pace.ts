// How many builds have ended of late.

const STEP = 10_000;
const STEPS = 60;
const LONGEST = 5 * 60_000;

export class Pace {
  // By the number of the step.
  private readonly ends = new Map<number, number>();
  private newest = 0;

  /** A build has ended at a moment that is not the one at which it was known to have ended. */
  ended(before: string | null | undefined, at: string | null): void {
    if (at === null || at === before) return;
    const step = Math.floor(Date.parse(at) / STEP);
    if (step <= this.newest - STEPS) return;
    this.ends.set(step, (this.ends.get(step) ?? 0) + 1);
    if (step <= this.newest) return;
    this.newest = step;
    for (const each of this.ends.keys()) if (each <= step - STEPS) this.ends.delete(each);
  }

  /** Ends in each of the last steps of ten seconds, the latest last. */
  steps(now: number): number[] {
    const last = Math.floor(now / STEP);
    return Array.from({ length: STEPS }, (_, index) => this.ends.get(last - STEPS + 1 + index) ?? 0);
  }

  /** Ends a minute over the last five, or since the first of them. Null: none. */
  perMinute(now: number): number | null {
    const since = Math.floor((now - LONGEST) / STEP);
    const recent = [...this.ends].filter(([step]) => step > since);
    if (recent.length === 0) return null;
    const began = Math.min(...recent.map(([step]) => step)) * STEP;
    const ended = recent.reduce((sum, [, count]) => sum + count, 0);
    return (ended / Math.max(now - began, STEP)) * 60_000;
  }

  clear(): void {
    this.ends.clear();
    this.newest = 0;
  }
}
