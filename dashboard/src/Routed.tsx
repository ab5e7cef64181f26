// Which page an address names. Each is fetched when it is first opened.

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { SignIn } from "./pages/session/SignIn.tsx";
import { Empty, Loading, Page } from "./ui/parts.tsx";
import { address, place } from "./routing.ts";

/** A page, given the parts of the path after its first one. */
export type PageOf = ComponentType<{ parts: string[] }>;
type Fetch = () => Promise<{ default: PageOf }>;

const PAGES: Record<string, Fetch> = {
  "": () => import("./pages/home/Home.tsx"),
  packages: () => import("./pages/catalogue/Catalogue.tsx"),
  resolve: () => import("./pages/resolve/Resolve.tsx"),
  graph: () => import("./pages/graph/Graph.tsx"),
  cycles: () => import("./pages/graph/Cycles.tsx"),
  plan: () => import("./pages/graph/Plan.tsx"),
  runs: () => import("./pages/builds/Runs.tsx"),
  builds: () => import("./pages/builds/Builds.tsx"),
  blockers: () => import("./pages/builds/Blockers.tsx"),
  monitoring: () => import("./pages/monitoring/Monitoring.tsx"),
  alerts: () => import("./pages/monitoring/Alerts.tsx"),
  errors: () => import("./pages/monitoring/Errors.tsx"),
  "sign-in": async () => ({ default: SignIn }),
};

export function Routed() {
  const [first = "", ...parts] = place.value.path;
  const [shown, setShown] = useState<{ first: string; page?: PageOf; failed?: boolean }>({ first: "-" });
  useEffect(() => {
    let isWanted = true;
    PAGES[first]?.().then(
      (module) => isWanted && setShown({ first, page: module.default }),
      () => isWanted && setShown({ first, failed: true }),
    );
    return () => { isWanted = false; };
  }, [first]);
  if (!PAGES[first]) return <Unknown />;
  if (shown.failed && shown.first === first) return <Unfetched />;
  const Shown = shown.page;
  // A page opens anew when its path changes, and not when only its query does.
  return Shown && shown.first === first ? <Shown key={place.value.path.join("/")} parts={parts} /> : <Loading />;
}

function Unknown() {
  return (
    <Page title="Nothing here">
      <Empty><p>No page has this address. Go to the <a href={address([])}>overview</a>, or search for a package above.</p></Empty>
    </Page>
  );
}

function Unfetched() {
  return (
    <Page title="This page could not be fetched">
      <Empty>
        <p>The server does not answer, or was updated since this tab was opened.</p>
        <button type="button" onClick={() => location.reload()}>Reload</button>
      </Empty>
    </Page>
  );
}
