// Lays a graph out in columns: what needs stands left of what it needs.
//
// How it works, after Sugiyama: edges that close a cycle are turned round, every node gets a column by the longest chain to it,
// edges over several columns get a bend in each, columns are put in the order that their neighbours suggest, and heights are then
// fitted to them, exactly, column by column.

export interface Sized {
  id: string;
  width: number;
  height: number;
  /** Where it has to stand, as a whole number; of all nodes or of none. */
  column?: number | undefined;
}
export interface Arrow { from: string; to: string; /** To be turned round first where there is a cycle. */ isCut: boolean }
export interface Point { x: number; y: number }
export interface Layout {
  width: number;
  height: number;
  /** The middle of each node, by id. */
  places: Map<string, Point & { column: number }>;
  /** Of each arrow, the points from its start to its end; empty for one whose ends are not both there, or the same. */
  lines: Point[][];
}

const MARGIN = 12;
const COLUMN_GAP = 64;
const ROW_GAP = 10;
const BEND_GAP = 5;
const ASIDE = 5;
const ORDERINGS = 8;
const FITTINGS = 8;
// Past so many bends, long edges are drawn straight across.
const MOST_BENDS = 6_000;

interface Cell {
  node: Sized | null;
  column: number;
  height: number;
  before: Cell[];
  after: Cell[];
  row: number;
  y: number;
}

/** Lay out `nodes`. Ids are unique; of the arrows those between known, different nodes are drawn. */
export function layered(nodes: readonly Sized[], arrows: readonly Arrow[]): Layout {
  const index = new Map(nodes.map(({ id }, at) => [id, at]));
  const known = arrows.map(({ from, to, isCut }) => ({ from: index.get(from) ?? -1, to: index.get(to) ?? -1, isCut }));
  const forward = acyclic(nodes.length, known);
  const columns = folded(nodes.every(({ column }) => column !== undefined) ? nodes.map(({ column }) => column!) : ranked(nodes.length, forward));
  const cells = nodes.map((node, at): Cell => ({ node, column: columns[at]!, height: node.height, before: [], after: [], row: 0, y: 0 }));
  const chains = chained(cells, forward);
  const grid = gridded(new Set([...cells, ...chains.flat()]));
  order(grid);
  fit(grid);
  return drawn(grid, cells, known, chains);
}

interface Pair { from: number; to: number; isCut: boolean }

function isDrawn({ from, to }: Pair): boolean {
  return from >= 0 && to >= 0 && from !== to;
}

/** Return the pairs so that they close no cycle: those that would are turned round. */
function acyclic(size: number, pairs: readonly Pair[]): Pair[] {
  const out: Pair[][] = Array.from({ length: size }, () => []);
  for (const pair of pairs) if (isDrawn(pair)) out[pair.from]!.push(pair);
  // What is known to be cut is walked last, so that it is what closes the cycle.
  for (const each of out) each.sort((one, other) => Number(one.isCut) - Number(other.isCut));
  const turned = new Set<Pair>(pairs.filter((pair) => pair.isCut));
  walk(size, out, turned);
  const kept = pairs.map((pair) => (turned.has(pair) ? { ...pair, from: pair.to, to: pair.from } : pair));
  // Cut edges turned round may close cycles among themselves.
  return pairs.some(({ isCut }) => isCut) ? acyclic(size, kept.map((pair) => ({ ...pair, isCut: false }))) : kept;
}

/** Add to `turned` the pairs that lead back to where a walk came from. */
function walk(size: number, out: readonly Pair[][], turned: Set<Pair>): void {
  const state = new Uint8Array(size);
  for (let start = 0; start < size; start++) {
    if (state[start]) continue;
    const stack = [{ at: start, next: 0 }];
    state[start] = 1;
    while (stack.length) {
      const top = stack[stack.length - 1]!;
      const pair = out[top.at]![top.next++];
      if (pair === undefined) {
        state[top.at] = 2;
        stack.pop();
      } else if (turned.has(pair)) continue;
      else if (state[pair.to] === 1) turned.add(pair);
      else if (state[pair.to] === 0) {
        state[pair.to] = 1;
        stack.push({ at: pair.to, next: 0 });
      }
    }
  }
}

