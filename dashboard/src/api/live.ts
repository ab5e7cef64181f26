// Following the server: subscriptions that come back by their cursor after any break, without a gap or a repeat.

import { signal } from "@preact/signals";
import { createClient, type Client } from "graphql-ws";
import type { TypedDocumentString } from "../generated.ts";
import { Refused, clockOffset, isLocked, seen } from "./ask.ts";
import { framed } from "./frames.ts";

export interface Connection {
  /** `idle` while nothing is followed. */
  state: "idle" | "connecting" | "live" | "lost";
  /** When it came to be so, as Date.now() has it. */
  since: number;
}

/** How what is shown is kept up to date. */
export const connection = signal<Connection>({ state: "idle", since: Date.now() });

/** Seconds from a change to its being shown, while changes of long ago come in; 0 when they come as they happen. */
export const lag = signal(0);

/** What any message of a stream may carry, as far as this module looks at it. */
export interface Followed { __typename?: string; cursor?: string; at?: string; complete?: boolean; resumeFrom?: string }

interface Following<Item extends Followed> {
  /** The position of what is already shown; none: the stream begins by itself. */
  after?: string | undefined;
  /** The stream tells what there is before it tells of changes: where its history is gone it is begun anew. */
  tellsBeginning?: boolean;
  /** Takes what has come since the last frame, in order. */
  onItems: (items: Item[]) => void;
  /** The history from the last cursor on is gone: what is shown is to be read anew. The stream goes on after it. */
  onGap?: () => void;
  /** The server will not let this be followed; it is not tried again. */
  onRefused?: (error: Refused) => void;
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const KEEP_ALIVE = 10_000;
const LONGEST_ANSWER = 8_000;
const NEXT_PAGE = 2_000;
const NOTEWORTHY_LAG = 3;
// Once nothing has come for so long, all that there is has come.
const CAUGHT_UP = 1_500;
// What the server closes a socket with whose reader is too slow: it comes back at once, from its cursor.
const SLOW_CONSUMER = 4508;
const HOPELESS_CLOSES = new Set([4400, 4401, 4403, 4406]);
// What may pass by itself. All else that a stream is refused with will be so again.
const PASSING = new Set(["UNAVAILABLE", "INTERNAL_SERVER_ERROR", "SLOW_CONSUMER", "LIMIT_EXCEEDED", "GAVE_UP"]);

let client: Client | undefined;
let isOpen = false;
let followers = 0;

function shared(): Client {
  if (client) return client;
  const address = new URL("graphql", document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  let unanswered: ReturnType<typeof setTimeout> | undefined;
  const made = createClient({
    url: address.href, lazy: true, lazyCloseTimeout: NEXT_PAGE, retryAttempts: 0, keepAlive: KEEP_ALIVE,
    on: {
      connected: () => { isOpen = true; become("live"); },
      closed: () => { isOpen = false; clearTimeout(unanswered); become("lost"); },
      // A network that is gone without a word closes nothing.
      ping: (received) => { if (!received) unanswered = setTimeout(() => made.terminate(), LONGEST_ANSWER); },
      message: () => clearTimeout(unanswered),
    },
  });
  client = made;
  return made;
}

function become(state: Connection["state"]): void {
  const next = followers === 0 ? "idle" : state;
  if (connection.value.state !== next) connection.value = { state: next, since: Date.now() };
}

/** Follow a subscription until the returned function is called. Its document takes `after` among its variables. */
export function follow<Result extends Record<string, Item>, Item extends Followed, Variables extends { after?: string | null | undefined }>(
  document: TypedDocumentString<Result, Variables>,
  variables: Omit<Variables, "after">,
  { after, tellsBeginning = false, onItems, onGap, onRefused }: Following<NonNullable<Result[keyof Result]>>,
): () => void {
  let cursor = after;
  let pause = FIRST_PAUSE;
  let stopped = false;
  let unsubscribe = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const frames = framed<NonNullable<Result[keyof Result]>>((items) => {
    measure(items);
    onItems(items);
  });

  function take(item: NonNullable<Result[keyof Result]>): void {
    become("live");
    pause = FIRST_PAUSE;
    if (item.__typename === "EventGap") {
      cursor = tellsBeginning ? undefined : item.resumeFrom;
      onGap?.();
      return;
    }
    if (item.cursor) seen(item.cursor);
    // Whoever has only a part of a beginning begins anew.
    cursor = item.complete === false ? undefined : item.cursor ?? cursor;
    frames.add(item);
  }

  function again(milliseconds: number): void {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(begin, milliseconds);
  }

  function fail(reason: unknown): void {
    if (stopped) return;
    const refusal = refusalIn(reason);
    if (refusal) {
      if (refusal.code === "UNAUTHENTICATED") isLocked.value = true;
      stop();
      onRefused?.(refusal);
      return;
    }
    become("lost");
    const isSlow = (reason as CloseEvent | undefined)?.code === SLOW_CONSUMER;
    again(isSlow ? 0 : pause * (0.5 + Math.random() / 2));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  function begin(): void {
    const asked = { ...variables, after: cursor } as Variables & Record<string, unknown>;
    unsubscribe = shared().subscribe<Result>({ query: document.toString(), variables: asked }, {
      next: ({ data, errors }) => {
        if (stopped) return;
        if (errors?.length) {
          unsubscribe();
          fail(errors);
        } else if (data) take(Object.values(data)[0] as NonNullable<Result[keyof Result]>);
      },
      error: fail,
      complete: () => again(FIRST_PAUSE),
    });
    // Over a socket that is open nothing tells that a stream goes on, but that it is not refused.
    if (isOpen) timer = setTimeout(() => isOpen && become("live"), NEXT_PAGE);
  }

  function stop(): void {
    if (stopped) return;
    stopped = true;
    clearTimeout(timer);
    frames.drop();
    unsubscribe();
    followers -= 1;
    if (followers === 0) {
      become("idle");
      lag.value = 0;
    }
  }

  followers += 1;
  if (followers === 1) become(isOpen ? "live" : "connecting");
  begin();
  return stop;
}

let caughtUp: ReturnType<typeof setTimeout> | undefined;

function measure(items: readonly Followed[]): void {
  const at = items.at(-1)?.at;
  if (!at) return;
  const seconds = Date.now() / 1000 + clockOffset.value - Date.parse(at) / 1000;
  lag.value = seconds >= NOTEWORTHY_LAG ? Math.round(seconds) : 0;
  clearTimeout(caughtUp);
  if (lag.value) caughtUp = setTimeout(() => { lag.value = 0; }, CAUGHT_UP);
}

function refusalIn(reason: unknown): Refused | undefined {
  if (Array.isArray(reason)) {
    const [first] = reason as { message: string; extensions?: { code?: string } }[];
    const code = first?.extensions?.code ?? "UNKNOWN";
    return PASSING.has(code) ? undefined : new Refused(reason.map((each) => each.message).join("\n"), code);
  }
  const { code, reason: text } = (reason ?? {}) as Partial<CloseEvent>;
  if (code === undefined || !HOPELESS_CLOSES.has(code)) return undefined;
  return new Refused(text || `The server closed with ${code}.`, code === 4401 || code === 4403 ? "UNAUTHENTICATED" : "UNKNOWN");
}
