// All ways by which one package needs another.

import { useMemo } from "preact/hooks";
import { useQuery } from "../../api/use.ts";
import { PathsDocument, type PathsQuery } from "../../generated.ts";
import { address, changed, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Missing, isMissing } from "../../ui/Missing.tsx";
import { Picture } from "../../ui/Picture.tsx";
import { Answered, Empty, PackageLink } from "../../ui/parts.tsx";
import { drawn, ends, queryOf, selected } from "./selection.ts";

const FIRST = 60;
const MOST = 300;

export function Paths({ from, to }: { from: string; to: string }) {
  const most = place.value.query.get("most") === String(MOST) ? MOST : FIRST;
  const answer = useQuery(PathsDocument, { from, to, most, ...selected() });
  if (isMissing(answer)) return <><Missing name={from} to={(near) => changed({ from: near })} /><Missing name={to} to={(near) => changed({ to: near })} /></>;
  return <Answered answer={answer}>{({ paths }) => (paths.shortest ? <Found from={from} to={to} most={most} paths={paths} /> : <None from={from} to={to} />)}</Answered>;
}

function None({ from, to }: { from: string; to: string }) {
  return (
    <Empty>
      <p>{from} does not need {to}, directly or not, by the dependencies chosen above.</p>
      <p><a href={address(["graph"], { ...queryOf(selected()), from: to, to: from })}>Look the other way round</a>, or take in more kinds, all versions or optional dependencies.</p>
    </Empty>
  );
}

function Found({ from, to, most, paths }: { from: string; to: string; most: number; paths: PathsQuery["paths"] }) {
  const shortest = paths.shortest!;
  const keep = queryOf(selected());
  const { nodes, edges } = useMemo(() => {
    const marked = new Set(shortest.packages.slice(1).map((dependency, at) => ends({ dependent: shortest.packages[at]!, dependency })));
    return {
      nodes: paths.nodes.map((name) => ({
        id: name, label: name, href: address(["graph"], { ...keep, focus: name }),
        tone: name === from || name === to ? "focus" as const : "plain" as const,
      })),
      edges: paths.edges.map((edge) => drawn(edge, marked.has(ends(edge)) ? "path" : "plain")),
    };
  }, [paths]);
  return (
    <>
      <p class="graph-chain">
        A shortest way has {counted(shortest.length, "step")}: {shortest.packages.map((name, at) => <span key={name}>{at > 0 && " → "}<PackageLink name={name} /></span>)}
      </p>
      <Picture label={`All ways from ${from} to ${to}`} nodes={nodes} edges={edges} legend={{ focus: "both ends", path: "a shortest way" }} />
      {paths.truncated ? (
        <p>
          Showing {grouped(paths.nodes.length)} packages, those first that are the least way round; others lie on ways between the two as well.{" "}
          {most < MOST && <a href={changed({ most: String(MOST) })}>Show up to {MOST}</a>}
        </p>
      ) : <p class="note">{counted(paths.nodes.length, "package")} and {counted(paths.edges.length, "dependency", "dependencies")}: these are all ways.</p>}
    </>
  );
}
