// The end of a log, as far as it is kept: read a page after the other, the oldest let go once there are too many.

import { ask } from "../../api/ask.ts";
import { BuildLogDocument, type LoggedLineFragment } from "../../generated.ts";

const PAGE = 1_000;
const KEPT = 5;
// As far as a reader may go back: a browser is no good at showing more.
const MOST = 20;

/** Lines that were read together. */
export interface Chunk {
  /** The last line before it. */
  after: string | null;
  /** Null: let go, and read again when asked for. */
  lines: LoggedLineFragment[] | null;
}

export class LogTail {
  chunks: Chunk[] = [];
  /** Lines that were read, kept or not. */
  total = 0;
  private cursor: string | null = null;
  private wanted = KEPT;
  private readonly abort = new AbortController();
  private reading: Promise<void> = Promise.resolve();

  constructor(private readonly build: string, private readonly onRead: () => void) {}

  /** Read what has been printed since, to the end. One reading waits for the other. Throws Refused. */
  read(): Promise<void> {
    this.reading = this.reading.catch(() => undefined).then(() => this.readOn());
    return this.reading;
  }

  /** The chunks that are kept, and how many lines there are before them. */
  get kept(): Chunk[] {
    return this.chunks.filter(({ lines }) => lines !== null);
  }

  get earlier(): number {
    return this.total - this.kept.reduce((sum, { lines }) => sum + lines!.length, 0);
  }

  get mayGoBack(): boolean {
    return this.earlier > 0 && this.wanted < MOST;
  }

  /** Read the chunk before the first that is kept once more. */
  async goBack(): Promise<void> {
    const index = this.chunks.findLastIndex(({ lines }) => lines === null);
    const chunk = this.chunks[index];
    if (!chunk || !this.mayGoBack) return;
    this.wanted += 1;
    chunk.lines = (await this.page(chunk.after))?.nodes ?? [];
    this.onRead();
  }

  close(): void {
    this.abort.abort();
  }

  private async readOn(): Promise<void> {
    for (let goesOn = true; goesOn;) {
      const page = await this.page(this.cursor);
      if (!page || page.nodes.length === 0) return;
      this.add(page.nodes);
      this.cursor = page.pageInfo.endCursor ?? this.cursor;
      goesOn = page.pageInfo.hasNextPage;
      this.onRead();
    }
  }

  private async page(after: string | null) {
    const { build } = await ask(BuildLogDocument, { id: this.build, after, first: PAGE }, this.abort.signal);
    return build?.log;
  }

  // A chunk is what one page holds, so that it can be read again as it was.
  private add(lines: LoggedLineFragment[]): void {
    this.total += lines.length;
    let before = this.cursor;
    for (let rest = lines; rest.length > 0;) {
      let last = this.chunks.at(-1);
      if (!last?.lines || last.lines.length >= PAGE) {
        last = { after: before, lines: [] };
        this.chunks.push(last);
      }
      const taken = rest.slice(0, PAGE - last.lines!.length);
      this.chunks[this.chunks.length - 1] = { after: last.after, lines: [...last.lines!, ...taken] };
      before = taken.at(-1)!.sequence;
      rest = rest.slice(taken.length);
    }
    const kept = this.kept;
    for (const chunk of kept.slice(0, Math.max(0, kept.length - this.wanted))) chunk.lines = null;
  }
}

// Colours and the like, which terminals make of escape sequences; and other characters that are not for the eye.
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-~])/g;
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A line as a terminal would leave it, without its colours. */
export function plain(text: string): string {
  const shown = text.replace(ESCAPES, "").replace(/\r+$/, "");
  // What was printed over, as by a progress bar, is gone.
  return shown.slice(shown.lastIndexOf("\r") + 1).replace(UNSEEN, "");
}
