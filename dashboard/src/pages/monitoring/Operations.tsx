// Operations one by one: how often each is asked for, and how long it takes.

import { useQuery } from "../../api/use.ts";
import { OperationMeasuresDocument, type OperationMeasuresQuery } from "../../generated.ts";
import { changed, go, place } from "../../routing.ts";
import { counted, grouped } from "../../ui/figures.tsx";
import { Answered, Empty, Panel } from "../../ui/parts.tsx";
import { said } from "../../ui/units.ts";
import { metricAddress } from "./metrics.ts";
import { labelOf, total, type Measured } from "./series.ts";
import { bucketOf, variablesOf, type Span } from "./span.ts";

// Of each operation: a server tells up to 200 of them apart, and 11,000 points are answered at once.
const BUCKETS = 24;
const SHOWN = 25;
const SORTS = { slowest: "Slowest", p95: "P95", count: "Calls" } as const;
type Sort = keyof typeof SORTS;

interface Row { name: string; count: number; p50: number; p95: number; p99: number; slowest: number }

export function Operations({ span }: { span: Span }) {
  const answer = useQuery(OperationMeasuresDocument, { ...variablesOf(span), bucket: bucketOf(span.to - span.from, BUCKETS) });
  const asked = place.value.query.get("sort") ?? "";
  const sort: Sort = asked in SORTS ? asked as Sort : "slowest";
  return (
    <Panel title="Operations by name" actions={<Sorting sort={sort} />}>
      <Answered answer={answer}>{(data) => <Table rows={rowsOf(data)} sort={sort} seconds={span.to - span.from} />}</Answered>
    </Panel>
  );
}

function Sorting({ sort }: { sort: Sort }) {
  return (
    <label class="check">
      <span class="note">Sort by</span>
      <select value={sort} onChange={(event) => go(changed({ sort: event.currentTarget.value }), { replace: true })}>
        {Object.entries(SORTS).map(([name, word]) => <option key={name} value={name}>{word}</option>)}
      </select>
    </label>
  );
}

function Table({ rows, sort, seconds }: { rows: Row[]; sort: Sort; seconds: number }) {
  if (rows.length === 0) return <Unmeasured />;
  const shown = [...rows].sort((one, other) => other[sort] - one[sort]).slice(0, SHOWN);
  return (
    <>
      <div class="scroll">
        <table class="monitoring-rows">
          <thead>
            <tr>
              <th scope="col">Operation</th>
              {["Calls", "Rate", "P50", "P95", "P99", "Slowest"].map((name) => <th key={name} scope="col" class="end">{name}</th>)}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={row.name}>
                <th scope="row"><a href={metricAddress("graphql.operation.seconds", { aggregate: "P95", label: [`operation=${row.name}`] })}>{row.name}</a></th>
                <td class="end">{grouped(row.count)}</td>
                <td class="end figure">{rate(row.count, seconds)}</td>
                {[row.p50, row.p95, row.p99, row.slowest].map((value, index) => <td key={index} class="end figure">{said(value, "s")}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">
        {rows.length > SHOWN && `${counted(rows.length, "operation")}, ${SHOWN} shown. `}
        P50, P95 and P99 are those of the parts of the window, each counted by its calls.
      </p>
    </>
  );
}

function Unmeasured() {
  return (
    <Empty>
      <p>Nothing was measured in this window. Name your operations, as in <code>query Names {"{ … }"}</code>, and they are told apart here.</p>
    </Empty>
  );
}

function rate(count: number, seconds: number): string {
  const each = count / seconds;
  if (each >= 1) return said(each, "/s");
  return each >= 1 / 60 ? said(each * 60, "/min") : said(each * 3_600, "/h");
}

function rowsOf({ count, p50, p95, p99, slowest }: OperationMeasuresQuery): Row[] {
  const [of50, of95, of99, ofSlowest] = [p50, p95, p99, slowest].map(byOperation);
  return count.map((calls) => {
    const name = labelOf(calls, "operation");
    return {
      name, count: total(calls),
      p50: weighted(of50!.get(name), calls), p95: weighted(of95!.get(name), calls), p99: weighted(of99!.get(name), calls),
      slowest: Math.max(0, ...(ofSlowest!.get(name)?.points.map(({ value }) => value) ?? [])),
    };
  });
}

function byOperation(series: readonly Measured[]): Map<string, Measured> {
  return new Map(series.map((each) => [labelOf(each, "operation"), each]));
}

/** A window's parts as one number: exact where there is one part, and near where they are alike. */
function weighted(series: Measured | undefined, calls: Measured): number {
  const counts = new Map(calls.points.map(({ at, value }) => [at, value]));
  return (series?.points ?? []).reduce((sum, { at, value }) => sum + value * (counts.get(at) ?? 0), 0) / Math.max(total(calls), 1);
}
