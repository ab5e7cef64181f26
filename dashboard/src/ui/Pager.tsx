// Going through a long list page by page; where the reader is stands in the address.

import type { TurningFragment } from "../generated.ts";
import { changed, place } from "../routing.ts";

interface PagerProps {
  /** What the list holds, for those who do not see it. */
  label: string;
  page: TurningFragment;
  /** How long the whole list is, in words. */
  note?: string;
  /** Names this list's place in the query of the address, where a page has several. */
  prefix?: string;
  /** Whether the list can be read backwards; otherwise one goes back to its start. */
  back?: boolean;
}

/** The part of a list that the address names, as variables of its query. */
export function pageIn(query: URLSearchParams, size: number, prefix = "") {
  const before = query.get(`${prefix}before`);
  return before ? { last: size, before } : { first: size, after: query.get(`${prefix}after`) };
}

/** What takes the reader to the first page, for whatever changes the list. */
export function firstPage(prefix = "") {
  return { [`${prefix}after`]: null, [`${prefix}before`]: null };
}

export function Pager({ label, page, note, prefix = "", back = false }: PagerProps) {
  const { query } = place.value;
  const isFirst = !query.has(`${prefix}after`) && !query.has(`${prefix}before`);
  // Read backwards, a page tells only that something is before it; read forwards, that something is after it.
  const hasBefore = !isFirst && (page.hasPreviousPage || query.has(`${prefix}after`));
  const hasAfter = page.hasNextPage || query.has(`${prefix}before`);
  if (isFirst && !hasAfter) return null;
  const to = (changes: Record<string, string | null>) => changed({ ...firstPage(prefix), ...changes });
  return (
    <nav class="pager" aria-label={`Pages of ${label}`}>
      {note && <span class="note">{note}</span>}
      <Turn to={isFirst ? null : to({})}>First</Turn>
      {back && <Turn to={hasBefore ? to({ [`${prefix}before`]: page.startCursor }) : null}>Previous</Turn>}
      <Turn to={hasAfter ? to({ [`${prefix}after`]: page.endCursor }) : null}>Next</Turn>
    </nav>
  );
}

function Turn({ to, children }: { to: string | null; children: string }) {
  return to ? <a class="button" href={to}>{children}</a> : <button type="button" disabled>{children}</button>;
}
