// How quickly builds end, and when the last of them might.

import { grouped, now, seconds } from "../../ui/figures.tsx";
import type { Pace } from "./pace.ts";

const HEIGHT = 28;
const BAR = 4;

/** As of this second. `left` are the builds that have not ended. */
export function PaceFigures({ pace, left }: { pace: Pace; left: number }) {
  const moment = now.value;
  const perMinute = pace.perMinute(moment);
  const steps = pace.steps(moment);
  const hasEnds = steps.some((count) => count > 0);
  if (left === 0 && !hasEnds) return null;
  const ending = perMinute && left > 0 && `about ${seconds(Math.ceil((left / perMinute) * 60))} to go at this pace`;
  return (
    <div class="pace">
      {hasEnds && <Bars steps={steps} />}
      <p>
        {perMinute === null ? "None has ended in the last five minutes" : <>In the last five minutes <b class="figure">{figure(perMinute)}</b> a minute have ended</>}
        {left > 0 && <span class="note"> · {grouped(left)} left{ending && `, ${ending}`}</span>}
      </p>
    </div>
  );
}

function figure(perMinute: number): string {
  return perMinute < 10 ? perMinute.toFixed(1) : grouped(Math.round(perMinute));
}

function Bars({ steps }: { steps: number[] }) {
  const most = Math.max(...steps, 1);
  return (
    <svg class="pace-bars" width={steps.length * BAR} height={HEIGHT} role="img" aria-label={`Builds ended in each ten seconds of the last ten minutes, at most ${grouped(most)}`}>
      {steps.map((count, index) => {
        const height = count && Math.max(1, (count / most) * HEIGHT);
        return <rect key={index} x={index * BAR} y={HEIGHT - height} width={BAR - 1} height={height} />;
      })}
    </svg>
  );
}
