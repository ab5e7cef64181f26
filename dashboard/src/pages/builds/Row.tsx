// A build of a run as one row.

import { address } from "../../routing.ts";
import { Elapsed } from "../../ui/figures.tsx";
import { BuildState } from "../../ui/parts.tsx";
import { groupOf, type Card } from "./board.ts";
import { Retry } from "./Retry.tsx";

export const ROW_HEIGHT = 34;

export function Row({ card }: { card: Card }) {
  const { id, name, version, status, conclusion, worker, startedAt, completedAt, note, attempt, maxAttempts } = card;
  const isWaiting = status === "QUEUED" || status === "BLOCKED";
  const who = isWaiting ? null : worker;
  return (
    <div class="board-row">
      <BuildState status={status} conclusion={conclusion} />
      <a class="board-what" href={address(["builds", id])}><span class="name">{name}</span> <span class="version">{version}</span></a>
      <span class="board-who" title={who ?? undefined}>{[who, attempt > 1 && `attempt ${attempt} of ${maxAttempts}`].filter(Boolean).join(" · ")}</span>
      <span class="board-note" title={note ?? undefined}>{note}</span>
      <span class="board-time">{startedAt && !isWaiting && <Elapsed from={startedAt} to={completedAt} />}</span>
      {groupOf(card) === "failed" && <span class="board-again"><Retry build={card} name={name} class="quiet" /></span>}
    </div>
  );
}
