// A box to find a package by typing: a combobox with a list, by the keyboard or the mouse.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Refused, ask } from "../api/ask.ts";
import { asRefused } from "../api/use.ts";
import { FindPackagesDocument, type FindPackagesQuery, type FoundPackageFragment } from "../generated.ts";
import { counted } from "./figures.tsx";
import { Badge } from "./parts.tsx";

const SHOWN = 12;
const PAUSE = 120;

interface PickerProps {
  label: string;
  /** Hide the label from sight. */
  quiet?: boolean;
  placeholder?: string;
  /** What stands in the box at first. */
  value?: string;
  /** Empty the box once something is picked. */
  clears?: boolean;
  /** A package of the list, or, by Enter, whatever was typed. */
  onPick: (name: string) => void;
  /** Read a name, and what else may be typed behind it; without this all that is typed is the name. */
  split?: (text: string) => { name: string; rest: string };
  /** Keys that jump here from anywhere on the page. */
  shortcut?: string;
}

interface Found { text: string; packages: FoundPackageFragment[]; total: number }

export function PackagePicker({ label, quiet = false, placeholder = "part of a name", value = "", clears = false, onPick, split = whole, shortcut }: PickerProps) {
  const id = useId();
  const box = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const { name: sought, rest } = split(text.trim());
  const { found, error } = useFound(sought, isOpen);
  useShortcut(shortcut, box);
  useEffect(() => setText(value), [value]);

  const shown = isOpen && text.trim() ? found?.packages ?? [] : [];
  const pick = (name: string) => {
    setOpen(false);
    setActive(-1);
    setText(clears ? "" : name);
    onPick(name);
  };
  const withRest = (name: string) => (rest ? `${name} ${rest}` : name);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      if (shown.length) setActive((active + step + shown.length + (active < 0 && step < 0 ? 1 : 0)) % shown.length);
    } else if (event.key === "Enter") {
      const chosen = shown[active] ? withRest(shown[active].name) : text.trim();
      if (!chosen) return;
      event.preventDefault();
      pick(chosen);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      setOpen(false);
    }
  };

  return (
    <div class="field picker" onFocusOut={(event) => event.currentTarget.contains(event.relatedTarget as Node) || setOpen(false)}>
      <label for={id} class={quiet ? "away" : ""}>{label}</label>
      <input
        ref={box} id={id} type="text" role="combobox" autocomplete="off" spellcheck={false} placeholder={placeholder} value={text}
        aria-expanded={shown.length > 0} aria-controls={`${id}-list`} aria-autocomplete="list" aria-keyshortcuts={shortcut}
        aria-activedescendant={active >= 0 && shown[active] ? `${id}-${active}` : undefined} aria-describedby={`${id}-note`}
        onInput={(event) => { setText(event.currentTarget.value); setOpen(true); setActive(-1); }}
        onFocus={() => setOpen(true)} onKeyDown={onKeyDown}
      />
      <div class="picker-pop" hidden={!isOpen || !text.trim()}>
        <ul id={`${id}-list`} role="listbox" aria-label={label}>
          {shown.map((each, index) => (
            <li
              key={each.name} id={`${id}-${index}`} role="option" aria-selected={index === active}
              onMouseDown={(event) => { event.preventDefault(); pick(withRest(each.name)); }}
            >
              <span class="name">{each.name}</span>
              <span class="version">{each.latestVersion?.version ?? "no release"}</span>
              {each.status !== "ACTIVE" && <Badge state={each.status} />}
            </li>
          ))}
        </ul>
        <p id={`${id}-note`} class="note" role="status">{isOpen && text.trim() ? `${rest ? `Enter adds ${withRest(shown[active]?.name ?? sought)}. ` : ""}${said(found, error)}` : ""}</p>
      </div>
    </div>
  );
}

function whole(text: string): { name: string; rest: string } {
  return { name: text, rest: "" };
}

function said(found: Found | undefined, error: Refused | undefined): string {
  if (error) return error.message;
  if (!found) return "Searching…";
  if (found.total === 0) return `No package has “${found.text}” in its name. Try a shorter part of it.`;
  const all = counted(found.total, "package");
  return found.packages.length < found.total ? `${all}, ${found.packages.length} shown. Type more to narrow them down.` : all;
}

function useFound(text: string, isOpen: boolean): { found?: Found | undefined; error?: Refused } {
  const [state, setState] = useState<{ found?: Found; error?: Refused }>({});
  useEffect(() => {
    if (!text || !isOpen) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      ask(FindPackagesDocument, { text, first: SHOWN }, abort.signal).then(
        (data) => abort.signal.aborted || setState({ found: { text, packages: likeliest(text, data), total: data.hold.totalCount } }),
        (error: unknown) => abort.signal.aborted || setState({ error: asRefused(error) }),
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text, isOpen]);
  return state;
}

/** The name itself first, then those that begin with the text, shorter ones first, then those that hold it. */
function likeliest(text: string, { begin, hold }: FindPackagesQuery): FoundPackageFragment[] {
  const begins = (each: FoundPackageFragment) => each.name.toLowerCase().startsWith(text.toLowerCase());
  const unique = [...new Map([...begin.nodes, ...hold.nodes].map((each) => [each.name, each])).values()];
  return unique
    .sort((one, other) => Number(begins(other)) - Number(begins(one)) || (begins(one) ? one.name.length - other.name.length : 0))
    .slice(0, SHOWN);
}

function useShortcut(key: string | undefined, box: { current: HTMLInputElement | null }): void {
  useEffect(() => {
    if (!key) return undefined;
    const jump = (event: KeyboardEvent) => {
      const isTyping = (event.target as Element).closest("input, select, textarea, [contenteditable]");
      if (event.key !== key || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
      event.preventDefault();
      box.current?.focus();
      box.current?.select();
    };
    document.addEventListener("keydown", jump);
    return () => document.removeEventListener("keydown", jump);
  }, [key]);
}
