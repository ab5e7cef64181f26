// What keeps builds back, in words, and what to do about it.

import type { ComponentChildren } from "preact";
import type { BlockReasonKind, ReasonFragment } from "../../generated.ts";
import { address } from "../../routing.ts";
import { counted } from "../../ui/figures.tsx";
import { PackageLink } from "../../ui/parts.tsx";

const SHOWN = 5;

const NAMES: Record<BlockReasonKind, string> = {
  BACKOFF: "waits before it is tried again",
  CYCLE: "is part of a cycle",
  DEP_BUILDING: "is not built yet",
  DEP_FAILED: "has failed",
  DEP_MISSING: "is not registered",
  NO_WORKER: "finds no worker",
  POLICY: "is not to be built",
  UNRESOLVABLE: "has no version that satisfies",
};

/** What is so of the package of a cause. */
export function kindName(kind: BlockReasonKind): string {
  return NAMES[kind];
}

export function whatToDo(kind: BlockReasonKind, name: string): ComponentChildren {
  switch (kind) {
    case "DEP_FAILED":
      return <>look at <a href={address(["builds"], { package: name })}>its builds</a>, mend it, and try its build again or publish a version that builds. What waits goes on by itself.</>;
    case "DEP_MISSING":
      return "publish it, or take it out of what needs it.";
    case "UNRESOLVABLE":
      return <>publish a version of <PackageLink name={name} /> that satisfies, or widen the constraint of what needs it.</>;
    case "CYCLE":
      return <>break the cycle: see <a href={address(["cycles"])}>all cycles</a> and what to leave out.</>;
    case "NO_WORKER":
      return <>start a worker that offers what it wants: <code>buildatlas worker --url URL --label KEY=VALUE -- COMMAND</code>.</>;
    case "POLICY":
      return <>make <PackageLink name={name} /> active again, or leave it out of the run.</>;
    case "BACKOFF":
      return "nothing: it is tried again by itself.";
    case "DEP_BUILDING":
      return "nothing: what waits for it goes on once it is built.";
  }
}

/** What keeps a build back: what is to be mended first, and then the nearest. */
export function Reasons({ reasons }: { reasons: readonly ReasonFragment[] }) {
  const [shown, rest] = [reasons.slice(0, SHOWN), reasons.slice(SHOWN)];
  return (
    <>
      <ul class="reasons">{shown.map((reason) => <Reason key={keyOf(reason)} reason={reason} />)}</ul>
      {rest.length > 0 && (
        <details>
          <summary>{counted(rest.length, "more cause")}</summary>
          <ul class="reasons">{rest.map((reason) => <Reason key={keyOf(reason)} reason={reason} />)}</ul>
        </details>
      )}
    </>
  );
}

function keyOf({ kind, path, message }: ReasonFragment): string {
  return `${kind} ${path.join(" ")} ${message}`;
}

// One cause, with the chain to it.
function Reason({ reason: { kind, package: name, path, transient, message } }: { reason: ReasonFragment }) {
  return (
    <li class="reason">
      <p><PackageLink name={name} /> {kindName(kind)}{transient && <span class="note"> · passes by itself</span>}</p>
      <p class="blocker-said">{message}</p>
      {path.length > 1 && (
        <p class="note reason-path">
          {path.map((each, index) => <span key={each}>{index > 0 && " needs "}<PackageLink name={each} /></span>)}
        </p>
      )}
      <p><b>To do:</b> {whatToDo(kind, name)}</p>
    </li>
  );
}
