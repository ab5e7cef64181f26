// The states that a version has been in.

import { useEffect } from "preact/hooks";
import { useQuery } from "../../api/use.ts";
import { VersionHistoryDocument } from "../../generated.ts";
import { place } from "../../routing.ts";
import { Ago } from "../../ui/figures.tsx";
import { Answered, Badge, Empty, Panel } from "../../ui/parts.tsx";
import { Pager } from "../../ui/Pager.tsx";

/** `turn` changes whenever there may be a new one. */
export function Transitions({ subject, turn }: { subject: string; turn: string }) {
  const answer = useQuery(VersionHistoryDocument, { subject, after: place.value.query.get("tafter") });
  useEffect(answer.reload, [turn]);
  return (
    <Panel title="What has become of it">
      <Answered answer={answer}>
        {({ stateTransitions: { nodes, pageInfo } }) => (
          <>
            {nodes.length === 0 && <Empty><p>No change of its state is on record.</p></Empty>}
            <ol class="rows cat-transitions" aria-label="Changes of state">
              {nodes.map((each) => (
                <li key={each.sequence}>
                  <Badge state={each.to} />
                  <span>{each.reason ?? (each.from ? "" : "first known")}</span>
                  <span class="note">{each.actor && `${each.actor}, `}<Ago at={each.at} /></span>
                </li>
              ))}
            </ol>
            <Pager label="changes of state" page={pageInfo} prefix="t" />
          </>
        )}
      </Answered>
    </Panel>
  );
}
