// Choosing which dependencies make the graph.

import type { DependencyKind } from "../../generated.ts";
import { changed, go } from "../../routing.ts";
import { words } from "../../ui/parts.tsx";
import { KINDS, selected } from "./selection.ts";

interface ControlsProps {
  /** Which kinds count unless others are chosen. */
  byDefault?: readonly DependencyKind[];
  /** Not every question can be asked of each scope. */
  hasScope?: boolean;
}

export function Controls({ byDefault = KINDS, hasScope = true }: ControlsProps) {
  const { kinds, scope, includeOptional } = selected();
  const chosen = kinds ?? byDefault;
  const choose = (kind: DependencyKind, isChosen: boolean) => {
    const next = KINDS.filter((each) => (each === kind ? isChosen : chosen.includes(each)));
    go(changed({ kinds: next.join() === byDefault.join() ? [] : next, page: null }), { replace: true });
  };
  return (
    <div class="controls graph-controls">
      <fieldset class="graph-kinds">
        <legend>Kinds</legend>
        {KINDS.map((kind) => (
          <label key={kind} class="check">
            <input
              type="checkbox" checked={chosen.includes(kind)} disabled={chosen.length === 1 && chosen.includes(kind)}
              onChange={(event) => choose(kind, event.currentTarget.checked)}
            />
            {words(kind)}
          </label>
        ))}
        <label class="check">
          <input type="checkbox" checked={includeOptional} onChange={(event) => go(changed({ optional: event.currentTarget.checked ? "1" : null, page: null }), { replace: true })} />
          optional ones too
        </label>
      </fieldset>
      {hasScope && (
        <label class="field">
          <span class="label">Versions</span>
          <select value={scope} onChange={(event) => go(changed({ scope: event.currentTarget.value === "ALL" ? "ALL" : null, page: null }), { replace: true })}>
            <option value="LATEST">the latest of each package</option>
            <option value="ALL">all that are published</option>
          </select>
        </label>
      )}
    </div>
  );
}
