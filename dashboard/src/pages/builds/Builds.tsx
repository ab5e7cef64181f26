// Builds, newest first, as a filter lets them through; and one of them.

import "./builds.css";
import { useNews } from "../../api/news.ts";
import { useQuery } from "../../api/use.ts";
import {
  BuildListDocument, type BuildConclusion, type BuildFilter, type BuildListQuery, type BuildListQueryVariables, type BuildStatus,
} from "../../generated.ts";
import { address, place } from "../../routing.ts";
import { Ago, Elapsed, counted } from "../../ui/figures.tsx";
import { Answered, BuildLink, BuildState, Empty, Page } from "../../ui/parts.tsx";
import { Pager, pageIn } from "../../ui/Pager.tsx";
import { Build } from "./Build.tsx";
import { Filter } from "./Filter.tsx";

const SHOWN = 50;

export default function Builds({ parts: [id] }: { parts: string[] }) {
  return id ? <Build id={id} /> : <BuildList />;
}

function BuildList() {
  const variables = asked(place.value.query);
  const answer = useQuery(BuildListDocument, variables);
  const { run, package: name } = variables.filter;
  useNews({ kinds: ["BUILD_CHANGED"], run, packages: name ? [name] : null }, answer.data?.server.cursor, answer.reload);
  return (
    <Page title="Builds">
      <Filter />
      <Answered answer={answer}>{(data) => <Found data={data} />}</Answered>
    </Page>
  );
}

function asked(query: URLSearchParams): BuildListQueryVariables {
  const filter: BuildFilter = {};
  if (query.has("status")) filter.status = query.getAll("status") as BuildStatus[];
  if (query.has("conclusion")) filter.conclusion = query.getAll("conclusion") as BuildConclusion[];
  for (const key of ["package", "worker", "run"] as const) if (query.get(key)) filter[key] = query.get(key);
  return { filter, ...pageIn(query, SHOWN) };
}

function Found({ data: { builds } }: { data: BuildListQuery }) {
  if (builds.totalCount === 0) return <None />;
  return (
    <>
      <div class="scroll panel">
        <table>
          <caption class="away">Builds</caption>
          <thead>
            <tr>
              <th scope="col">Package</th><th scope="col">State</th><th scope="col">Worker</th><th scope="col">Planned</th>
              <th scope="col">Took</th><th scope="col">What is said of it</th>
            </tr>
          </thead>
          <tbody>{builds.nodes.map((build) => <BuildRow key={build.id} build={build} />)}</tbody>
        </table>
      </div>
      <Pager label="builds" page={builds.pageInfo} note={counted(builds.totalCount, "build")} back />
    </>
  );
}

function None() {
  if (place.value.query.size) return <Empty><p>No build is like this. <a href={address(["builds"])}>Show all builds</a></p></Empty>;
  return <Empty><p>Nothing has been built yet. <a href={address(["plan"])}>Look at a plan</a>, and start it.</p></Empty>;
}

function BuildRow({ build }: { build: BuildListQuery["builds"]["nodes"][number] }) {
  const { id, status, conclusion, worker, createdAt, startedAt, completedAt, reason, message, attempt, maxAttempts } = build;
  const isWaiting = status === "QUEUED" || status === "BLOCKED";
  return (
    <tr>
      <th scope="row" class="builds-what">
        <BuildLink id={id}><span class="name">{build.packageVersion.package.name}</span> <span class="version">{build.packageVersion.version}</span></BuildLink>
      </th>
      <td><BuildState status={status} conclusion={conclusion} /></td>
      <td>{!isWaiting && worker}{attempt > 1 && <span class="note"> attempt {attempt} of {maxAttempts}</span>}</td>
      <td class="figure"><Ago at={createdAt} /></td>
      <td>{startedAt && !isWaiting && <Elapsed from={startedAt} to={completedAt} />}</td>
      <td class="builds-said">{reason ?? message}</td>
    </tr>
  );
}
