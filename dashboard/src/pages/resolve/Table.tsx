// Pins by name, each with what requires it.

import { changed, go, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Empty, PackageLink, VersionLink } from "../../ui/parts.tsx";
import type { Resolution } from "./answer.ts";
import type { Edge, Picked, Pin } from "./pins.ts";

const SHOWN = 200;
const REQUIRERS = 2;
const SEARCHED_FROM = 15;

export function Table({ resolution: { pins }, picked }: { resolution: Resolution; picked: Picked }) {
  const { query } = place.value;
  const text = query.get("find") ?? "";
  const limit = Math.max(SHOWN, Number(query.get("shown")) || 0);
  const found = pins.filter((pin) => pin.package.toLowerCase().includes(text.toLowerCase()));
  return (
    <>
      {pins.length > SEARCHED_FROM && (
        <div class="controls">
          <div class="field">
            <label for="pins-find">Find among them</label>
            <input id="pins-find" type="search" autocomplete="off" spellcheck={false} value={text} onInput={(event) => go(changed({ find: event.currentTarget.value, shown: null }), { replace: true })} />
          </div>
          {text && <p class="note" role="status">{counted(found.length, "pin")} found</p>}
        </div>
      )}
      {found.length === 0 && <Empty><p>No pin has “{text}” in its name.</p></Empty>}
      {found.length > 0 && <PinTable pins={found.slice(0, limit)} picked={picked} />}
      {found.length > limit && (
        <p class="note">
          {grouped(limit)} of {grouped(found.length)} are shown. <a href={changed({ shown: String(limit + SHOWN) })}>Show {grouped(Math.min(SHOWN, found.length - limit))} more</a>
        </p>
      )}
    </>
  );
}

function PinTable({ pins, picked }: { pins: readonly Pin[]; picked: Picked }) {
  return (
    <div class="scroll">
      <table class="res-pins">
        <caption class="away">Pins by name</caption>
        <thead><tr><th scope="col">Package</th><th scope="col">Version</th><th scope="col">Required by</th></tr></thead>
        <tbody>
          {pins.map((pin) => (
            <tr key={pin.package}>
              <th scope="row"><PackageLink name={pin.package} /></th>
              <td><VersionLink name={pin.package} version={pin.version} /></td>
              <td><Requirers edges={picked.requirersOf.get(pin.package) ?? []} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Requirers({ edges }: { edges: readonly Edge[] }) {
  const asked = edges.filter(({ dependent }) => dependent === null);
  const others = edges.filter(({ dependent }) => dependent !== null);
  return (
    <>
      {asked.length > 0 && <span class="res-requirer"><strong>you</strong>{constraintOf(asked[0])}</span>}
      {others.slice(0, REQUIRERS).map((edge) => (
        <span key={edge.dependent} class="res-requirer">{edge.dependent}{constraintOf(edge)}</span>
      ))}
      {others.length > REQUIRERS && <span class="note">and {others.length - REQUIRERS} more</span>}
    </>
  );
}

function constraintOf(edge: Edge | undefined) {
  return edge?.constraint ? <> <span class="version note">{edge.constraint}</span></> : null;
}
