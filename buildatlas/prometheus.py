"""What Prometheus reads at `/metrics`: the values that are measured, by its own names, in its own kinds.

How it works: an observer of the `Measurer` is told each value and counts it into the family that stands for its name, so that
nothing is measured twice. Labels that clients choose have so many values at most, and what comes beyond is `other`. Of several
processes at one address it is chance which one answers, so each keeps its values in a file that all of them read
(prometheus_client's multiprocess mode): counts and histograms are added up, what is true of the database is what was seen
last, and what is a process's own bears its `pid`. Figures out of the database alone would not do: histograms and errors are
not in it before they are rolled up.
"""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from resolvers import measurements

PREFIX: Final = "buildatlas_"
OTHER: Final = "other"

_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"

# Of a label, of which each is a series: more names of operations than anybody looks through.
_MOST_VALUES: Final = 100
_LONGEST_VALUE: Final = 100

# When each series was begun is of no use to anybody who does not restart by the minute, and doubles what is read.
disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client has left it without types

_ANSWERS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_STATEMENTS: Final = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    1.0,
    5.0,
    30.0,
)
_BUILDS: Final = (
    1.0,
    5.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1_800.0,
    3_600.0,
    7_200.0,
    21_600.0,
    86_400.0,
)

_Together: TypeAlias = Literal["livesum", "livemax", "livemostrecent", "liveall"]


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram of what is measured under one name."""

    name: str
    labels: tuple[str, ...] = ()
    """Those that have few values, or are bounded here; others of the measurement are left out."""
    buckets: tuple[float, ...] = _ANSWERS


@dataclass(frozen=True, slots=True)
class Total:
    """A sum of what is measured under one name, or with `counts` how many of them there were."""

    name: str
    labels: tuple[str, ...] = ()
    counts: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """The last of what is measured under one name; `together` is how those of several processes are one."""

    name: str
    together: _Together


Family: TypeAlias = Distribution | Total | Level

FAMILIES: Final[Mapping[str, tuple[Family, ...]]] = {
    measurements.REQUEST: (Distribution("http_request_seconds", ("method", "route", "status")),),
    measurements.OPERATION: (Distribution("operation_seconds", ("operation", "outcome")),),
    measurements.RESOLVE: (Distribution("resolve_seconds", ("outcome",)),),
    measurements.PLAN: (Distribution("plan_seconds", ("outcome",)),),
    measurements.IMPORT: (Distribution("import_seconds", ("outcome",)),),
    measurements.IMPORTED: (Total("imported_versions_total"),),
    measurements.CLAIM: (Distribution("claim_seconds", ("outcome",)),),
    measurements.CLAIMED: (Total("claimed_builds_total"),),
    measurements.REPORT: (Distribution("report_seconds", ("outcome",)),),
    measurements.DELIVERY: (Distribution("event_delivery_seconds"),),
    measurements.DATABASE_WAIT: (Distribution("database_wait_seconds", ("class",), _STATEMENTS),),
    measurements.DATABASE_RUN: (Distribution("database_run_seconds", ("class",), _STATEMENTS),),
    measurements.BUILD_WAIT: (Distribution("build_wait_seconds", (), _BUILDS),),
    measurements.BUILD: (
        Distribution("build_seconds", ("conclusion",), _BUILDS),
        Total("builds_total", ("conclusion",), counts=True),
    ),
    measurements.RECOVERED: (Total("recovered_builds_total"),),
    measurements.ERRORS: (Total("errors_total", ("component",)),),
    measurements.CPU: (Level("process_cpu_ratio", "liveall"),),
    measurements.MEMORY: (Level("process_resident_memory_bytes", "liveall"),),
    measurements.FILES: (Level("process_open_files", "liveall"),),
    measurements.THREADS: (Level("process_threads", "liveall"),),
    measurements.LOOP_LAG: (Level("event_loop_lag_seconds", "liveall"),),
    measurements.POOL: (Level("database_connections", "livesum"),),
    measurements.DATABASE_SIZE: (Level("database_size_bytes", "livemostrecent"),),
    measurements.GRAPH_NODES: (Level("graph_packages", "livemax"),),
    measurements.GRAPH_EDGES: (Level("graph_dependencies", "livemax"),),
    measurements.SUBSCRIBERS: (Level("subscribers", "livesum"),),
    measurements.QUEUE: (Level("queued_builds", "livemostrecent"),),
    measurements.OLDEST_QUEUED: (Level("oldest_queued_build_seconds", "livemostrecent"),),
    measurements.WORKERS: (Level("workers_alive", "livemostrecent"),),
    measurements.OVERFLOWED: (Total("metrics_overflowed_total"),),
    measurements.LOST: (Total("metrics_lost_total"),),
}
"""By what is measured: what stands for it. The help texts are what is told of the measurement."""

AlertCounts: TypeAlias = Mapping[tuple[str, str], int]
"""How many alerts are in a state and of a severity."""

ALERTS: Final = "alerts"

_Take: TypeAlias = Callable[[float, Mapping[str, str]], None]


class Exposition:
    """What Prometheus reads of this process, or of all processes at its address."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._takers: dict[str, list[_Take]] = {
            measured: [
                _taker(family, measurements.MEASUREMENTS[measured].tells, self._registry)
                for family in families
            ]
            for measured, families in FAMILIES.items()
        }

    def observe(self, name: str, value: float, labels: Mapping[str, str]) -> None:
        """Count in what was measured; names that no family stands for are left out."""
        takers = self._takers.get(name)
        if takers is not None and isfinite(value):
            for take in takers:
                take(value, labels)

    def text(self, accept: str, *, alerts: AlertCounts) -> tuple[bytes, str]:
        """Return all values in the form that suits `accept`, and its media type. Takes milliseconds, and reads files."""
        everything = CollectorRegistry()
        everything.register(_Alerts(alerts))
        if _FOLDER in os.environ:
            MultiProcessCollector(everything)  # type: ignore[no-untyped-call] # prometheus_client has left it without types
        else:
            everything.register(self._registry)
        encode, media = choose_encoder(accept)
        return encode(everything), media


