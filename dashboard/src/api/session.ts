// Who looks: a token is exchanged for a cookie that no script can read.

import { computed, signal } from "@preact/signals";
import { Refused, isLocked } from "./ask.ts";

export type Scope = "read" | "write" | "build" | "admin";

export interface Viewer {
  /** The token's name, or null for whoever shows none. */
  token: string | null;
  scopes: Scope[];
  isKnown: boolean;
}

/** Null until the server has told. */
export const viewer = signal<Viewer | null>(null);

const scopes = computed(() => new Set(viewer.value?.scopes ?? []));

// As the server has it: who may write or build may read, and an administrator may everything.
const IMPLIED: Record<Scope, Scope[]> = {
  read: ["read", "write", "build", "admin"], write: ["write", "admin"], build: ["build", "admin"], admin: ["admin"],
};

/** Whether the viewer may do what needs `scope`. Before that is known nothing is offered that might be refused. */
export function may(scope: Scope): boolean {
  return IMPLIED[scope].some((each) => scopes.value.has(each));
}

export async function learnViewer(): Promise<void> {
  const response = await fetch("session").catch(() => null);
  viewer.value = response?.ok ? await response.json() : null;
  isLocked.value = response !== null && (response.status === 401 || !may("read"));
}

/** Begin a session. Throws Refused. */
export async function signIn(token: string): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch("session", { method: "POST", headers, body: JSON.stringify({ token }) }).catch(() => {
    throw new Refused("The server does not answer. See whether it still runs, then try again.", "UNREACHABLE");
  });
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.errors?.[0]?.message ?? `The server answered ${response.status}.`, "UNAUTHENTICATED");
  viewer.value = answer;
  isLocked.value = false;
}

/** End the session, here and in what the browser keeps. */
export async function signOut(): Promise<void> {
  await fetch("session", { method: "DELETE" });
  await learnViewer();
}