/** Return a column for each node, right of the columns of all that lead to it. */
function ranked(size: number, pairs: readonly Pair[]): number[] {
  const before: number[][] = Array.from({ length: size }, () => []);
  const after: number[][] = Array.from({ length: size }, () => []);
  for (const pair of pairs) {
    if (!isDrawn(pair)) continue;
    after[pair.from]!.push(pair.to);
    before[pair.to]!.push(pair.from);
  }
  const rank = new Array<number>(size).fill(0);
  const waits = before.map((each) => each.length);
  const sorted = waits.flatMap((count, at) => (count === 0 ? [at] : []));
  for (let at = 0; at < sorted.length; at++) {
    for (const next of after[sorted[at]!]!) {
      rank[next] = Math.max(rank[next]!, rank[sorted[at]!]! + 1);
      if (--waits[next]! === 0) sorted.push(next);
    }
  }
  // Where more leads away than to it, a node goes as near to what it leads to as it can: edges get shorter.
  for (const at of sorted.reverse()) {
    if (after[at]!.length > before[at]!.length) rank[at] = Math.min(...after[at]!.map((next) => rank[next]!)) - 1;
  }
  return rank;
}

/** Break what would be a very long column into several: a list of names is easier to see as a block. */
function folded(rank: readonly number[]): number[] {
  const longest = Math.max(14, Math.ceil(2 * Math.sqrt(rank.length)));
  const members = new Map<number, number[]>();
  rank.forEach((column, at) => members.set(column, [...(members.get(column) ?? []), at]));
  const columns = new Array<number>(rank.length);
  let next = 0;
  for (const column of [...members.keys()].sort((one, other) => one - other)) {
    const all = members.get(column)!;
    const parts = Math.ceil(all.length / longest);
    all.forEach((at, place) => { columns[at] = next + Math.floor((place * parts) / all.length); });
    next += parts;
  }
  return columns;
}

/** Join the cells of each pair, with a bend in every column between, and return them from left to right. */
function chained(cells: readonly Cell[], pairs: readonly Pair[]): Cell[][] {
  let bends = 0;
  return pairs.map((pair) => {
    if (!isDrawn(pair)) return [];
    const [start, end] = [cells[pair.from]!, cells[pair.to]!];
    const chain = [start];
    bends += end.column - start.column - 1;
    if (bends <= MOST_BENDS) {
      for (let column = start.column + 1; column < end.column; column++) {
        chain.push({ node: null, column, height: 0, before: [], after: [], row: 0, y: 0 });
      }
    }
    chain.push(end);
    for (let at = 1; at < chain.length; at++) {
      chain[at - 1]!.after.push(chain[at]!);
      chain[at]!.before.push(chain[at - 1]!);
    }
    return chain;
  });
}

function gridded(cells: Iterable<Cell>): Cell[][] {
  const grid: Cell[][] = [];
  for (const cell of cells) (grid[cell.column] ??= []).push(cell);
  for (const column of grid) column.forEach((cell, row) => { cell.row = row; });
  return grid;
}

/** Put each column in the order of the mean place of its neighbours, there and back, some times. */
function order(grid: Cell[][]): void {
  for (let turn = 0; turn < ORDERINGS; turn++) {
    const isBack = turn % 2 === 1;
    for (const column of isBack ? [...grid].reverse() : grid) {
      const wish = new Map(column.map((cell) => [cell, mean(isBack ? cell.after : cell.before, (each) => each.row / grid[each.column]!.length) ?? cell.row / column.length]));
      column.sort((one, other) => wish.get(one)! - wish.get(other)!);
      column.forEach((cell, row) => { cell.row = row; });
    }
  }
}

