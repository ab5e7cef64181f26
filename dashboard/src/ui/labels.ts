// Labels as one types them.

import type { LabelInput } from "../generated.ts";

/** Read labels, each KEY=VALUE; `wrong` is the first part that is none. */
export function labelsIn(text: string, separator: string): { labels: LabelInput[]; wrong?: string | undefined } {
  const parts = text.split(separator).map((part) => part.trim()).filter(Boolean);
  const labels = parts.map((part) => ({ key: part.slice(0, part.indexOf("=")).trim(), value: part.slice(part.indexOf("=") + 1).trim() }));
  return { labels, wrong: parts.find((part) => part.indexOf("=") < 1) };
}

/** Why a part is no label. */
export function noLabel(part: string): string {
  return `“${part}” has no = between a key and a value.`;
}
