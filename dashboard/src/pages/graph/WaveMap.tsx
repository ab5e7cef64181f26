// All builds of a plan at a glance: a block for each wave, a cell for each build.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { changed, go } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Panel } from "../../ui/parts.tsx";
import type { BuildPlan, Marks } from "./PlanShown.tsx";
import { cellAt, draw, mapped, type PlanMap, type WaveBlock } from "./waveBlocks.ts";

interface MapProps { plan: BuildPlan; marks: Marks; chosen: number }

export function WaveMap({ plan, marks, chosen }: MapProps) {
  const view = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [under, setUnder] = useState<{ wave: number; name: string }>();
  const map = useMemo(() => mapped(plan.waves, marks), [plan, marks]);
  useDrawn(view, canvas, map, chosen);
  useShown(view, map.blocks[chosen]);
  const find = (event: MouseEvent) => {
    const { left, top } = canvas.current!.getBoundingClientRect();
    return cellAt(map, { x: event.clientX - left + view.current!.scrollLeft, y: event.clientY - top });
  };
  const look = (event: MouseEvent) => {
    const found = find(event);
    const build = found && plan.waves[found.wave]?.[found.build];
    setUnder(build && { wave: found.wave, name: `${build.package} ${build.version ?? ""}` });
  };
  const choose = (event: MouseEvent) => {
    const found = find(event);
    if (found) go(changed({ wave: String(found.wave + 1), page: null }), { replace: true });
  };
  return (
    <Panel title="Waves" actions={<Legend hasCycles={marks.cyclic.size > 0} />}>
      <div ref={view} class="plan-map" tabIndex={0} role="img" aria-label={said(plan)}>
        <div class="plan-map-width" style={{ width: `${map.width}px`, height: `${map.height}px` }}>
          <canvas ref={canvas} onMouseMove={look} onMouseLeave={() => setUnder(undefined)} onClick={choose} />
        </div>
      </div>
      <p class="note">{under ? `Wave ${grouped(under.wave + 1)}: ${under.name}` : "First to last from left to right, a cell for each build. Choose a wave to list it below."}</p>
    </Panel>
  );
}

function said({ totalBuilds, waves, criticalPath }: BuildPlan): string {
  return `${counted(totalBuilds, "build")} in ${counted(waves.length, "wave")}, of which ${grouped(criticalPath.length)} on the longest chain. The waves are listed below.`;
}

function Legend({ hasCycles }: { hasCycles: boolean }) {
  return (
    <ul class="plan-legend">
      <li><span class="plan-cell critical" aria-hidden="true" />on the longest chain</li>
      {hasCycles && <li><span class="plan-cell cyclic" aria-hidden="true" />in a cycle</li>}
    </ul>
  );
}

/** Draw what can be seen, again when that changes: the canvas stays as wide as the window, however many waves there are. */
function useDrawn(view: { current: HTMLDivElement | null }, canvas: { current: HTMLCanvasElement | null }, map: PlanMap, chosen: number): void {
  useEffect(() => {
    const box = view.current!;
    let frame = 0;
    const paint = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => draw(canvas.current!, map, chosen, { left: box.scrollLeft, width: box.clientWidth }));
    };
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const size = new ResizeObserver(paint);
    box.addEventListener("scroll", paint, { passive: true });
    dark.addEventListener("change", paint);
    size.observe(box);
    paint();
    return () => {
      cancelAnimationFrame(frame);
      box.removeEventListener("scroll", paint);
      dark.removeEventListener("change", paint);
      size.disconnect();
    };
  }, [map, chosen]);
}

function useShown(view: { current: HTMLDivElement | null }, block: WaveBlock | undefined): void {
  useEffect(() => {
    const box = view.current!;
    if (!block || (block.left >= box.scrollLeft && block.left + block.width <= box.scrollLeft + box.clientWidth)) return;
    box.scrollLeft = block.left - box.clientWidth / 2;
  }, [block]);
}
