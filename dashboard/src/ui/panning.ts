// Moving over something that is larger than its box, and looking closer: by buttons, wheel, drag and pinch.

import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Point } from "./layered.ts";

const STEP = 1.25;
const SMALLEST = 0.1;
const LARGEST = 3;
// Smaller than this nobody can read a name: a large picture begins at its focus instead of whole.
const READABLE = 0.85;
const BARELY_READABLE = 0.75;
// A hand that clicks moves a little.
const STILL = 4;
// The part of the window that a picture may take, and what it takes in any case.
const SHARE = 0.68;
const LOWEST = 120;
const SCROLLBAR = 16;

export interface Zoom {
  scale: number;
  /** How high the box has to be. */
  height: number;
  closer: () => void;
  farther: () => void;
  fit: () => void;
}

interface Size { width: number; height: number }

/** Where something was, and where it is now that all is laid out anew. */
export interface Moved { from: Point; to: Point }

/** Have `box`, which scrolls, show something of `size`, beginning at `focus`. When it becomes another, what `kept` names stays put. */
export function useZoom<Laid extends Size>(box: RefObject<HTMLDivElement | null>, size: Laid, focus: Point, kept: (before: Laid) => Moved | null): Zoom {
  const [scale, setScale] = useState(1);
  const [height, setHeight] = useState(LOWEST);
  const held = useRef<{ at: Point; inBox: Point } | null>(null);
  const latest = useRef(scale);
  const shown = useRef<Laid | null>(null);
  latest.current = scale;

  /** Change the scale so that the point at `inBox` stays where it is. */
  const zoomTo = useCallback((wanted: number, inBox?: Point) => {
    const { current } = box;
    if (!current) return;
    const next = Math.min(LARGEST, Math.max(SMALLEST, wanted));
    const point = inBox ?? { x: current.clientWidth / 2, y: current.clientHeight / 2 };
    held.current = { at: { x: (current.scrollLeft + point.x) / latest.current, y: (current.scrollTop + point.y) / latest.current }, inBox: point };
    latest.current = next;
    setScale(next);
  }, []);
  const most = Math.max(LOWEST, window.innerHeight * SHARE);
  const whole = () => Math.min(1, (box.current?.offsetWidth ?? size.width) / size.width, most / size.height);

  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    const moved = shown.current && kept(shown.current);
    shown.current = size;
    const next = moved ? latest.current : whole() >= BARELY_READABLE ? whole() : READABLE;
    const high = Math.min(most, Math.max(LOWEST, size.height * next + SCROLLBAR));
    held.current = moved
      ? { at: moved.to, inBox: { x: moved.from.x * next - current.scrollLeft, y: moved.from.y * next - current.scrollTop } }
      : { at: focus, inBox: { x: current.clientWidth / 2, y: high / 2 } };
    current.style.height = `${high}px`;
    setHeight(high);
    latest.current = next;
    setScale(next);
  }, [size]);
  useLayoutEffect(() => {
    if (box.current && held.current) scrollTo(box.current, held.current, scale);
    held.current = null;
  }, [scale, size]);
  useHands(box, latest, zoomTo);
  return { scale, height, closer: () => zoomTo(scale * STEP), farther: () => zoomTo(scale / STEP), fit: () => zoomTo(whole()) };
}

function scrollTo(box: HTMLDivElement, { at, inBox }: { at: Point; inBox: Point }, scale: number): void {
  box.scrollLeft = at.x * scale - inBox.x;
  box.scrollTop = at.y * scale - inBox.y;
}

function useHands(box: RefObject<HTMLDivElement | null>, scale: RefObject<number>, zoomTo: (scale: number, inBox: Point) => void): void {
  useEffect(() => {
    const { current } = box;
    if (!current) return undefined;
    const within = ({ clientX, clientY }: { clientX: number; clientY: number }): Point => {
      const { left, top } = current.getBoundingClientRect();
      return { x: clientX - left, y: clientY - top };
    };
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomTo(scale.current! * Math.exp(-event.deltaY * 0.005), within(event));
    };
    const drag = dragging(current);
    const pinch = pinching(() => scale.current!, (wanted, middle) => zoomTo(wanted, within({ clientX: middle.x, clientY: middle.y })));
    const heard: [keyof HTMLElementEventMap, (event: never) => void, AddEventListenerOptions?][] = [
      ["wheel", onWheel, { passive: false }],
      ["pointerdown", drag.onDown], ["pointermove", drag.onMove], ["pointerup", drag.onUp], ["pointercancel", drag.onUp],
      ["click", drag.onClick, { capture: true }],
      ["touchstart", pinch.onStart, { passive: true }], ["touchmove", pinch.onMove, { passive: false }],
    ];
    for (const [name, listener, options] of heard) current.addEventListener(name, listener as EventListener, options);
    return () => heard.forEach(([name, listener, options]) => current.removeEventListener(name, listener as EventListener, options));
  }, []);
}

/** Scroll by the mouse; fingers scroll by themselves. */
function dragging(box: HTMLElement) {
  let from: { x: number; y: number; left: number; top: number } | null = null;
  let hasMoved = false;
  return {
    onDown(event: PointerEvent) {
      hasMoved = false;
      if (event.pointerType === "mouse" && event.button === 0) from = { x: event.clientX, y: event.clientY, left: box.scrollLeft, top: box.scrollTop };
    },
    onMove(event: PointerEvent) {
      if (!from) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      if (!hasMoved && Math.hypot(x, y) < STILL) return;
      if (!hasMoved) box.setPointerCapture(event.pointerId);
      hasMoved = true;
      box.scrollLeft = from.left - x;
      box.scrollTop = from.top - y;
    },
    onUp() {
      from = null;
    },
    onClick(event: MouseEvent) {
      if (!hasMoved) return;
      hasMoved = false;
      event.preventDefault();
      event.stopPropagation();
    },
  };
}

function pinching(scale: () => number, zoomTo: (scale: number, middle: Point) => void) {
  let from = { distance: 1, scale: 1 };
  return {
    onStart({ touches }: TouchEvent) {
      if (touches.length === 2) from = { distance: spread(touches), scale: scale() };
    },
    onMove(event: TouchEvent) {
      const [one, other] = [event.touches[0], event.touches[1]];
      if (!one || !other) return;
      event.preventDefault();
      zoomTo((from.scale * spread(event.touches)) / from.distance, { x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2 });
    },
  };
}

function spread(touches: TouchList): number {
  const [one, other] = [touches[0]!, touches[1]!];
  return Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY));
}
