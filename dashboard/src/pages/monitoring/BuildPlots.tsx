// The queue, the workers, and what became of builds.

import { useMemo } from "preact/hooks";
import { useQuery } from "../../api/use.ts";
import { BuildMeasuresDocument, type BuildMeasuresQuery } from "../../generated.ts";
import { address } from "../../routing.ts";
import { Answered, toneOf, words } from "../../ui/parts.tsx";
import type { Line } from "../../ui/Plot.tsx";
import { PlotPanel, SAMPLED } from "./PlotPanel.tsx";
import { labelOf, lines, moments, rates, total } from "./series.ts";
import { variablesOf, type Span } from "./span.ts";

const MINUTE = 60;

export function BuildPlots({ span }: { span: Span }) {
  const answer = useQuery(BuildMeasuresDocument, variablesOf(span));
  return <Answered answer={answer}>{(data) => <Drawn data={data} span={span} />}</Answered>;
}

function Drawn({ data, span }: { data: BuildMeasuresQuery; span: Span }) {
  const { at, queue, oldest, workers, finished, waited, took } = useMemo(() => drawn(data, span), [data]);
  const built = <>A worker fills it once it takes builds: <code>buildatlas worker -- COMMAND</code>. <a href={address(["plan"])}>Plan a run</a> to give it some.</>;
  return (
    <div class="monitoring-plots">
      <PlotPanel title="Queued builds" metric="queue.builds" aggregate="MAX" at={at} lines={queue} unit="1" empty={SAMPLED} />
      <PlotPanel title="Oldest queued build" metric="queue.oldest.seconds" aggregate="MAX" at={at} lines={oldest} unit="s" empty={SAMPLED} />
      <PlotPanel title="Live workers" metric="workers.live" aggregate="MAX" at={at} lines={workers} unit="1" empty={SAMPLED} />
      <PlotPanel title="Builds finished" metric="build.seconds" aggregate="COUNT" by="conclusion" at={at} lines={finished} unit="/min" empty={built} />
      <PlotPanel title="Time in the queue" metric="build.wait.seconds" aggregate="P95" at={at} lines={waited} unit="s" empty={built} />
      <PlotPanel title="Time to build" metric="build.seconds" aggregate="P95" at={at} lines={took} unit="s" empty={built} />
    </div>
  );
}

function drawn(data: BuildMeasuresQuery, span: Span) {
  const at = moments(span);
  return {
    at,
    queue: lines(at, { "queued builds": data.queue }),
    oldest: lines(at, { "oldest queued": data.oldest }),
    workers: lines(at, { "live workers": data.workers }),
    finished: finished(data, at, span.bucket),
    waited: lines(at, { P50: data.waited50, P95: data.waited95, P99: data.waited99 }),
    took: lines(at, { P50: data.took50, P95: data.took95, P99: data.took99 }),
  };
}

function finished(data: BuildMeasuresQuery, at: readonly number[], bucket: number): Line[] {
  const byConclusion = [...data.finished].sort((one, other) => total(other) - total(one));
  const toned = new Set<string>();
  return byConclusion.map((series) => {
    const conclusion = labelOf(series, "conclusion");
    const tone = toneOf(conclusion);
    // Two of a tone would look alike: the second has a colour of its own.
    const own = tone === "plain" || toned.has(tone) ? undefined : tone;
    toned.add(tone);
    return { name: words(conclusion), values: rates(at, series, bucket, MINUTE), ...(own ? { tone: own } : {}) };
  });
}