@dataclass(frozen=True, eq=False)
class _Alerts(Collector):
    """The alerts that are open in the database, which is the same for all processes."""

    counts: AlertCounts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            PREFIX + ALERTS, "Alerts that are not resolved.", labels=("state", "severity")
        )
        for labels, count in sorted(self.counts.items()):
            family.add_metric(labels, count)
        yield family


@contextmanager
def shared_values() -> Iterator[None]:
    """Have processes that are begun while the block runs keep their values where each finds those of all."""
    before = os.environ.get(_FOLDER)
    with tempfile.TemporaryDirectory(prefix="buildatlas-metrics-", ignore_cleanup_errors=True) as folder:
        os.environ[_FOLDER] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[_FOLDER]
            else:
                os.environ[_FOLDER] = before


def forget_process(pid: int) -> None:
    """Let go of what was true of a process that has ended; what it has counted stays."""
    folder = os.environ.get(_FOLDER)
    if folder is not None and Path(folder).is_dir():
        mark_process_dead(pid, folder)  # type: ignore[no-untyped-call] # as above


def _taker(family: Family, tells: str, registry: CollectorRegistry) -> _Take:
    name, text = PREFIX + family.name, f"{tells[0].upper()}{tells[1:]}."
    match family:
        case Distribution():
            histogram = Histogram(name, text, family.labels, registry=registry, buckets=family.buckets)
            observers = _Children(family.labels, lambda values: _of(histogram, values).observe)
            return lambda value, labels: observers.of(labels)(value)
        case Total():
            counter = Counter(name, text, family.labels, registry=registry)
            counters = _Children(family.labels, lambda values: _of(counter, values).inc)
            if family.counts:
                return lambda _value, labels: counters.of(labels)(1)
            return lambda value, labels: counters.of(labels)(max(value, 0.0))
        case Level():
            gauge = Gauge(name, text, registry=registry, multiprocess_mode=family.together)
            return lambda value, _labels: gauge.set(value)


_Labelled = TypeVar("_Labelled", Histogram, Counter)


def _of(family: _Labelled, values: tuple[str, ...]) -> _Labelled:
    return family.labels(*values) if values else family


class _Children:
    """The series of one family, each made when it is first wanted; those of a label are bounded."""

    def __init__(
        self, labels: tuple[str, ...], make: Callable[[tuple[str, ...]], Callable[[float], None]]
    ) -> None:
        self._labels = labels
        self._make = make
        self._lock = threading.Lock()
        self._known: dict[tuple[str, ...], Callable[[float], None]] = {}
        self._values: list[set[str]] = [set() for _ in labels]

    def of(self, labels: Mapping[str, str]) -> Callable[[float], None]:
        """Return what takes a value with these labels."""
        wanted = tuple([labels.get(label, "") for label in self._labels])
        found = self._known.get(wanted)
        return self._begun(wanted) if found is None else found

    def _begun(self, wanted: tuple[str, ...]) -> Callable[[float], None]:
        with self._lock:
            bounded = tuple(map(self._bounded, self._values, wanted))
            if bounded not in self._known:
                self._known[bounded] = self._make(bounded)
            return self._known[bounded]

    @staticmethod
    def _bounded(known: set[str], value: str) -> str:
        if value in known:
            return value
        if len(known) >= _MOST_VALUES or len(value) > _LONGEST_VALUE:
            return OTHER
        known.add(value)
        return value
