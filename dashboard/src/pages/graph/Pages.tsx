// A long list that is here already, page by page; which one is in the address.

import { changed, place } from "../../routing.ts";
import { grouped } from "../../ui/figures.tsx";

export interface PageOf<Row> { rows: readonly Row[]; number: number; last: number; start: number; total: number; name: string }

/** Return the page of `rows` that the address names by `name`. */
export function paged<Row>(rows: readonly Row[], size: number, name = "page"): PageOf<Row> {
  const last = Math.max(1, Math.ceil(rows.length / size));
  const asked = Number(place.value.query.get(name) ?? 1);
  const number = Number.isInteger(asked) ? Math.min(Math.max(asked, 1), last) : 1;
  const start = (number - 1) * size;
  return { rows: rows.slice(start, start + size), number, last, start, total: rows.length, name };
}

export function Pages({ page: { rows, number, last, start, total, name } }: { page: PageOf<unknown> }) {
  if (last === 1) return null;
  const to = (wanted: number) => changed({ [name]: wanted === 1 ? null : String(wanted) });
  return (
    <nav class="graph-pages" aria-label="Pages of the list">
      <span class="note">{grouped(start + 1)}–{grouped(start + rows.length)} of {grouped(total)}</span>
      {number > 1 && <a class="button" href={to(number - 1)}>Previous</a>}
      {number < last && <a class="button" href={to(number + 1)}>Next</a>}
    </nav>
  );
}
