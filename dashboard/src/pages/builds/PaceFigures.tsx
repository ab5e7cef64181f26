// How quickly builds end, and when the last of them might.

import { grouped, now, seconds } from "../../ui/figures.tsx";
import type { Board } from "./board.ts";

const HEIGHT = 28;
const BAR = 4;

export function PaceFigures({ board, isGoingOn }: { board: Board; isGoingOn: boolean }) {
  const moment = now.value;
  const perMinute = board.pace.perMinute(moment);
  const left = board.size("building") + board.size("queued") + board.size("blocked");
  if (!isGoingOn && perMinute === null) return null;
  return (
    <div class="pace">
      <Bars steps={board.pace.steps(moment)} />
      <p>
        <span class="figure">{perMinute === null ? "None" : figure(perMinute)}</span> ended a minute of late
        {isGoingOn && left > 0 && (
          <span class="note"> · {grouped(left)} left{perMinute ? `, about ${seconds(Math.ceil((left / perMinute) * 60))} at this pace` : ""}</span>
        )}
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
