// The pins of a resolution: as a table, as a tree, as a picture.

import { useMemo } from "preact/hooks";
import { may } from "../../api/session.ts";
import { address, changed, place } from "../../routing.ts";
import { counted, seconds } from "../../ui/figures.tsx";
import { PackageLink, Panel } from "../../ui/parts.tsx";
import type { Resolution } from "./answer.ts";
import { Copy } from "./Copy.tsx";
import { Drawn } from "./Drawn.tsx";
import { pickedIn } from "./pins.ts";
import { isSupposing, queryOf, type Question } from "./question.ts";
import { Table } from "./Table.tsx";
import { Tree } from "./Tree.tsx";

const VIEWS = [["table", "Table"], ["tree", "Tree"], ["picture", "Picture"]] as const;

interface PinsProps { question: Question; resolution: Resolution; onChange: (question: Question) => void }

export function Pins({ question, resolution, onChange }: PinsProps) {
  const picked = useMemo(() => pickedIn(resolution), [resolution]);
  const view = VIEWS.map(([each]) => each).find((each) => each === place.value.query.get("view")) ?? "table";
  return (
    <Panel title={counted(resolution.pins.length, "pin")} actions={<Actions question={question} resolution={resolution} onChange={onChange} />}>
      <Work statistics={resolution.statistics} />
      <nav class="res-views" aria-label="Show the pins as">
        {VIEWS.map(([each, name]) => (
          <a key={each} href={changed({ view: each === "table" ? null : each })} aria-current={view === each ? "true" : undefined}>{name}</a>
        ))}
      </nav>
      {view === "table" && <Table resolution={resolution} picked={picked} />}
      {view === "tree" && <Tree picked={picked} />}
      {view === "picture" && <Drawn resolution={resolution} picked={picked} />}
      <Cycles cycles={resolution.cycles} />
    </Panel>
  );
}

function Actions({ question, resolution, onChange }: PinsProps) {
  const lock = () => onChange({ ...question, locked: resolution.pins.map(({ package: name, version }) => ({ package: name, version })) });
  return (
    <>
      <Copy pins={resolution.pins} />
      {!isSupposing(question) && <button type="button" onClick={lock}>Lock these</button>}
      {may("build") && !isSupposing(question) && <a class="button primary" href={address(["plan"], { ...queryOf(question), resolve: "1" })}>Build these</a>}
    </>
  );
}

export function Work({ statistics: { durationSeconds, decisions, conflicts, packagesConsidered } }: { statistics: Resolution["statistics"] }) {
  return (
    <p class="note">
      Solved in {seconds(durationSeconds)}: {counted(decisions, "decision")}, {counted(conflicts, "conflict")}, {counted(packagesConsidered, "package")} looked at.
    </p>
  );
}

function Cycles({ cycles }: { cycles: Resolution["cycles"] }) {
  if (cycles.length === 0) return null;
  return (
    <section class="res-cycles">
      <h3>{cycles.length === 1 ? "One cycle among them" : `${cycles.length} cycles among them`}</h3>
      <ul class="rows">
        {cycles.map(({ packages, example }) => (
          <li key={packages[0]}>
            <span>{example.map((name, index) => <span key={index}>{index > 0 && " → "}<PackageLink name={name} /></span>)}</span>
            {packages.length > example.length && <span class="note">in a cycle of {counted(packages.length, "package")}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
