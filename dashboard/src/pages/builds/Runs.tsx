// Runs, newest first, and one of them.

import "./builds.css";
import { useNews } from "../../api/news.ts";
import { useQuery } from "../../api/use.ts";
import { RunListDocument, type RunHeadFragment, type RunListQuery } from "../../generated.ts";
import { address, place } from "../../routing.ts";
import { Ago, Elapsed, counted } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, Page, RunLink, words } from "../../ui/parts.tsx";
import { Pager } from "../../ui/Pager.tsx";
import { Progress } from "../../ui/Progress.tsx";
import { Labels } from "./Labels.tsx";
import { Run } from "./Run.tsx";

const SHOWN = 25;
// A run tells of its own changes, and not of those of its builds.
const EVERY = 3_000;

export default function Runs({ parts: [id] }: { parts: string[] }) {
  return id ? <Run id={id} /> : <RunList />;
}

function RunList() {
  const after = place.value.query.get("after");
  const answer = useQuery(RunListDocument, { first: SHOWN, after }, { every: EVERY });
  useNews({ kinds: ["RUN_CHANGED"] }, answer.data?.server.cursor, answer.reload);
  return (
    <Page title="Runs" lead="Builds that were started together, newest first.">
      <Answered answer={answer}>{(data) => <Found data={data} />}</Answered>
    </Page>
  );
}

function Found({ data: { runs } }: { data: RunListQuery }) {
  if (runs.totalCount === 0) {
    return <Empty><p>Nothing has been built yet. <a href={address(["plan"])}>Look at a plan</a>, and start it.</p></Empty>;
  }
  return (
    <>
      <div class="scroll panel">
        <table>
          <caption class="away">Runs</caption>
          <thead>
            <tr>
              <th scope="col">Run</th><th scope="col">Started</th><th scope="col">State</th><th scope="col">Builds</th>
              <th scope="col">Took</th><th scope="col">Why</th><th scope="col">Labels</th>
            </tr>
          </thead>
          <tbody>{runs.nodes.map((run) => <RunRow key={run.id} run={run} />)}</tbody>
        </table>
      </div>
      <Pager label="runs" page={runs.pageInfo} note={counted(runs.totalCount, "run")} />
    </>
  );
}

function RunRow({ run }: { run: RunHeadFragment }) {
  return (
    <tr>
      <th scope="row" class="runs-when"><RunLink id={run.id} number={run.number} /></th>
      <td class="figure"><Ago at={run.createdAt} /></td>
      <td><Badge state={run.conclusion ?? run.status} /></td>
      <td class="runs-progress"><Progress total={run.total} counts={run.counts} /></td>
      <td><Elapsed from={run.createdAt} to={run.completedAt} /></td>
      <td>{words(run.trigger)}</td>
      <td><Labels labels={run.labels} /></td>
    </tr>
  );
}
