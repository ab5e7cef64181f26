// The dependency graph: around a package, the ways between two, what a change reaches, one cycle.

import "./graph.css";
import type { ComponentChildren } from "preact";
import { address, go, place } from "../../routing.ts";
import { PackagePicker } from "../../ui/PackagePicker.tsx";
import { Page, Panel } from "../../ui/parts.tsx";
import { Controls } from "./Controls.tsx";
import { Depth, Focus } from "./Focus.tsx";
import { ImpactOf } from "./Impact.tsx";
import { OneCycle } from "./OneCycle.tsx";
import { Paths } from "./Paths.tsx";
import { queryOf, selected } from "./selection.ts";

export default function Graph() {
  const { query } = place.value;
  const [focus, impact, cycle, from, to] = ["focus", "impact", "cycle", "from", "to"].map((name) => query.get(name) ?? "") as [string, string, string, string, string];
  if (cycle) return <View title={`The cycle of ${cycle}`} asks={null}><OneCycle name={cycle} /></View>;
  if (impact) return <View title={`Impact of ${impact}`} asks={<Ask of="impact" label="Package that changes" value={impact} />}><ImpactOf name={impact} /></View>;
  if (from || to) return <View title={from && to ? `From ${from} to ${to}` : "Between two packages"} asks={<AskBoth from={from} to={to} />}>{from && to ? <Paths from={from} to={to} /> : null}</View>;
  if (focus) return <View title={`Around ${focus}`} asks={<><Ask of="focus" label="Package in the middle" value={focus} /><Depth /></>}><Focus key={focus} name={focus} /></View>;
  return <Start />;
}

function Start() {
  return (
    <Page title="Graph" lead="What needs what. Choose where to begin.">
      <div class="columns">
        <Panel title="Around a package"><p class="note">What it needs and what needs it, as far out as you like.</p><Ask of="focus" label="Package in the middle" /></Panel>
        <Panel title="Impact"><p class="note">What a change to it reaches: everything that needs it, directly or not.</p><Ask of="impact" label="Package that changes" /></Panel>
        <Panel title="Between two packages"><p class="note">All ways by which one needs the other, the shortest marked.</p><AskBoth from="" to="" /></Panel>
        <Panel title="In a circle"><p class="note">Packages that need each other, and where that could be broken.</p><p><a href={address(["cycles"])}>All cycles</a></p></Panel>
      </div>
    </Page>
  );
}

function View({ title, asks, children }: { title: string; asks: ComponentChildren; children: ComponentChildren }) {
  return (
    <Page title={title} actions={<Views />}>
      <div class="controls graph-asks">{asks}<Controls /></div>
      {children}
    </Page>
  );
}

/** The same package, looked at otherwise. */
function Views() {
  const { query } = place.value;
  const name = query.get("focus") ?? query.get("impact") ?? query.get("from") ?? query.get("cycle") ?? "";
  const keep = queryOf(selected());
  return (
    <>
      {!query.has("focus") && <a class="button" href={address(["graph"], { ...keep, focus: name })}>Around it</a>}
      {!query.has("impact") && <a class="button" href={address(["graph"], { ...keep, impact: name })}>Impact</a>}
      {!query.has("from") && <a class="button" href={address(["graph"], { ...keep, from: name })}>A way from it</a>}
      <a class="button" href={address(["packages", name])}>Package</a>
    </>
  );
}

function Ask({ of, label, value = "" }: { of: "focus" | "impact"; label: string; value?: string }) {
  return <PackagePicker label={label} value={value} onPick={(name) => go(address(["graph"], { ...queryOf(selected()), [of]: name }))} />;
}

function AskBoth({ from, to }: { from: string; to: string }) {
  const ask = (ends: { from: string; to: string }) => go(address(["graph"], { ...queryOf(selected()), ...ends }));
  return (
    <>
      <PackagePicker label="Package that needs" value={from} onPick={(name) => ask({ from: name, to })} />
      <PackagePicker label="Package that is needed" value={to} onPick={(name) => ask({ from, to: name })} />
      {from && to && <button type="button" onClick={() => ask({ from: to, to: from })}>The other way round</button>}
    </>
  );
}
