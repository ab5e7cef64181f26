// The overview: how big the catalogue is, what is being built, what is wrong.

import "./home.css";
import { useQuery } from "../../api/use.ts";
import { OverviewDocument, type OverviewQuery } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Ago, grouped } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, Page, Panel, RunLink } from "../../ui/parts.tsx";
import { Progress } from "../../ui/Progress.tsx";

const EVERY = 5_000;

export default function Home() {
  const answer = useQuery(OverviewDocument, {}, { every: EVERY });
  return (
    <Page title="Overview">
      <Answered answer={answer}>
        {(data) => (data.server.packages === 0 ? <Beginning /> : <Overview data={data} />)}
      </Answered>
    </Page>
  );
}

function Beginning() {
  return (
    <Empty>
      <p>The catalogue is empty. Fill it from JSON Lines, or have your build tool publish versions:</p>
      <pre>buildatlas import FILE</pre>
    </Empty>
  );
}

function Overview({ data }: { data: OverviewQuery }) {
  const { server, runs, alerts, queued, building } = data;
  return (
    <>
      <dl class="figures">
        <Figure name="packages" value={server.packages} to={address(["packages"])} />
        <Figure name="versions" value={server.versions} to={address(["packages"])} />
        <Figure name="dependencies" value={server.dependencies} to={address(["graph"])} />
        <Figure name="queued builds" value={queued.totalCount} to={address(["builds"], { status: "QUEUED" })} />
        <Figure name="being built" value={building.totalCount} to={address(["builds"], { status: ["ASSIGNED", "PREPARING", "RUNNING", "FINALIZING"] })} />
        <Figure name="alerts" value={alerts.totalCount} to={address(["alerts"])} tone={alerts.totalCount ? "bad" : ""} />
      </dl>
      <div class="columns">
        <Panel title="Newest runs" actions={runs.totalCount > 0 && <a href={address(["runs"])}>All {grouped(runs.totalCount)}</a>}>
          {runs.nodes.length === 0 && <Empty><p>Nothing has been built yet. <a href={address(["plan"])}>Look at a plan</a>, and start it.</p></Empty>}
          <ul class="rows">
            {runs.nodes.map((run) => (
              <li key={run.id}>
                <RunLink id={run.id} number={run.number} /> <span class="note"><Ago at={run.createdAt} /></span>
                <Badge state={run.conclusion ?? run.status} />
                <Progress total={run.total} counts={run.counts} />
              </li>
            ))}
          </ul>
        </Panel>
        <Panel title="What is wrong now" actions={<a href={address(["alerts"])}>Alerts</a>}>
          {alerts.nodes.length === 0 && <Empty><p>No alert is firing.</p></Empty>}
          <ul class="rows">
            {alerts.nodes.map((alert) => (
              <li key={alert.id}><Badge state={alert.severity} /> <span>{alert.message}</span> <span class="note"><Ago at={alert.startedAt} /></span></li>
            ))}
          </ul>
        </Panel>
      </div>
      <p class="note">Buildatlas {server.version} on {server.database}, since <Ago at={server.startedAt} />.</p>
    </>
  );
}

function Figure({ name, value, to, tone = "" }: { name: string; value: number; to: string; tone?: string }) {
  return <div class={`figure-card ${tone}`}><dt>{name}</dt><dd><a href={to}>{grouped(value)}</a></dd></div>;
}
