// The graph around a package, which grows where one asks it to.

import { useMemo } from "preact/hooks";
import { address, changed, go } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Missing, isMissing } from "../../ui/Missing.tsx";
import { Picture, type PictureGrowth } from "../../ui/Picture.tsx";
import { Answered, Empty } from "../../ui/parts.tsx";
import { MOST, useAround, type Around, type Grown } from "./around.ts";
import { DEEPEST, STEP, addressOf, opened, type Opened, type Side } from "./opened.ts";
import { drawn, queryOf, selected } from "./selection.ts";

export function Focus({ name }: { name: string }) {
  const answer = useAround(name, opened(), selected());
  if (isMissing(answer)) return <Missing name={name} to={(near) => changed({ focus: near })} />;
  return <Answered answer={answer}>{(data) => <Grow name={name} data={data} />}</Answered>;
}

/** How far out to open by itself. */
export function Depth() {
  const { depth } = opened();
  return (
    <label class="field">
      <span class="label">Levels opened</span>
      <select value={depth} onChange={(event) => go(changed({ depth: event.currentTarget.value, u: null, d: null }))}>
        {Array.from({ length: DEEPEST + 1 }, (_, each) => <option key={each} value={each}>{each === 0 ? "by hand" : each}</option>)}
      </select>
    </label>
  );
}

function Grow({ name, data }: { name: string; data: Around }) {
  const keep = queryOf(selected());
  const nodes = useMemo(() => data.part.nodes.map((node) => ({
    id: node.package, label: node.package, note: data.versions.get(node.package) ?? "",
    href: node.package === name ? address(["packages", name]) : address(["graph"], { ...keep, focus: node.package }),
    tone: node.package === name ? "focus" as const : "plain" as const,
    grow: growth(node, data),
  })), [name, data]);
  const edges = useMemo(() => data.part.edges.map((edge) => drawn(edge)), [data]);
  return (
    <>
      {data.part.edges.length === 0 && <Empty><p>It needs nothing and nothing needs it, by the dependencies chosen above.</p></Empty>}
      <Picture label={`What ${name} needs and what needs it`} nodes={nodes} edges={edges} legend={{ focus: "in the middle" }} />
      <LeftOut data={data} />
    </>
  );
}

function growth(node: Around["part"]["nodes"][number], { part, grown }: Around): PictureGrowth[] {
  const shown = { left: 0, right: 0 };
  for (const { dependent, dependency } of part.edges) {
    if (dependency === node.package) shown.left += 1;
    if (dependent === node.package) shown.right += 1;
  }
  return (["left", "right"] as const).flatMap((side) => {
    const total = side === "left" ? node.dependents : node.dependencies;
    const isOpen = grown.some((each) => each.name === node.package && each.side === side && each.declared > 0);
    if (!isOpen && total <= shown[side]) return [];
    const what = side === "left" ? `what needs ${node.package}` : `what ${node.package} needs`;
    const title = `${isOpen ? "Hide" : "Show"} ${what} (${grouped(total)})`;
    return [{ side, isOpen, title, toggle: () => go(addressOf(toggled(grown, node.package, side, isOpen))) }];
  });
}

/** From now on what is opened is told by name. */
function named(grown: readonly Grown[]): Opened {
  const of = (side: Side) => new Map(grown.filter((each) => each.side === side && each.declared > 0).map(({ name, shown }): [string, number] => [name, Math.max(shown, STEP)]));
  return { depth: 0, left: of("left"), right: of("right") };
}

function toggled(grown: readonly Grown[], name: string, side: Side, isOpen: boolean): Opened {
  const open = named(grown);
  if (isOpen) open[side].delete(name);
  else open[side].set(name, STEP);
  return open;
}

function more(grown: readonly Grown[], { name, side, shown }: Grown): Opened {
  const open = named(grown);
  open[side].set(name, shown + STEP);
  return open;
}

/** What is not in the picture, said exactly, and how to see it. */
function LeftOut({ data: { grown, isFull, versions } }: { data: Around }) {
  const parts = grown.filter(({ shown, total }) => shown < total);
  const missing = grown.filter(({ total, declared }) => total < declared);
  const keep = queryOf(selected());
  return (
    <div class="graph-left-out">
      {parts.length === 0 && <p class="note">Showing {counted(versions.size, "package")}: nothing of what is opened is left out.</p>}
      {missing.length > 0 && (
        <p>
          Not registered, and so not shown: {missing.map(({ name, total, declared }, at) => (
            <span key={name}>{at > 0 && ", "}{grouped(declared - total)} that <a href={address(["packages", name])}>{name}</a> needs</span>
          ))}.
        </p>
      )}
      {isFull && <p>The picture is full with {grouped(MOST)} packages. Hide some, or look at one of them in the middle.</p>}
      <ul class="rows">
        {parts.slice(0, 12).map((each) => (
          <li key={`${each.side} ${each.name}`}>
            <span>
              Showing {grouped(each.shown)} of {grouped(each.total)} {each.side === "left" ? `that need ${each.name}` : `that ${each.name} needs`}, by name.
            </span>
            {!isFull && <a href={addressOf(more(grown, each))}>{grouped(Math.min(STEP, each.total - each.shown))} more</a>}
            {each.side === "left" && <a href={address(["graph"], { ...keep, impact: each.name })}>All, as a list</a>}
            {each.side === "right" && <a href={address(["packages", each.name])}>All, as a list</a>}
          </li>
        ))}
      </ul>
      {parts.length > 12 && <p class="note">And {counted(parts.length - 12, "package")} more of which not all neighbours are shown.</p>}
    </div>
  );
}