function mean(cells: readonly Cell[], value: (cell: Cell) => number): number | undefined {
  return cells.length ? cells.reduce((sum, cell) => sum + value(cell), 0) / cells.length : undefined;
}

function fit(grid: Cell[][]): void {
  for (const column of grid) place(column, column.map(() => 0));
  for (let turn = 0; turn < FITTINGS; turn++) {
    const isBack = turn % 2 === 1;
    for (const column of isBack ? [...grid].reverse() : grid) {
      place(column, column.map((cell) => {
        const nearest = isBack ? cell.after : cell.before;
        return mean(nearest.length ? nearest : [...cell.before, ...cell.after], (each) => each.y) ?? cell.y;
      }));
    }
  }
}

/** Give a column the heights nearest to those wished for, in the sense of least squares, at which nothing overlaps. */
function place(column: readonly Cell[], wishes: readonly number[]): void {
  // Less what must be above it, a cell's height may only grow downwards: neighbours that disagree share their mean.
  const offsets: number[] = [];
  const blocks: { sum: number; size: number }[] = [];
  let offset = 0;
  column.forEach((cell, at) => {
    if (at > 0) offset += apart(column[at - 1]!, cell);
    offsets.push(offset);
    blocks.push({ sum: wishes[at]! - offset, size: 1 });
    for (let last = blocks.length - 1; last > 0 && level(blocks[last - 1]!) > level(blocks[last]!); last--) {
      const { sum, size } = blocks.pop()!;
      blocks[last - 1]!.sum += sum;
      blocks[last - 1]!.size += size;
    }
  });
  let at = 0;
  for (const block of blocks) for (let left = block.size; left > 0; left--, at++) column[at]!.y = level(block) + offsets[at]!;
}

function level({ sum, size }: { sum: number; size: number }): number {
  return sum / size;
}

function apart(one: Cell, other: Cell): number {
  return (one.height + other.height) / 2 + (one.node && other.node ? ROW_GAP : BEND_GAP);
}

function drawn(grid: readonly Cell[][], cells: readonly Cell[], pairs: readonly Pair[], chains: readonly Cell[][]): Layout {
  const all = grid.flat();
  const top = Math.min(...all.map(({ y, height }) => y - height / 2), 0);
  const bottom = Math.max(...all.map(({ y, height }) => y + height / 2), top);
  const widths = grid.map((column) => Math.max(...column.map(({ node }) => node?.width ?? 0)));
  const lefts: number[] = [];
  widths.forEach((_, at) => lefts.push(at === 0 ? MARGIN : lefts[at - 1]! + widths[at - 1]! + COLUMN_GAP));
  const height = (cell: Cell) => cell.y - top + MARGIN;
  const places = new Map(cells.map((cell) => [cell.node!.id, { x: lefts[cell.column]! + widths[cell.column]! / 2, y: height(cell), column: cell.column }]));
  const lines = chains.map((chain, at) => {
    const points = chain.flatMap((cell, step) => {
      const half = (cell.node?.width ?? widths[cell.column]!) / 2;
      const middle = lefts[cell.column]! + widths[cell.column]! / 2;
      const ends = [{ x: middle - half, y: height(cell) }, { x: middle + half, y: height(cell) }];
      if (step === 0) return ends.slice(1);
      return step === chain.length - 1 ? ends.slice(0, 1) : ends;
    });
    const isTurned = chain.length > 0 && chain[0] !== cells[pairs[at]!.from];
    // Beside what leads the same way forwards, if anything does.
    return isTurned ? points.reverse().map(({ x, y }) => ({ x, y: y + ASIDE })) : points;
  });
  const right = lefts.length ? lefts[lefts.length - 1]! + widths[widths.length - 1]! : 0;
  return { width: right + MARGIN, height: bottom - top + 2 * MARGIN, places, lines };
}
