// What is wrong by the rules of alerts, as it changes; beside it the rules themselves.

import "./alerts.css";
import { useNews } from "../../api/news.ts";
import { useQuery } from "../../api/use.ts";
import { AlertsDocument, type AlertsQuery, type AlertState, type ShownAlertFragment } from "../../generated.ts";
import { address, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Answered, Empty, Page, words } from "../../ui/parts.tsx";
import { Pager } from "../../ui/Pager.tsx";
import { AlertCard } from "./AlertCard.tsx";
import { Rule } from "./Rule.tsx";
import { Rules } from "./Rules.tsx";
import { SEVERITIES } from "./rules.ts";

const SHOWN = 50;
// What an alert says may change without its state: that is no event.
const EVERY = 15_000;
const OPEN: AlertState[] = ["FIRING", "ACKNOWLEDGED", "PENDING"];
const STATES: AlertState[] = [...OPEN, "RESOLVED"];

export default function Alerts({ parts: [part] }: { parts: string[] }) {
  if (part === "rules") return <Rules />;
  return part === "rule" ? <Rule /> : <List />;
}

function List() {
  const { query } = place.value;
  const asked = query.get("state")?.toUpperCase();
  const chosen = STATES.find((state) => state === asked);
  const answer = useQuery(AlertsDocument, { state: chosen ? [chosen] : OPEN, first: SHOWN, after: query.get("after") }, { every: EVERY });
  useNews({ kinds: ["ALERT_CHANGED"] }, answer.data?.server.cursor, answer.reload);
  return (
    <Page title="Alerts" actions={<a class="button" href={address(["alerts", "rules"])}>Rules</a>}>
      <Answered answer={answer}>
        {(data) => (
          <>
            <States data={data} chosen={chosen} />
            {data.alerts.nodes.length === 0 && <Quiet chosen={chosen} isBeyond={query.has("after")} />}
            <ul class="alerts">
              {gravestFirst(data.alerts.nodes).map((alert) => <AlertCard key={alert.id} alert={alert} onChange={answer.reload} />)}
            </ul>
            <Pager label="alerts" page={data.alerts.pageInfo} note={counted(data.alerts.totalCount, "alert")} />
          </>
        )}
      </Answered>
    </Page>
  );
}

/** What fires before what is taken on or may yet pass, and of each the most severe: on this page, as the server has the newest first. */
function gravestFirst(alerts: readonly ShownAlertFragment[]): ShownAlertFragment[] {
  const rank = ({ state, severity }: ShownAlertFragment) => STATES.indexOf(state) * SEVERITIES.length - SEVERITIES.indexOf(severity);
  return [...alerts].sort((one, other) => rank(one) - rank(other));
}

function States({ data, chosen }: { data: AlertsQuery; chosen: AlertState | undefined }) {
  const counts = { FIRING: data.firing, ACKNOWLEDGED: data.acknowledged, PENDING: data.pending, RESOLVED: data.resolved };
  return (
    <nav class="alerts-states" aria-label="States of alerts">
      <a href={address(["alerts"])} aria-current={chosen ? undefined : "page"}>Open</a>
      {STATES.map((state) => (
        <a key={state} href={address(["alerts"], { state: state.toLowerCase() })} aria-current={state === chosen ? "page" : undefined}>
          {words(state)} <span class="figure">{grouped(counts[state].totalCount)}</span>
        </a>
      ))}
    </nav>
  );
}

function Quiet({ chosen, isBeyond }: { chosen: AlertState | undefined; isBeyond: boolean }) {
  if (isBeyond) return <Empty><p>No alerts are this long ago. <a href={address(["alerts"], { state: chosen?.toLowerCase() })}>See the newest.</a></p></Empty>;
  const rules = <a href={address(["alerts", "rules"])}>rules</a>;
  return (
    <Empty>
      <p>{chosen ? `No alert is ${words(chosen)}.` : "Nothing is wrong by any rule."} An alert appears here, without reloading, once what one of the {rules} tells of is so.</p>
    </Empty>
  );
}
