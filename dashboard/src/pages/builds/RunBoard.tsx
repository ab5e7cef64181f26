// A run's builds as they go on.

import { useEffect, useState } from "preact/hooks";
import type { Refused } from "../../api/ask.ts";
import { follow } from "../../api/live.ts";
import { WatchRunDocument } from "../../generated.ts";
import { address, changed, go, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Empty, Loading, Panel, Problem } from "../../ui/parts.tsx";
import { Progress } from "../../ui/Progress.tsx";
import { Virtual } from "../../ui/Virtual.tsx";
import { Board, GROUPS, type Card, type Group } from "./board.ts";
import { PaceFigures } from "./PaceFigures.tsx";
import { ROW_HEIGHT, Row } from "./Row.tsx";

const SHOWN = 8;

const NAMES: Record<Group, { name: string; none: string; tone: string }> = {
  building: { name: "Being built", none: "No worker is at any of them.", tone: "busy" },
  failed: { name: "Failed", none: "None has failed.", tone: "bad" },
  queued: { name: "Queued", none: "None is waiting for a worker.", tone: "wait" },
  blocked: { name: "Blocked", none: "None is waiting for another.", tone: "wait" },
  held: { name: "Held up by a failure", none: "No failure holds up another.", tone: "bad" },
  done: { name: "Done", none: "None is done yet.", tone: "good" },
};

/** Follow the builds of a run. */
function useBoard(run: string): { board: Board; error?: Refused } {
  const [board] = useState(() => new Board());
  const [, setFrame] = useState(0);
  const [error, setError] = useState<Refused>();
  useEffect(() => follow(WatchRunDocument, { filter: { run } }, {
    tellsBeginning: true,
    onItems: (items) => {
      board.feed(items);
      setFrame((before) => before + 1);
    },
    onRefused: setError,
  }), [run]);
  return error ? { board, error } : { board };
}

export function RunBoard({ run, isGoingOn }: { run: string; isGoingOn: boolean }) {
  const { board, error } = useBoard(run);
  if (error) return <Problem error={error} />;
  if (!board.isWhole) return <Loading what={board.total ? `Reading the builds: ${grouped(board.total)} so far` : "Reading the builds"} />;
  const { query } = place.value;
  const chosen = GROUPS.find((group) => group === query.get("show"));
  const text = query.get("text") ?? "";
  return (
    <>
      <Panel title="Progress">
        <div class="board-progress"><Progress total={board.total} counts={board.counts()} /></div>
        <PaceFigures board={board} isGoingOn={isGoingOn} />
      </Panel>
      <Choices board={board} chosen={chosen} text={text} />
      {chosen || text ? <Whole board={board} chosen={chosen} text={text} /> : <Parts board={board} run={run} />}
    </>
  );
}

function Choices({ board, chosen, text }: { board: Board; chosen: Group | undefined; text: string }) {
  return (
    <div class="board-choices">
      <nav aria-label="Which builds">
        <a class="board-choice" href={changed({ show: null })} aria-current={chosen ? undefined : "true"}>
          <span>All</span><b>{grouped(board.total)}</b>
        </a>
        {GROUPS.map((group) => (
          <a key={group} class={`board-choice ${NAMES[group].tone}`} href={changed({ show: group })} aria-current={chosen === group ? "true" : undefined}>
            <span>{NAMES[group].name}</span><b data-count={group}>{grouped(board.size(group))}</b>
          </a>
        ))}
      </nav>
      <div class="field board-search">
        <label for="board-text">Package or worker</label>
        <input
          id="board-text" type="search" value={text} autocomplete="off" spellcheck={false} placeholder="part of a name"
          onInput={(event) => go(changed({ text: event.currentTarget.value }), { replace: true })}
        />
      </div>
    </div>
  );
}

/** The beginning of each group. */
function Parts({ board, run }: { board: Board; run: string }) {
  const groups = GROUPS.filter((group) => board.size(group) > 0 || group === "building");
  return (
    <div class="board-parts">
      {groups.map((group) => {
        const cards = board.list(group);
        const left = cards.length - SHOWN;
        return (
          <Panel
            key={group} title={<>{NAMES[group].name} <span class="note">{grouped(cards.length)}</span></>}
            actions={group === "held" || group === "blocked" ? <a href={address(["blockers"], { run })}>What to fix first</a> : undefined}
          >
            {cards.length === 0 && <Empty><p>{NAMES[group].none}</p></Empty>}
            <ul class="board-list">{cards.slice(0, SHOWN).map((card) => <li key={card.id}><Row card={card} /></li>)}</ul>
            {left > 0 && <p class="note"><a href={changed({ show: group })}>Show all {grouped(cards.length)}</a>: {grouped(left)} more.</p>}
          </Panel>
        );
      })}
    </div>
  );
}

/** All builds of a group, or those that a text is found in. */
function Whole({ board, chosen, text }: { board: Board; chosen: Group | undefined; text: string }) {
  const cards = matching((chosen ? [chosen] : GROUPS).flatMap((group) => board.list(group)), text);
  const title = chosen ? NAMES[chosen].name : "All builds";
  return (
    <Panel title={<>{title} <span class="note">{text ? `${counted(cards.length, "build")} with “${text}”` : grouped(cards.length)}</span></>}>
      {cards.length === 0
        ? <Empty><p>{text ? "No build here is of such a package or by such a worker." : NAMES[chosen!].none} <a href={changed({ text: null, show: null })}>Show all builds</a></p></Empty>
        : <Virtual label={title} rows={cards} keyOf={(card) => card.id} rowHeight={ROW_HEIGHT}>{(card) => <Row card={card} />}</Virtual>}
    </Panel>
  );
}

function matching(cards: Card[], text: string): Card[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return cards;
  return cards.filter(({ name, worker }) => name.toLowerCase().includes(wanted) || worker?.toLowerCase().includes(wanted));
}
