// How far a run is: a bar by the states of its builds, which says the same in words.

import type { BuildConclusion, BuildStatus } from "../generated.ts";
import { grouped } from "./figures.tsx";
import { toneOf, words } from "./parts.tsx";

export interface Count { status: BuildStatus; conclusion: BuildConclusion | null; count: number }

const ORDER = ["good", "warn", "bad", "busy", "wait", "plain"];

export function Progress({ total, counts }: { total: number; counts: readonly Count[] }) {
  const byTone = new Map<string, number>();
  for (const { status, conclusion, count } of counts) {
    const tone = toneOf(conclusion ?? status);
    byTone.set(tone, (byTone.get(tone) ?? 0) + count);
  }
  const done = counts.filter(({ status }) => status === "COMPLETED").reduce((sum, { count }) => sum + count, 0);
  const said = counts.map(({ status, conclusion, count }) => `${grouped(count)} ${words(conclusion ?? status)}`).join(", ");
  return (
    <div class="progress" title={said}>
      <div class="progress-bar" role="img" aria-label={`${grouped(done)} of ${grouped(total)} builds have ended: ${said || "none"}`}>
        {ORDER.map((tone) => {
          const count = byTone.get(tone);
          return count ? <span key={tone} class={tone} style={{ flexGrow: count }} /> : null;
        })}
      </div>
      <span class="figure">{grouped(done)} / {grouped(total)}</span>
    </div>
  );
}
