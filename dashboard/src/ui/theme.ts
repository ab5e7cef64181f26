// The colours that the reader's system asks for, for what is drawn and not styled.

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

const dark = matchMedia("(prefers-color-scheme: dark)");
const theme = signal(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => {
  theme.value = dark.matches ? "dark" : "light";
});

/** Return the theme, also when it changes: what is drawn by tokens is to be drawn anew then. */
export function useTheme(): string {
  const [now, setNow] = useState(theme.peek());
  useEffect(() => theme.subscribe(setNow), []);
  return now;
}

/** The value of a token of base.css. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
