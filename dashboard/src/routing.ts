// The address after the #: a path and a query, so that a link opens the same page wherever the server is mounted.

import { signal } from "@preact/signals";

export interface Place {
  /** The parts of the path, decoded. */
  path: string[];
  query: URLSearchParams;
}

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

function read(): Place {
  const [path = "", query = ""] = splitOnce(location.hash.slice(1), "?");
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // Typed by hand, with a % that means itself.
  }
}

/** Where the reader is. */
export const place = signal<Place>(read());

addEventListener("hashchange", () => {
  place.value = read();
});

/** Return the address of a path, each part as it is, and a query without what is empty. */
export function address(path: readonly string[], query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((each: string) => parameters.append(name, each));
    else if (value !== null && value !== undefined && value !== "" && value !== false) parameters.set(name, String(value));
  }
  const asked = parameters.size ? `?${parameters}` : "";
  return `#/${path.map(encodeURIComponent).join("/")}${asked}`;
}

/** Go to an address. In the place of the one that is shown when it is only refined, as by each key that is typed. */
export function go(there: string, { replace = false } = {}): void {
  if (!replace) {
    location.hash = there;
    return;
  }
  history.replaceState(null, "", there);
  place.value = read();
}

/** Return the address of the page that is shown with some of its query changed; null takes one away. */
export function changed(query: Query): string {
  const { path, query: now } = place.value;
  const before: Record<string, string | string[]> = {};
  for (const name of new Set(now.keys())) before[name] = now.getAll(name);
  return address(path, { ...before, ...query });
}
