// Where each wave of a plan stands on its map, and how it is drawn.

import type { BuildPlan, Marks } from "./PlanShown.tsx";

export interface WaveBlock { left: number; width: number; size: number; /** The places in the wave of what stands out. */ critical: number[]; cyclic: number[] }

const CELL = 6;
const ROWS = 36;
const GAP = 5;
const FOOT = 6;
export const HEIGHT = ROWS * CELL + FOOT;

/** Return a block for each wave, from left to right. */
export function mapped(waves: BuildPlan["waves"], { critical, cyclic }: Marks): { blocks: WaveBlock[]; width: number } {
  let left = 0;
  const blocks = waves.map((wave) => {
    const block: WaveBlock = { left, width: Math.ceil(wave.length / ROWS) * CELL, size: wave.length, critical: [], cyclic: [] };
    wave.forEach(({ package: name }, at) => {
      if (critical.has(name)) block.critical.push(at);
      else if (cyclic.has(name)) block.cyclic.push(at);
    });
    left += block.width + GAP;
    return block;
  });
  return { blocks, width: left };
}

/** Return which build of which wave is at a point of the map. */
export function cellAt(blocks: readonly WaveBlock[], { x, y }: { x: number; y: number }): { wave: number; build: number } | undefined {
  const wave = blocks.findIndex(({ left, width }) => x >= left && x < left + width);
  const block = blocks[wave];
  if (!block) return undefined;
  return { wave, build: Math.floor((x - block.left) / CELL) * ROWS + Math.floor(y / CELL) };
}

/** Draw the blocks that are in the window. */
export function draw(canvas: HTMLCanvasElement, blocks: readonly WaveBlock[], chosen: number, window: { left: number; width: number }): void {
  const ratio = devicePixelRatio;
  Object.assign(canvas, { width: window.width * ratio, height: HEIGHT * ratio });
  Object.assign(canvas.style, { width: `${window.width}px`, height: `${HEIGHT}px` });
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name);
  pen.scale(ratio, ratio);
  pen.translate(-window.left, 0);
  blocks.forEach((block, at) => {
    if (block.left + block.width < window.left || block.left > window.left + window.width) return;
    cells(pen, block, colour("--plan-plain"), block.size);
    cells(pen, block, colour("--warn"), block.cyclic);
    cells(pen, block, colour("--accent"), block.critical);
    if (at !== chosen) return;
    pen.fillStyle = colour("--text");
    pen.fillRect(block.left, HEIGHT - 3, block.width - 1, 3);
  });
}

function cells(pen: CanvasRenderingContext2D, { left }: WaveBlock, colour: string, which: number | readonly number[]): void {
  pen.fillStyle = colour;
  const count = typeof which === "number" ? which : which.length;
  for (let at = 0; at < count; at++) {
    const cell = typeof which === "number" ? at : which[at]!;
    pen.fillRect(left + Math.floor(cell / ROWS) * CELL, (cell % ROWS) * CELL, CELL - 1, CELL - 1);
  }
}
