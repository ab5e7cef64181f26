// The metrics that the server records by itself. Others come from whoever calls `recordMetrics`.

import type { MetricAggregate } from "../../generated.ts";
import { address, place } from "../../routing.ts";

export const METRICS: Record<string, string> = {
  "queue.builds": "builds that wait for a worker",
  "queue.oldest.seconds": "how long the oldest of those has waited",
  "workers.live": "workers heard of in the last five minutes",
  "build.wait.seconds": "from when a build is queued until a worker has it",
  "build.seconds": "from a build's start to its end",
  "build.failed": "1 for a build that ended badly, 0 for one that did not",
  "build.recovered": "builds taken back because their worker fell silent",
  "claim.seconds": "answering a worker that asks for builds",
  "claim.builds": "builds that a worker was given when it asked",
  "report.seconds": "taking in what a worker reports",
  "graphql.operation.seconds": "operations of the API, but for subscriptions",
  "http.request.seconds": "from a request to the beginning of its answer",
  "resolve.seconds": "resolutions",
  "plan.seconds": "build plans, and starts of runs",
  "import.seconds": "imports of a file",
  "import.versions": "versions imported from a file",
  "event.delivery.seconds": "from a change until subscribers are handed it",
  "subscribers": "subscriptions that a server process delivers",
  "errors": "errors that nobody expected",
  "process.cpu.ratio": "processor time of a server process, 100 % being one processor",
  "process.memory.bytes": "memory of a server process",
  "process.loop_lag.seconds": "how late the event loop of a server process is",
  "process.open_files": "files and sockets that a server process has open",
  "process.threads": "threads of a server process",
  "database.wait.seconds": "until a statement begins",
  "database.run.seconds": "from there until it is done",
  "database.connections": "connections to the database in use",
  "database.bytes": "what the database takes on disk",
  "graph.packages": "packages of the graph in memory",
  "graph.dependencies": "dependencies of the graph in memory",
};

export const AGGREGATES: Record<MetricAggregate, string> = {
  MEAN: "mean", P50: "P50", P95: "P95", P99: "P99", MIN: "least", MAX: "most", SUM: "sum", COUNT: "count",
};

/** The address of a metric, in the window that is looked at. Each label is KEY=VALUE. */
export function metricAddress(name: string, query: { aggregate?: MetricAggregate; label?: readonly string[]; by?: string } = {}): string {
  const { path, query: now } = place.value;
  const window = path[0] === "monitoring" ? { window: now.get("window"), from: now.get("from"), to: now.get("to") } : {};
  return address(["monitoring", name], { ...window, ...query });
}
