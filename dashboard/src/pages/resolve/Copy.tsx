// Pins to take elsewhere, as text or as JSON.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Pinned } from "./question.ts";

export function Copy({ pins }: { pins: readonly Pinned[] }) {
  const [said, setSaid] = useState("");
  const [byHand, setByHand] = useState("");
  const copy = async (text: string, what: string) => {
    const isCopied = await copied(text);
    setByHand(isCopied ? "" : text);
    setSaid(isCopied ? `Copied ${what}` : "");
  };
  return (
    <>
      <span class="note" role="status">{said}</span>
      <button type="button" onClick={() => copy(asText(pins), "as text")}>Copy</button>
      <button type="button" onClick={() => copy(asJson(pins), "as JSON")}>Copy JSON</button>
      {byHand && <ByHand text={byHand} />}
    </>
  );
}

// A browser gives its clipboard only to pages that came by HTTPS or from this machine.
async function copied(text: string): Promise<boolean> {
  if (!navigator.clipboard) return false;
  return navigator.clipboard.writeText(text).then(() => true, () => false);
}

function ByHand({ text }: { text: string }) {
  const box = useRef<HTMLTextAreaElement>(null);
  useEffect(() => box.current?.select(), [text]);
  return (
    <label class="field res-by-hand">
      <span class="label">The browser does not let this page copy: do it by hand</span>
      <textarea ref={box} class="mono" rows={6} readOnly value={text} />
    </label>
  );
}

function asText(pins: readonly Pinned[]): string {
  return pins.map(({ package: name, version }) => `${name}==${version}\n`).join("");
}

function asJson(pins: readonly Pinned[]): string {
  return JSON.stringify(pins.map(({ package: name, version }) => ({ package: name, version })), null, 2);
}
