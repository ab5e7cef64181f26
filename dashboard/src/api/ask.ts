// Asking the server once. Whatever is shown comes from the public API, and from here or from live.ts.

import { signal } from "@preact/signals";
import type { TypedDocumentString } from "../generated.ts";

/** An answer that is not data: what went wrong, and what to do about it. */
export class Refused extends Error {
  constructor(message: string, readonly code: string, readonly facts: Record<string, unknown> = {}) {
    super(message);
  }
}

/** Whether the server has asked for a token since one was last given. */
export const isLocked = signal(false);

/** Seconds by which the server's clock is ahead of this one. */
export const clockOffset = signal(0);

// Longer ones go by POST, which nobody caches.
const LONGEST_ADDRESS = 6_000;

// What this page has written or heard of last: an answer must not be older, whichever process gives it.
let newest: string | undefined;

/** Have what is asked from now on be as new as `cursor`, a position of the event log. */
export function seen(cursor: string): void {
  if (newest === undefined || BigInt(cursor) > BigInt(newest)) newest = cursor;
}

/** Run one operation and return its data. Throws Refused, and AbortError when `abort` is given up. */
export async function ask<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  abort?: AbortSignal,
): Promise<Result> {
  const query = document.toString();
  const response = await send(query, variables, abort);
  const answer = await response.json().catch(() => {
    throw new Refused(`The server answered ${response.status} with something that is not JSON.`, "UNREACHABLE");
  });
  if (answer.errors?.length) throw refused(answer.errors);
  isLocked.value = false;
  return answer.data as Result;
}

async function send(query: string, variables: unknown, abort?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/graphql-response+json" };
  if (newest !== undefined) headers["Buildatlas-After"] = newest;
  const address = `graphql?${new URLSearchParams({ query, variables: JSON.stringify(variables) })}`;
  const isRead = query.trimStart().startsWith("query") && address.length <= LONGEST_ADDRESS;
  const request: RequestInit = isRead
    ? { headers }
    : { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify({ query, variables }) };
  try {
    const response = await fetch(isRead ? address : "graphql", { ...request, signal: abort ?? null });
    const date = response.headers.get("date");
    if (date && response.headers.get("age") === null) clockOffset.value = (Date.parse(date) - Date.now()) / 1000;
    return response;
  } catch (error) {
    if (abort?.aborted) throw error;
    throw new Refused("The server does not answer. See whether it still runs, then try again.", "UNREACHABLE");
  }
}

interface GraphQLErrorLike { message: string; extensions?: Record<string, unknown> & { code?: string } }

function refused(errors: GraphQLErrorLike[]): Refused {
  const { code = "UNKNOWN", ...facts } = errors[0]?.extensions ?? {};
  if (code === "UNAUTHENTICATED") isLocked.value = true;
  return new Refused(errors.map((error) => error.message).join("\n"), code, facts);
}
