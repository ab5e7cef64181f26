// Taking what comes in by frames, so that a page is drawn seldom, however much comes.

// What comes after a quiet while is there with the next frame. Nobody reads figures that change oftener than this.
const PAUSE = 100;
// A page that nobody sees has no frames, also when it is hidden while one is awaited.
const LONGEST_FRAME = 250;
// By then the reader is behind anyway, and what waits costs memory.
const MOST_WAITING = 5_000;

export interface Frames<Item> {
  add: (item: Item) => void;
  /** Take nothing more. */
  drop: () => void;
}

/** Hand over what has been added, with the next frame, but not oftener than ten times a second. */
export function framed<Item>(take: (items: Item[]) => void): Frames<Item> {
  let waiting: Item[] = [];
  let last = 0;
  let frame = 0;
  let pause: ReturnType<typeof setTimeout> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = () => {
    cancelAnimationFrame(frame);
    clearTimeout(pause);
    clearTimeout(timer);
    timer = undefined;
  };
  const flush = () => {
    forget();
    last = performance.now();
    const items = waiting;
    waiting = [];
    if (items.length) take(items);
  };
  const schedule = () => {
    pause = setTimeout(() => { frame = requestAnimationFrame(flush); }, Math.max(0, last + PAUSE - performance.now()));
    timer = setTimeout(flush, LONGEST_FRAME);
  };
  return {
    add(item) {
      waiting.push(item);
      if (waiting.length >= MOST_WAITING) flush();
      else if (timer === undefined) schedule();
    },
    drop() {
      forget();
      waiting = [];
    },
  };
}
