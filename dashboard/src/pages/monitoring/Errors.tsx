// Errors that nobody expected and failed attempts at builds, by fault.

import "./alerts.css";
import "./errors.css";
import { useQuery } from "../../api/use.ts";
import { ErrorsDocument, type ErrorsQuery } from "../../generated.ts";
import { address, changed, go, place } from "../../routing.ts";
import { Ago, counted, grouped } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, Page } from "../../ui/parts.tsx";
import { Pager } from "../../ui/Pager.tsx";
import { ErrorSample } from "./ErrorSample.tsx";

const SHOWN = 50;
const EVERY = 10_000;
const COMPONENTS = ["api", "http", "build", "chores"];
const COLUMNS = 5;

type Group = ErrorsQuery["errors"]["nodes"][number];

export default function Errors() {
  const { query } = place.value;
  const component = query.get("component");
  const answer = useQuery(ErrorsDocument, { component, first: SHOWN, after: query.get("after") }, { every: EVERY });
  return (
    <Page title="Errors" lead="The same fault is one row, however often it was met. What was seen last comes first.">
      <Components chosen={component ?? ""} />
      <Answered answer={answer}>
        {({ errors }) => (errors.nodes.length === 0 ? <None component={component} /> : (
          <>
            <Table groups={errors.nodes} />
            <Pager label="faults" page={errors.pageInfo} note={counted(errors.totalCount, "fault")} />
          </>
        ))}
      </Answered>
    </Page>
  );
}

function Components({ chosen }: { chosen: string }) {
  const known = chosen && !COMPONENTS.includes(chosen) ? [...COMPONENTS, chosen] : COMPONENTS;
  return (
    <div class="controls">
      <div class="field">
        <label for="errors-component">Part of the server</label>
        <select id="errors-component" value={chosen} onChange={(event) => go(changed({ component: event.currentTarget.value, after: null, open: null }))}>
          <option value="">all</option>
          {known.map((each) => <option key={each} value={each}>{each}</option>)}
        </select>
      </div>
    </div>
  );
}

function None({ component }: { component: string | null }) {
  if (component) return <Empty><p>No error of “{component}” is known. <a href={address(["errors"])}>See all parts.</a></p></Empty>;
  return <Empty><p>No error is known. What the server does not expect, and attempts at builds that fail, are counted here.</p></Empty>;
}

function Table({ groups }: { groups: readonly Group[] }) {
  return (
    <div class="panel scroll">
      <table class="errors">
        <thead>
          <tr><th scope="col">Fault</th><th scope="col">Part</th><th scope="col" class="end">Seen</th><th scope="col">Last</th><th scope="col">First</th></tr>
        </thead>
        <tbody>{groups.map((group) => <Row key={group.id} group={group} />)}</tbody>
      </table>
    </div>
  );
}

function Row({ group }: { group: Group }) {
  const isOpen = place.value.query.get("open") === group.id;
  return (
    <>
      <tr>
        <td>
          <div class="errors-fault">
            <button
              type="button" class="quiet" aria-expanded={isOpen} title={isOpen ? "Hide its sample" : "Show the last of them"}
              onClick={() => go(changed({ open: isOpen ? null : group.id }), { replace: true })}
            >
              {group.message}
            </button>
            <Badge state={group.code} />
          </div>
        </td>
        <td><a href={changed({ component: group.component, after: null, open: null })}>{group.component}</a></td>
        <td class="end">{grouped(group.count)}</td>
        <td class="figure"><Ago at={group.lastSeenAt} /></td>
        <td class="figure"><Ago at={group.firstSeenAt} /></td>
      </tr>
      {/* Seen again, it has another sample. */}
      {isOpen && <tr><td colSpan={COLUMNS}><ErrorSample key={group.count} id={group.id} /></td></tr>}
    </>
  );
}
