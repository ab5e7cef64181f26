// A run's builds as they go on.

import { useEffect, useState } from "preact/hooks";
import type { Refused } from "../../api/ask.ts";
import { follow } from "../../api/live.ts";
import { WatchRunDocument, type RunHeadFragment } from "../../generated.ts";
import { address, changed, go, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Empty, Loading, Panel, Problem } from "../../ui/parts.tsx";
import { Progress, type Count } from "../../ui/Progress.tsx";
import { Virtual } from "../../ui/Virtual.tsx";
import { Board, GROUPS, groupOf, type Card, type Group } from "./board.ts";
import { PaceFigures } from "./PaceFigures.tsx";
import { ROW_HEIGHT, Row } from "./Row.tsx";

const SHOWN = 8;

const NAMES: Record<Group, { name: string; none: string; tone: string }> = {
  building: { name: "Being built", none: "No worker is at any of them.", tone: "busy" },
  failed: { name: "Failed", none: "None has failed.", tone: "bad" },
  queued: { name: "Queued", none: "None is waiting for a worker.", tone: "wait" },
  blocked: { name: "Blocked", none: "None is waiting for another.", tone: "wait" },
  held: { name: "Held up", none: "No failure holds up any.", tone: "bad" },
  done: { name: "Done", none: "None is done yet.", tone: "good" },
};

/** Follow the builds of a run. */
function useBoard(run: string): { board: Board; error: Refused | undefined } {
  const [board] = useState(() => new Board());
  const [error, setError] = useState<Refused>();
  useEffect(() => follow(WatchRunDocument, { filter: { run } }, {
    tellsBeginning: true, onItems: (items) => board.feed(items), onRefused: setError,
  }), [run]);
  return { board, error };
}

type Sizes = Record<Group, number>;

export function RunBoard({ run }: { run: RunHeadFragment }) {
  const { board, error } = useBoard(run.id);
  if (error) return <Problem error={error} />;
  // Until all builds have been read, the run itself tells how many there are.
  const counts = board.isWhole ? board.counts() : run.counts;
  const total = board.isWhole ? board.total : run.total;
  const sizes = sizesOf(counts);
  const { query } = place.value;
  const chosen = GROUPS.find((group) => group === query.get("show"));
  const text = query.get("text") ?? "";
  return (
    <>
      <Panel title="Progress">
        <div class="board-progress"><Progress total={total} counts={counts} /></div>
        {board.isWhole && <PaceFigures pace={board.pace} left={sizes.building + sizes.queued + sizes.blocked} />}
      </Panel>
      <Choices total={total} sizes={sizes} chosen={chosen} text={text} />
      {!board.isWhole && <Loading what={`Reading the builds: ${grouped(board.total)} of ${grouped(total)}`} />}
      {chosen || text ? <Whole board={board} chosen={chosen} text={text} /> : <Parts board={board} sizes={sizes} run={run.id} />}
    </>
  );
}

function sizesOf(counts: readonly Count[]): Sizes {
  const sizes = Object.fromEntries(GROUPS.map((group) => [group, 0])) as Sizes;
  for (const each of counts) sizes[groupOf(each)] += each.count;
  return sizes;
}

function Choices({ total, sizes, chosen, text }: { total: number; sizes: Sizes; chosen: Group | undefined; text: string }) {
  return (
    <div class="board-choices">
      <nav aria-label="Which builds">
        <Choice name="All" count={total} show={null} isChosen={!chosen} />
        {GROUPS.map((group) => (
          <Choice key={group} name={NAMES[group].name} tone={NAMES[group].tone} count={sizes[group]} show={group} isChosen={chosen === group} />
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

function Choice({ name, count, show, isChosen, tone = "" }: { name: string; count: number; show: Group | null; isChosen: boolean; tone?: string }) {
  return (
    <a class={`board-choice ${count ? tone : ""}`} href={changed({ show })} aria-current={isChosen ? "true" : undefined}>
      <span>{name}</span> <b data-group={show ?? "all"}>{grouped(count)}</b>
    </a>
  );
}

/** The beginning of each group. */
function Parts({ board, sizes, run }: { board: Board; sizes: Sizes; run: string }) {
  const groups = GROUPS.filter((group) => sizes[group] > 0 || group === "building");
  return (
    <div class="board-parts">
      {groups.map((group) => {
        const cards = board.list(group).slice(0, SHOWN);
        const size = sizes[group];
        return (
          <Panel
            key={group} title={<>{NAMES[group].name} <span class="note">{grouped(size)}</span></>}
            actions={group === "held" || group === "blocked" ? <a href={address(["blockers"], { run })}>Fix first</a> : undefined}
          >
            {size === 0 && <Empty><p>{NAMES[group].none}</p></Empty>}
            <ul class="board-list">{cards.map((card) => <li key={card.id}><Row card={card} /></li>)}</ul>
            {size > SHOWN && <p class="note"><a href={changed({ show: group })}>Show all {grouped(size)}</a></p>}
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
        ? board.isWhole && <Empty><p>{text ? "No build here is of such a package or by such a worker." : NAMES[chosen!].none} <a href={changed({ text: null, show: null })}>Show all builds</a></p></Empty>
        : <Virtual label={title} rows={cards} keyOf={(card) => card.id} rowHeight={ROW_HEIGHT}>{(card) => <Row card={card} />}</Virtual>}
    </Panel>
  );
}

function matching(cards: Card[], text: string): Card[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return cards;
  return cards.filter(({ sought }) => sought.includes(wanted));
}
