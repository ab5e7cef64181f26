// A build of a run as one row.

import { address } from "../../routing.ts";
import { Elapsed } from "../../ui/figures.tsx";
import { BuildState } from "../../ui/parts.tsx";
import type { Card } from "./board.ts";

export const ROW_HEIGHT = 34;

export function Row({ card }: { card: Card }) {
  const { id, name, version, status, conclusion, worker, startedAt, completedAt, note, attempt, maxAttempts } = card;
  return (
    <div class="board-row">
      <BuildState status={status} conclusion={conclusion} />
      <a class="board-what" href={address(["builds", id])}><span class="name">{name}</span> <span class="version">{version}</span></a>
      <span class="board-who" title={worker ?? undefined}>{worker}{attempt > 1 && ` · try ${attempt} of ${maxAttempts}`}</span>
      <span class="board-note" title={note ?? undefined}>{note}</span>
      <span class="board-time">{startedAt && status !== "QUEUED" && status !== "BLOCKED" && <Elapsed from={startedAt} to={completedAt} />}</span>
    </div>
  );
}
