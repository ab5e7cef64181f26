// The builds of a run, as far as what was delivered tells: counts, groups and pace, each brought up to date by every change.

import { signal } from "@preact/signals";
import type { BoardBuildFragment, BuildConclusion, BuildStatus, WatchRunSubscription } from "../../generated.ts";
import type { Count } from "../../ui/Progress.tsx";
import { Pace } from "./pace.ts";

export type Item = NonNullable<WatchRunSubscription["buildStatus"]>;
type Snapshot = Extract<Item, { __typename: "BuildSnapshot" }>;
type Change = Extract<Item, { __typename: "Event" }>;

/** A build, as little of it as its row tells. */
export interface Card {
  id: string;
  name: string;
  version: string;
  status: BuildStatus;
  conclusion: BuildConclusion | null;
  attempt: number;
  maxAttempts: number;
  worker: string | null;
  startedAt: string | null;
  completedAt: string | null;
  note: string | null;
  /** What a reader may search for, in lower case. */
  sought: string;
}

export const GROUPS = ["building", "failed", "queued", "blocked", "held", "done"] as const;
export type Group = (typeof GROUPS)[number];

const ENDED = new Set<Group>(["failed", "held", "done"]);
const FAILED = new Set<BuildConclusion>(["FAILURE", "TIMED_OUT", "INFRA_ERROR", "UNRESOLVABLE"]);

/** Where a build is shown. */
export function groupOf({ status, conclusion }: Pick<Card, "status" | "conclusion">): Group {
  if (conclusion === null) return status === "QUEUED" ? "queued" : status === "BLOCKED" ? "blocked" : "building";
  if (conclusion === "DEP_FAILED") return "held";
  return FAILED.has(conclusion) ? "failed" : "done";
}

/** Fed with what is delivered, in its order. Whoever reads it while it renders is rendered again after each feeding. */
export class Board {
  readonly pace = new Pace();
  private readonly turn = signal(0);
  private whole = false;
  private readonly cards = new Map<string, Card>();
  // Of each group the builds by their ids, in the order in which they came to be in it.
  private readonly groups = new Map<Group, Map<string, Card>>(GROUPS.map((group) => [group, new Map()]));
  private readonly states = new Map<string, Count>();
  private beginning: string | undefined;

  feed(items: readonly Item[]): void {
    for (const item of items) {
      if (item.__typename === "BuildSnapshot") this.begin(item);
      else if (item.__typename === "Event") this.happen(item);
    }
    this.turn.value += 1;
  }

  /** Whether all of the beginning has been delivered. */
  get isWhole(): boolean {
    this.turn.value;
    return this.whole;
  }

  get total(): number {
    this.turn.value;
    return this.cards.size;
  }

  counts(): Count[] {
    this.turn.value;
    return [...this.states.values()].filter(({ count }) => count > 0).map((each) => ({ ...each }));
  }

  /** The builds of a group: what has ended last first, of the others what came first. */
  list(group: Group): Card[] {
    this.turn.value;
    const cards = [...this.groups.get(group)!.values()];
    return ENDED.has(group) ? cards.reverse() : cards;
  }

  private begin(snapshot: Snapshot): void {
    if (snapshot.cursor !== this.beginning || this.whole) this.clear();
    this.beginning = snapshot.cursor;
    for (const build of snapshot.builds) this.put(build, build.packageVersion.package.name, build.packageVersion.version);
    if (!snapshot.complete) return;
    this.whole = true;
    this.sort();
  }

  private happen({ subject, package: name, version, build }: Change): void {
    if (build) this.put(build, name ?? "", version ?? "");
    else this.drop(subject);
  }

  private put(build: BoardBuildFragment, name: string, version: string): void {
    const card = cardOf(build, name, version);
    const before = this.cards.get(card.id);
    this.pace.ended(before?.completedAt, card.completedAt);
    if (before) this.count(before, -1);
    // Within its group it keeps its place, unless it has ended once more.
    if (before && (groupOf(before) !== groupOf(card) || before.completedAt !== card.completedAt)) this.groupFor(before).delete(card.id);
    this.cards.set(card.id, card);
    this.groupFor(card).set(card.id, card);
    this.count(card, 1);
  }

  private drop(id: string): void {
    const card = this.cards.get(id);
    if (!card) return;
    this.cards.delete(id);
    this.groupFor(card).delete(id);
    this.count(card, -1);
  }

  private groupFor(card: Card): Map<string, Card> {
    return this.groups.get(groupOf(card))!;
  }

  private count({ status, conclusion }: Card, step: number): void {
    const key = `${status} ${conclusion}`;
    const known = this.states.get(key);
    if (known) known.count += step;
    else this.states.set(key, { status, conclusion, count: step });
  }

  // A beginning comes by the age of the builds, and not of their ends.
  private sort(): void {
    for (const group of GROUPS) {
      const moment = (card: Card) => (group === "building" ? card.startedAt : card.completedAt) ?? "";
      const cards = [...this.groups.get(group)!.values()].reverse();
      cards.sort((one, other) => compare(moment(one), moment(other)));
      this.groups.set(group, new Map(cards.map((card) => [card.id, card])));
    }
  }

  private clear(): void {
    this.whole = false;
    this.cards.clear();
    this.states.clear();
    this.pace.clear();
    for (const group of this.groups.values()) group.clear();
  }
}

function cardOf({ reason, message, ...build }: BoardBuildFragment, name: string, version: string): Card {
  const isEnded = build.status === "COMPLETED";
  return {
    id: build.id, name, version, status: build.status, conclusion: build.conclusion, attempt: build.attempt,
    maxAttempts: build.maxAttempts, worker: build.worker, startedAt: build.startedAt, completedAt: build.completedAt,
    note: reason ?? (isEnded ? message : null), sought: `${name} ${build.worker ?? ""}`.toLowerCase(),
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
