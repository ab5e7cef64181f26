// Following the server: subscriptions that come back by their cursor after any break, without a gap or a repeat.

import { signal } from "@preact/signals";
import { createClient, type Client } from "graphql-ws";
import type { TypedDocumentString } from "../generated.ts";
import { Refused, clockOffset, seen } from "./ask.ts";

export interface Connection {
  /** `idle` while nothing is followed. */
  state: "idle" | "connecting" | "live" | "lost";
  /** When it came to be so, as Date.now() has it. */
  since: number;
}

/** How what is shown is kept up to date. */
export const connection = signal<Connection>({ state: "idle", since: Date.now() });

/** Seconds from a change to its being shown, of the last changes; 0 when they come as they happen. */
export const lag = signal(0);

/** What any message of a stream may carry, as far as this module looks at it. */
export interface Followed { __typename?: string; cursor?: string; at?: string; resumeFrom?: string }

interface Following<Item extends Followed> {
  /** The position of what is already shown; none: the stream begins by itself. */
  after?: string | undefined;
  /** Takes what has come since the last frame, in order. */
  onItems: (items: Item[]) => void;
  /** The history from the last cursor on is gone: what is shown is to be read anew. The stream goes on after it. */
  onGap?: () => void;
  /** The server will not let this be followed; it is not tried again. */
  onRefused?: (error: Refused) => void;
}

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;
const HIDDEN_PAUSE = 250;
const NOTEWORTHY_LAG = 3;
// What the server closes a socket with whose reader is too slow: it comes back at once, from its cursor.
const SLOW_CONSUMER = 4508;
const HOPELESS = new Set([4400, 4401, 4403, 4406]);

let client: Client | undefined;
let followers = 0;

function shared(): Client {
  const address = new URL("graphql", document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  client ??= createClient({ url: address.href, lazy: true, retryAttempts: 0, keepAlive: 10_000 });
  return client;
}

function become(state: Connection["state"]): void {
  if (connection.value.state !== state) connection.value = { state, since: Date.now() };
}

/** Follow a subscription until the returned function is called. Its document takes `after` among its variables. */
export function follow<Result extends Record<string, Item>, Item extends Followed, Variables extends { after?: string | null | undefined }>(
  document: TypedDocumentString<Result, Variables>,
  variables: Omit<Variables, "after">,
  { after, onItems, onGap, onRefused }: Following<NonNullable<Result[keyof Result]>>,
): () => void {
  let cursor = after;
  let pause = FIRST_PAUSE;
  let stopped = false;
  let unsubscribe = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  const frames = framed<NonNullable<Result[keyof Result]>>(onItems);

  function take(item: NonNullable<Result[keyof Result]>): void {
    become("live");
    pause = FIRST_PAUSE;
    if (item.__typename === "EventGap") {
      cursor = item.resumeFrom;
      onGap?.();
      return;
    }
    cursor = item.cursor ?? cursor;
    if (item.cursor) seen(item.cursor);
    if (item.at) measure(item.at);
    frames.add(item);
  }

  function again(milliseconds: number): void {
    if (stopped) return;
    become("lost");
    timer = setTimeout(begin, milliseconds);
  }

  function fail(reason: unknown): void {
    if (stopped) return;
    const refusal = refusalIn(reason);
    if (refusal) {
      onRefused?.(refusal);
      stop();
      return;
    }
    const isSlow = (reason as CloseEvent | undefined)?.code === SLOW_CONSUMER;
    again(isSlow ? 0 : pause * (0.5 + Math.random() / 2));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  function begin(): void {
    const asked = { ...variables, after: cursor } as Variables & Record<string, unknown>;
    unsubscribe = shared().subscribe<Result>({ query: document.toString(), variables: asked }, {
      next: ({ data, errors }) => {
        if (errors?.length) fail(errors);
        else if (data) take(Object.values(data)[0] as NonNullable<Result[keyof Result]>);
      },
      error: fail,
      complete: () => again(FIRST_PAUSE),
    });
  }

  function stop(): void {
    if (stopped) return;
    stopped = true;
    clearTimeout(timer);
    frames.drop();
    unsubscribe();
    followers -= 1;
    if (followers === 0) become("idle");
  }

  followers += 1;
  if (followers === 1) become("connecting");
  begin();
  return stop;
}

// graphql-ws tells of a socket that opens; before the first change nothing else would.
function measure(at: string): void {
  const seconds = Date.now() / 1000 + clockOffset.value - Date.parse(at) / 1000;
  lag.value = seconds >= NOTEWORTHY_LAG ? Math.round(seconds) : 0;
}

function refusalIn(reason: unknown): Refused | undefined {
  if (Array.isArray(reason)) {
    const [first] = reason as { message: string; extensions?: { code?: string } }[];
    return new Refused(reason.map((each) => each.message).join("\n"), first?.extensions?.code ?? "UNKNOWN");
  }
  const { code, reason: text } = (reason ?? {}) as Partial<CloseEvent>;
  return code !== undefined && HOPELESS.has(code) ? new Refused(text || `The server closed with ${code}.`, "UNAUTHENTICATED") : undefined;
}

/** Hands over what has been added, once a frame; a page that nobody sees has no frames. */
function framed<Item>(take: (items: Item[]) => void) {
  let waiting: Item[] = [];
  let scheduled = false;
  let dropped = false;
  const flush = () => {
    scheduled = false;
    const items = waiting;
    waiting = [];
    if (!dropped && items.length) take(items);
  };
  return {
    add(item: Item) {
      waiting.push(item);
      if (scheduled) return;
      scheduled = true;
      if (document.hidden) setTimeout(flush, HIDDEN_PAUSE);
      else requestAnimationFrame(flush);
    },
    drop() {
      dropped = true;
    },
  };
}
