// Choosing the window: one that ends now, or back from one that was dragged over.

import { changed, go } from "../../routing.ts";
import { MINUTES } from "../../ui/figures.tsx";
import { WINDOWS, type Span } from "./span.ts";

const WORDS: Record<string, string> = { "1h": "Last hour", "6h": "Last 6 hours", "1d": "Last day", "7d": "Last 7 days", "30d": "Last 30 days" };

export function SpanPicker({ span }: { span: Span }) {
  const choose = (name: string) => go(changed({ window: name, from: null, to: null }));
  return (
    <div class="field monitoring-span">
      <label for="monitoring-window" class="away">Window</label>
      <select id="monitoring-window" value={span.name ?? ""} onChange={(event) => choose(event.currentTarget.value)}>
        {!span.name && <option value="">{MINUTES.formatRange(span.from * 1_000, span.to * 1_000)}</option>}
        {Object.keys(WINDOWS).map((name) => <option key={name} value={name}>{WORDS[name]}</option>)}
      </select>
    </div>
  );
}
