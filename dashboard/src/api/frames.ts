// Taking what comes in by frames: a page is drawn at most once a frame, however much comes.

// A page that nobody sees has no frames, also when it is hidden while one is awaited.
const LONGEST_FRAME = 250;
// By then the reader is behind anyway, and what waits costs memory.
const MOST_WAITING = 5_000;

export interface Frames<Item> {
  add: (item: Item) => void;
  /** Take nothing more. */
  drop: () => void;
}

/** Hand over what has been added, once a frame. */
export function framed<Item>(take: (items: Item[]) => void): Frames<Item> {
  let waiting: Item[] = [];
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    timer = undefined;
  };
  const flush = () => {
    forget();
    const items = waiting;
    waiting = [];
    if (items.length) take(items);
  };
  return {
    add(item) {
      waiting.push(item);
      if (waiting.length >= MOST_WAITING) flush();
      else if (timer === undefined) {
        frame = requestAnimationFrame(flush);
        timer = setTimeout(flush, LONGEST_FRAME);
      }
    },
    drop() {
      forget();
      waiting = [];
    },
  };
}
