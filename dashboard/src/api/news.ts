// Asking again when there is news.

import { useEffect, useRef, useState } from "preact/hooks";
import { follow } from "./live.ts";
import { ChangesDocument, type ChangesSubscription, type EventFilter } from "../generated.ts";

type Item = NonNullable<ChangesSubscription["events"]>;

// However many changes there are.
const PAUSE = 1_000;

/** Have `onNews` called after each event that a filter lets through, but not oftener than once a second. */
export function useNews(
  filter: EventFilter,
  /** The position of what is shown; nothing is followed before there is one. */
  after: string | undefined,
  onNews: () => void,
  /** The object that an event has to be about. */
  subject?: string,
): void {
  const latest = useRef(onNews);
  latest.current = onNews;
  const first = useFirst(after);
  const key = JSON.stringify(filter);
  useEffect(() => {
    if (first === undefined) return undefined;
    const news = throttled(() => latest.current());
    const isWanted = (item: Item) => item.__typename === "Event" && (!subject || item.subject === subject);
    const stop = follow(ChangesDocument, { filter: JSON.parse(key) as EventFilter }, {
      after: first,
      onItems: (items) => items.some(isWanted) && news.tell(),
      onGap: news.tell,
    });
    return () => {
      stop();
      news.drop();
    };
  }, [key, first, subject]);
}

function useFirst(value: string | undefined): string | undefined {
  const [first, setFirst] = useState(value);
  useEffect(() => {
    if (first === undefined && value !== undefined) setFirst(value);
  }, [first, value]);
  return first;
}

function throttled(call: () => void) {
  let last = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    tell() {
      timer ??= setTimeout(() => {
        timer = undefined;
        last = Date.now();
        call();
      }, Math.max(0, last + PAUSE - Date.now()));
    },
    drop() {
      clearTimeout(timer);
    },
  };
}
