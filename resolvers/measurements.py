"""What is measured here: the name of each series, its unit, and what it tells.

`metrics`, alert rules and `/metrics` know the series by these names. Outside producers record others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SECONDS: Final = "s"
BYTES: Final = "By"
ONE: Final = "1"

REQUEST: Final = "http.request.seconds"
OPERATION: Final = "graphql.operation.seconds"
RESOLVE: Final = "resolve.seconds"
PLAN: Final = "plan.seconds"
IMPORT: Final = "import.seconds"
IMPORTED: Final = "import.versions"
CLAIM: Final = "claim.seconds"
CLAIMED: Final = "claim.builds"
REPORT: Final = "report.seconds"
DELIVERY: Final = "event.delivery.seconds"
DATABASE_WAIT: Final = "database.wait.seconds"
DATABASE_RUN: Final = "database.run.seconds"
BUILD_WAIT: Final = "build.wait.seconds"
BUILD: Final = "build.seconds"
BUILD_FAILED: Final = "build.failed"
RECOVERED: Final = "build.recovered"
ERRORS: Final = "errors"
CPU: Final = "process.cpu.ratio"
MEMORY: Final = "process.memory.bytes"
FILES: Final = "process.open_files"
THREADS: Final = "process.threads"
LOOP_LAG: Final = "process.loop_lag.seconds"
POOL: Final = "database.connections"
DATABASE_SIZE: Final = "database.bytes"
GRAPH_NODES: Final = "graph.packages"
GRAPH_EDGES: Final = "graph.dependencies"
SUBSCRIBERS: Final = "subscribers"
QUEUE: Final = "queue.builds"
OLDEST_QUEUED: Final = "queue.oldest.seconds"
WORKERS: Final = "workers.live"
EVALUATED: Final = "alerts.evaluated.seconds"
OVERFLOWED: Final = "metrics.overflowed"
LOST: Final = "metrics.lost"
OTHER: Final = "other"

PROCESS: Final = "process"
"""The label of what is a server process's own: its host, and which of the workers there it is."""

MANY_VALUES: Final = frozenset({"operation", "package", "worker"})
"""Labels whose values clients and catalogues choose. Of all others there are a few."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one name stands for."""

    unit: str
    labels: tuple[str, ...]
    tells: str


MEASUREMENTS: Final[Mapping[str, Measurement]] = {
    REQUEST: Measurement(
        SECONDS, ("method", "route", "status"), "how long it takes until a request begins to be answered"
    ),
    OPERATION: Measurement(
        SECONDS, ("operation", "outcome"), "how long an operation of the API takes, but for subscriptions"
    ),
    RESOLVE: Measurement(SECONDS, ("outcome",), "how long a resolution takes"),
    PLAN: Measurement(SECONDS, ("outcome",), "how long a build plan, or the start of a run, takes"),
    IMPORT: Measurement(SECONDS, ("outcome",), "how long the import of a file takes"),
    IMPORTED: Measurement(ONE, (), "versions that were imported from a file"),
    CLAIM: Measurement(SECONDS, ("outcome",), "how long it takes to answer a worker that asks for builds"),
    CLAIMED: Measurement(ONE, (), "builds that a worker was given when it asked"),
    REPORT: Measurement(SECONDS, ("outcome",), "how long it takes to take in what a worker reports"),
    DELIVERY: Measurement(SECONDS, (), "from when something happened until it is handed to subscribers"),
    DATABASE_WAIT: Measurement(
        SECONDS, ("class",), "how long a read, a write or a glance waits until it begins"
    ),
    DATABASE_RUN: Measurement(SECONDS, ("class",), "how long a read, a write or a glance takes from there"),
    BUILD_WAIT: Measurement(
        SECONDS, ("package", "worker"), "from when a build is queued until it is claimed"
    ),
    BUILD: Measurement(SECONDS, ("package", "worker", "conclusion"), "from a build's start to its end"),
    BUILD_FAILED: Measurement(ONE, (), "1 for a build that has ended badly, 0 for one that has not"),
    RECOVERED: Measurement(ONE, (), "builds that were taken back or ended as their worker fell silent"),
    ERRORS: Measurement(ONE, ("component",), "errors that nobody has expected"),
    CPU: Measurement(ONE, (PROCESS,), "processor time a server process takes, where 1 is one processor"),
    MEMORY: Measurement(BYTES, (PROCESS,), "memory that a server process holds"),
    FILES: Measurement(ONE, (PROCESS,), "files and sockets that a server process has open"),
    THREADS: Measurement(ONE, (PROCESS,), "threads of a server process"),
    LOOP_LAG: Measurement(SECONDS, (PROCESS,), "how late the event loop of a server process is"),
    POOL: Measurement(ONE, (PROCESS,), "connections to the database that a server process uses"),
    DATABASE_SIZE: Measurement(BYTES, (), "what the database takes on disk"),
    GRAPH_NODES: Measurement(ONE, (PROCESS,), "packages of the graph that a server process holds"),
    GRAPH_EDGES: Measurement(ONE, (PROCESS,), "dependencies of the graph that a server process holds"),
    SUBSCRIBERS: Measurement(ONE, (PROCESS,), "subscriptions that a server process delivers"),
    QUEUE: Measurement(ONE, (), "builds that wait for a worker"),
    OLDEST_QUEUED: Measurement(SECONDS, (), "for how long the oldest of those has waited"),
    WORKERS: Measurement(ONE, (), "workers that were heard of in the last five minutes"),
    EVALUATED: Measurement(
        SECONDS, (), "when a server process has begun to evaluate the rules of alerts, from 1970"
    ),
    OVERFLOWED: Measurement(ONE, (), "values that were counted under `other`, as there were too many series"),
    LOST: Measurement(ONE, (), "values that were not written, as the database could not be written to"),
    OTHER: Measurement("", (), "values of whatever there was no room for"),
}
