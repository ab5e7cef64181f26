// Where each wave of a plan stands on its map, and how it is drawn.

import type { BuildPlan, Marks } from "./PlanShown.tsx";

export interface WaveBlock {
  left: number;
  width: number;
  size: number;
  /** The places in the wave of what stands out. */
  critical: number[];
  cyclic: number[];
}

export interface PlanMap { blocks: WaveBlock[]; cell: number; rows: number; width: number; height: number }

const HIGHEST = 216;
const GAP = 5;
const FOOT = 6;
// The more builds, the smaller their cells.
const CELLS: readonly [builds: number, cell: number][] = [[500, 14], [3_000, 9]];
const SMALLEST_CELL = 6;

/** Return a block for each wave, from left to right. */
export function mapped(waves: BuildPlan["waves"], { critical, cyclic }: Marks): PlanMap {
  const builds = waves.reduce((sum, wave) => sum + wave.length, 0);
  const cell = CELLS.find(([most]) => builds <= most)?.[1] ?? SMALLEST_CELL;
  const rows = Math.min(Math.floor(HIGHEST / cell), Math.max(...waves.map((wave) => wave.length)));
  let left = 0;
  const blocks = waves.map((wave) => {
    const block: WaveBlock = { left, width: Math.ceil(wave.length / rows) * cell, size: wave.length, critical: [], cyclic: [] };
    wave.forEach(({ package: name }, at) => {
      if (critical.has(name)) block.critical.push(at);
      else if (cyclic.has(name)) block.cyclic.push(at);
    });
    left += block.width + GAP;
    return block;
  });
  return { blocks, cell, rows, width: left, height: rows * cell + FOOT };
}

/** Return which build of which wave is at a point of the map. */
export function cellAt({ blocks, cell, rows }: PlanMap, { x, y }: { x: number; y: number }): { wave: number; build: number } | undefined {
  const wave = blocks.findIndex(({ left, width }) => x >= left && x < left + width);
  const block = blocks[wave];
  return block && { wave, build: Math.floor((x - block.left) / cell) * rows + Math.floor(y / cell) };
}

/** Draw the blocks that are in the window. */
export function draw(canvas: HTMLCanvasElement, map: PlanMap, chosen: number, window: { left: number; width: number }): void {
  const ratio = devicePixelRatio;
  Object.assign(canvas, { width: window.width * ratio, height: map.height * ratio });
  Object.assign(canvas.style, { width: `${window.width}px`, height: `${map.height}px` });
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name);
  pen.scale(ratio, ratio);
  pen.translate(-window.left, 0);
  map.blocks.forEach((block, at) => {
    if (block.left + block.width < window.left || block.left > window.left + window.width) return;
    cells(pen, map, block, colour("--plan-plain"), block.size);
    cells(pen, map, block, colour("--warn"), block.cyclic);
    cells(pen, map, block, colour("--accent"), block.critical);
    if (at !== chosen) return;
    pen.fillStyle = colour("--text");
    pen.fillRect(block.left, map.height - 3, block.width - 1, 3);
  });
}

function cells(pen: CanvasRenderingContext2D, { cell, rows }: PlanMap, { left }: WaveBlock, colour: string, which: number | readonly number[]): void {
  pen.fillStyle = colour;
  const count = typeof which === "number" ? which : which.length;
  for (let at = 0; at < count; at++) {
    const build = typeof which === "number" ? at : which[at]!;
    pen.fillRect(left + Math.floor(build / rows) * cell, (build % rows) * cell, cell - 1, cell - 1);
  }
}
