// What is around every page: where one can go, finding a package, how fresh all is, and who looks.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { connection, lag } from "./api/live.ts";
import { signOut, viewer } from "./api/session.ts";
import { FiringCount } from "./pages/monitoring/FiringCount.tsx";
import { address, go, place } from "./routing.ts";
import { now, seconds } from "./ui/figures.tsx";
import { PackagePicker } from "./ui/PackagePicker.tsx";

const PLACES: [group: string, places: [path: string, name: string][]][] = [
  ["Catalogue", [["packages", "Packages"], ["resolve", "Resolve"], ["graph", "Graph"], ["cycles", "Cycles"]]],
  ["Builds", [["plan", "Plan"], ["runs", "Runs"], ["builds", "Builds"], ["blockers", "Fix first"]]],
  ["Service", [["monitoring", "Monitoring"], ["alerts", "Alerts"], ["errors", "Errors"]]],
];

export function Frame({ children }: { children: ComponentChildren }) {
  const places = useRef<HTMLElement>(null);
  const here = place.value.path[0];
  useEffect(() => bringIntoSight(places.current!), [here]);
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={skip}>Skip to the page</a>
      <header class="bar">
        <a class="mark" href={address([])} aria-current={place.value.path.length === 0 ? "page" : undefined}>Buildatlas</a>
        <PackagePicker label="Find a package" quiet placeholder="Find a package" shortcut="/" clears onPick={(name) => go(address(["packages", name]))} />
        <Freshness />
        <Who />
      </header>
      <nav ref={places} class="places" aria-label="Pages">
        {PLACES.map(([group, places]) => (
          <div key={group} class="places-group">
            <p class="places-name" id={`nav-${group}`}>{group}</p>
            <ul aria-labelledby={`nav-${group}`}>
              {places.map(([path, name]) => (
                <li key={path}>
                  <a href={address([path])} aria-current={here === path ? "page" : undefined}>{name}{path === "alerts" && <FiringCount />}</a>
                </li>
              ))}
            </ul>
          </div>
        ))}
        <a class="places-ide" href="graphql">GraphQL</a>
      </nav>
      <main id="main" tabIndex={-1}>{children}</main>
    </div>
  );
}

/** On a phone the pages are a row that scrolls. */
function bringIntoSight(row: HTMLElement): void {
  const current = row.querySelector<HTMLElement>("[aria-current]");
  if (current) row.scrollLeft += current.getBoundingClientRect().left - (row.clientWidth - current.offsetWidth) / 2;
}

function skip(event: MouseEvent): void {
  event.preventDefault(); // The address is the page's: following the link would leave it.
  document.getElementById("main")?.focus();
}

function Freshness() {
  const { state, since } = connection.value;
  const age = Math.max(0, (Date.now() - since) / 1000);
  let text = "";
  if (state === "lost") {
    now.value; // Read, so that the seconds go on.
    text = `Reconnecting for ${seconds(Math.round(age))}: what you see may be old`;
  } else if (lag.value > 0 && state === "live") text = `Behind by ${seconds(lag.value)}`;
  else if (state === "live") text = "Live";
  else if (state === "connecting") text = "Connecting";
  return <p class={`freshness ${state} ${lag.value > 0 ? "behind" : ""}`} role="status">{text}</p>;
}

function Who() {
  const known = viewer.value;
  if (!known?.token) return known?.isKnown === false ? <a class="who" href={address(["sign-in"])}>Sign in</a> : null;
  return (
    <div class="who">
      <span title={`May: ${known.scopes.join(", ")}`}>{known.token}</span>
      <button type="button" class="quiet" onClick={() => void signOut()}>Sign out</button>
    </div>
  );
}
