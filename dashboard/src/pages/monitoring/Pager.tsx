// Going through a long list: on, and back to its beginning.

import { changed, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";

interface PagerProps {
  shown: number;
  total: number;
  word: string;
  next: { hasNextPage: boolean; endCursor: string | null };
}

export function Pager({ shown, total, word, next }: PagerProps) {
  const isFirst = !place.value.query.has("after");
  if (isFirst && !next.hasNextPage) return null;
  return (
    <nav class="monitoring-more" aria-label="Pages of the list">
      <span class="note">{grouped(shown)} of {counted(total, word)}</span>
      {!isFirst && <a href={changed({ after: null, open: null })}>Newest</a>}
      {next.hasNextPage && <a href={changed({ after: next.endCursor, open: null })}>Older</a>}
    </nav>
  );
}
