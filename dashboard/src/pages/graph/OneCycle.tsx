// One cyclic component as a picture, with where it could be broken.

import { useMemo } from "preact/hooks";
import { useQuery } from "../../api/use.ts";
import { AllCyclesDocument, SubgraphDocument, type CycleFragment, type SubgraphQuery } from "../../generated.ts";
import { address } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Picture } from "../../ui/Picture.tsx";
import { Answered, Empty, Panel } from "../../ui/parts.tsx";
import { Breaks, Chain } from "./CycleParts.tsx";
import { drawn, ends, queryOf, selected } from "./selection.ts";

// As many as the server lists.
const LISTED = 1_000;
const DRAWN = 120;

export function OneCycle({ name }: { name: string }) {
  const answer = useQuery(AllCyclesDocument, { first: LISTED, ...selected() });
  return (
    <Answered answer={answer}>
      {({ cycles }) => {
        const cycle = cycles.nodes.find(({ packages }) => packages.includes(name));
        return cycle ? <Shown cycle={cycle} /> : <None name={name} isWhole={!cycles.truncated} />;
      }}
    </Answered>
  );
}

function None({ name, isWhole }: { name: string; isWhole: boolean }) {
  return (
    <Empty>
      <p>{isWhole ? `${name} is in no cycle` : `${name} is in none of the ${grouped(LISTED)} largest cycles`}, by the dependencies chosen above.</p>
      <p><a href={address(["cycles"], queryOf(selected()))}>All cycles</a></p>
    </Empty>
  );
}

function Shown({ cycle }: { cycle: CycleFragment }) {
  const packages = useMemo(() => chosen(cycle), [cycle]);
  const answer = useQuery(SubgraphDocument, { packages, ...selected() });
  return (
    <>
      <p>
        {counted(cycle.packages.length, "package")}, each needing all the others in the end. One shortest cycle: <Chain names={cycle.example} />
      </p>
      <Answered answer={answer}>{({ subgraph }) => <Part cycle={cycle} part={subgraph} />}</Answered>
      <Breaks breaks={cycle.suggestedBreaks} />
      {cycle.packages.length > 2 && <Members packages={cycle.packages} />}
    </>
  );
}

/** Return what can be drawn of it: the example first, then the ends of the breaks, then the others. */
function chosen({ packages, example, suggestedBreaks }: CycleFragment): string[] {
  const ranked = [...example, ...suggestedBreaks.flatMap(({ dependent, dependency }) => [dependent, dependency]), ...packages];
  return [...new Set(ranked)].slice(0, DRAWN);
}

function Part({ cycle, part }: { cycle: CycleFragment; part: SubgraphQuery["subgraph"] }) {
  const keep = queryOf(selected());
  const { nodes, edges } = useMemo(() => {
    const breaks = new Set(cycle.suggestedBreaks.map(ends));
    const example = new Set(cycle.example.slice(1).map((dependency, at) => ends({ dependent: cycle.example[at]!, dependency })));
    return {
      nodes: part.nodes.map(({ package: name }) => ({ id: name, label: name, href: address(["graph"], { ...keep, focus: name }) })),
      edges: part.edges.map((edge) => drawn(edge, breaks.has(ends(edge)) ? "cut" : example.has(ends(edge)) ? "path" : "plain")),
    };
  }, [cycle, part]);
  const inside = nodes.length < cycle.packages.length;
  return (
    <>
      <Picture label="The cycle" nodes={nodes} edges={edges} legend={{ cut: "a suggested break", path: "one shortest cycle" }} />
      {inside && (
        <p>
          Showing {grouped(nodes.length)} of {grouped(cycle.packages.length)} packages: those of the shortest cycle, then the ends of the
          suggested breaks, and the dependencies among them. All are listed below.
        </p>
      )}
    </>
  );
}

function Members({ packages }: { packages: readonly string[] }) {
  return (
    <Panel title={`All ${grouped(packages.length)} packages`}>
      <details><summary>By name</summary><p class="graph-members">{packages.join(", ")}</p></details>
    </Panel>
  );
}
