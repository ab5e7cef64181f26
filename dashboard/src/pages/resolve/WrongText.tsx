// What is wrong with a text, and where in it.

import type { Wrong } from "./wrong.ts";

export function WrongText({ id, wrong: { message, text, position, expected } }: { id: string; wrong: Wrong }) {
  if (text === undefined || position === undefined || expected === undefined) return <p id={id} class="res-wrong" role="alert">{message}</p>;
  return (
    <p id={id} class="res-wrong" role="alert">
      <code>{text.slice(0, position)}<mark>{text.slice(position, position + 1) || "\u00a0"}</mark>{text.slice(position + 1)}</code>{" "}
      At character {position + 1}, expected {expected}.
    </p>
  );
}
