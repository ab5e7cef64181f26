// Where in a question something cannot be read, as the server tells it.

import type { Refused } from "../../api/ask.ts";

export interface Wrong {
  /** Names of fields and indices, from the question on: `requirements`, `1`, `constraint`. */
  path: string[];
  message: string;
  /** What was given, and where in it the trouble is; not told when it is not about a text. */
  text?: string | undefined;
  position?: number | undefined;
  expected?: string | undefined;
}

/** Return what is wrong and where, or undefined if the error is not about one entry of the question. */
export function placeOf(error: Refused | undefined): Wrong | undefined {
  const path = error?.facts["path"];
  if (!error || !Array.isArray(path) || path.length < 2) return undefined;
  const { text, position, expected } = error.facts;
  return {
    path: path[0] === "resolve" ? path.slice(1) : path,
    message: error.message,
    text: typeof text === "string" ? text : undefined,
    position: typeof position === "number" ? position : undefined,
    expected: typeof expected === "string" ? expected : undefined,
  };
}

/** Return what is wrong with one entry of a list. */
export function wrongIn(wrong: Wrong | undefined, list: string, index: number): Wrong | undefined {
  return wrong?.path[0] === list && wrong.path[1] === String(index) ? wrong : undefined;
}
