// Operations of the API, how late events are, and what the server takes.

import { useMemo } from "preact/hooks";
import { useQuery } from "../../api/use.ts";
import { ServiceMeasuresDocument, type ServiceMeasuresQuery } from "../../generated.ts";
import { Answered, words } from "../../ui/parts.tsx";
import type { Line } from "../../ui/Plot.tsx";
import { PlotPanel, SAMPLED } from "./PlotPanel.tsx";
import { labelOf, lines, moments, rates, type Measured } from "./series.ts";
import { variablesOf, type Span } from "./span.ts";

const OK = "OK";

export function ServicePlots({ span }: { span: Span }) {
  const answer = useQuery(ServiceMeasuresDocument, variablesOf(span));
  return <Answered answer={answer}>{(data) => <Drawn data={data} span={span} />}</Answered>;
}

function Drawn({ data, span }: { data: ServiceMeasuresQuery; span: Span }) {
  const { at, operations, took, delivery, cpu, memory, loopLag, size, pool, statements } = useMemo(() => drawn(data, span), [data]);
  const asked = "Every operation of the API that is named counts, once the server has written it: within about 10 s.";
  return (
    <div class="monitoring-plots">
      <PlotPanel title="Operations" metric="graphql.operation.seconds" aggregate="COUNT" by="outcome" at={at} lines={operations} unit="/s" empty={asked} />
      <PlotPanel title="Time of operations" metric="graphql.operation.seconds" aggregate="P95" at={at} lines={took} unit="s" empty={asked} />
      <PlotPanel title="Delivery of events" metric="event.delivery.seconds" aggregate="P95" at={at} lines={delivery} unit="s" empty="A change that somebody follows fills it: keep a list of builds open while they run." />
      <PlotPanel title="Processor" metric="process.cpu.ratio" aggregate="MAX" at={at} lines={cpu} unit="%" empty={SAMPLED} />
      <PlotPanel title="Memory" metric="process.memory.bytes" aggregate="MAX" at={at} lines={memory} unit="By" empty={SAMPLED} />
      <PlotPanel title="Event loop is late" metric="process.loop_lag.seconds" aggregate="MAX" at={at} lines={loopLag} unit="s" empty={SAMPLED} />
      <PlotPanel title="Database statements, P95" metric="database.run.seconds" aggregate="P95" by="class" at={at} lines={statements} unit="s" empty={SAMPLED} />
      <PlotPanel title="Database on disk" metric="database.bytes" aggregate="MAX" at={at} lines={size} unit="By" empty={SAMPLED} />
      <PlotPanel title="Connections and subscriptions" metric="database.connections" aggregate="MAX" at={at} lines={pool} unit="1" empty={SAMPLED} />
    </div>
  );
}

function drawn(data: ServiceMeasuresQuery, span: Span) {
  const at = moments(span);
  return {
    at,
    operations: operations(data.operations, at, span.bucket),
    took: lines(at, { P50: data.operations50, P95: data.operations95, P99: data.operations99 }),
    delivery: lines(at, { P95: data.delivery95, latest: data.deliveryMost }),
    cpu: lines(at, { mean: data.cpuMean, most: data.cpuMost }),
    memory: lines(at, { "largest process": data.memory }),
    loopLag: lines(at, { latest: data.loopLag }),
    size: lines(at, { database: data.size }),
    pool: lines(at, { "connections of a process": data.pool, "subscriptions of a process": data.subscribers }),
    statements: lines(at, Object.fromEntries(data.statements.map((series) => [labelOf(series, "class"), [series]]))),
  };
}

/** Those that ended well, and all that did not, by why. */
function operations(series: readonly Measured[], at: readonly number[], bucket: number): Line[] {
  const wellFirst = [...series].sort((one, other) => Number(labelOf(other, "outcome") === OK) - Number(labelOf(one, "outcome") === OK));
  return wellFirst.map((each) => {
    const outcome = labelOf(each, "outcome");
    return { name: outcome === OK ? OK : words(outcome), values: rates(at, each, bucket, 1), ...(outcome === OK ? { tone: "good" as const } : {}) };
  });
}
