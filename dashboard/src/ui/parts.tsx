// Small parts that every page is made of.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Refused } from "../api/ask.ts";
import { address } from "../routing.ts";

interface PageProps {
  title: string;
  /** Beside the title: what can be done here. */
  actions?: ComponentChildren;
  /** Under the title: a sentence. */
  lead?: ComponentChildren;
  children: ComponentChildren;
}

// Whoever has just loaded all begins at its beginning, where the link past the navigation is.
let isFirstPage = true;

/** A page: its title is the document's, and has the focus when one comes to it from another. */
export function Page({ title, actions, lead, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isFirstPage) heading.current?.focus({ preventScroll: true });
    isFirstPage = false;
  }, []);
  useEffect(() => {
    document.title = `${title} · Buildatlas`;
  }, [title]);
  return (
    <article class="page">
      <header class="page-head">
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {actions && <div class="actions">{actions}</div>}
        {lead && <div class="lead">{lead}</div>}
      </header>
      {children}
    </article>
  );
}

interface PanelProps {
  title: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}

/** A titled part of a page. */
export function Panel({ title, actions, children, class: name = "" }: PanelProps) {
  return (
    <section class={`panel ${name}`}>
      <div class="panel-head"><h2>{title}</h2>{actions && <div class="actions">{actions}</div>}</div>
      {children}
    </section>
  );
}

/** Why something cannot be shown, and what to do: the server says so itself. */
export function Problem({ error, retry }: { error: Refused; retry?: () => void }) {
  return (
    <div class="problem" role="alert">
      <p>{error.message}</p>
      {retry && error.code === "UNREACHABLE" && <button type="button" onClick={retry}>Try again</button>}
      <p class="note">{error.code}</p>
    </div>
  );
}

/** There is nothing to show; `children` say what to do about it. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>;
}

/** What will be there in a moment. */
export function Loading({ what = "Loading" }: { what?: string }) {
  return <p class="loading" role="status">{what}…</p>;
}

/** Show an answer once it is there, what went wrong, or that it is coming. */
export function Answered<Result>({ answer, children }: {
  answer: { data?: Result; error?: Refused; isLoading: boolean; reload: () => void };
  children: (data: Result) => ComponentChildren;
}) {
  const { data, error, isLoading, reload } = answer;
  return (
    <>
      {error && <Problem error={error} retry={reload} />}
      {data === undefined ? !error && <Loading /> : <div class="answered" aria-busy={isLoading || undefined}>{children(data)}</div>}
    </>
  );
}

type Tone = "plain" | "good" | "bad" | "busy" | "wait" | "warn";

const TONES: Record<string, Tone> = {
  SUCCESS: "good", UNCHANGED: "good", SKIPPED: "good", RESOLVED: "good",
  FAILURE: "bad", DEP_FAILED: "bad", UNRESOLVABLE: "bad", TIMED_OUT: "bad", INFRA_ERROR: "bad", FIRING: "bad", CRITICAL: "bad",
  QUARANTINED: "bad", YANKED: "bad",
  ASSIGNED: "busy", PREPARING: "busy", RUNNING: "busy", FINALIZING: "busy",
  QUEUED: "wait", BLOCKED: "wait", PENDING: "wait", DRAFT: "wait", INFO: "wait",
  CANCELING: "warn", CANCELED: "warn", SUPERSEDED: "warn", DEPRECATED: "warn", ARCHIVED: "warn", WARNING: "warn", ACKNOWLEDGED: "warn",
};

/** The tone of a state. */
export function toneOf(state: string): Tone {
  return TONES[state] ?? "plain";
}

/** A state, in words: colour says nothing that they do not. */
export function Badge({ state }: { state: string }) {
  return <span class={`badge ${toneOf(state)}`}>{words(state)}</span>;
}

/** "DEP_FAILED" as "dep failed". */
export function words(state: string): string {
  return state.toLowerCase().replaceAll("_", " ");
}

/** A build's state: how it ended, or where it is. */
export function BuildState({ status, conclusion }: { status: string; conclusion?: string | null }) {
  return <Badge state={conclusion ?? status} />;
}

export function PackageLink({ name }: { name: string }) {
  return <a class="name" href={address(["packages", name])}>{name}</a>;
}

export function VersionLink({ name, version }: { name: string; version: string }) {
  return <a class="version" href={address(["packages", name, version])}>{version}</a>;
}

export function RunLink({ id, number }: { id: string; number: number }) {
  return <a href={address(["runs", id])}>Run {number}</a>;
}

export function BuildLink({ id, children }: { id: string; children?: ComponentChildren }) {
  return <a href={address(["builds", id])}>{children ?? id}</a>;
}
