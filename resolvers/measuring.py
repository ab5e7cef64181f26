"""Measuring: what is recorded from any thread costs a dictionary look-up, and is added up until somebody writes it.

How it works: values are collected by series and minute, and from time to time each list is folded into one summary. Nothing
is done on disk. There are only so many series to a process and hour; what comes beyond goes into one that is called `other`.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final, ParamSpec, TypeAlias, TypeVar

from resolvers.measurements import (
    DATABASE_RUN,
    DATABASE_WAIT,
    LOST,
    MANY_VALUES,
    MEASUREMENTS,
    ONE,
    OTHER,
    OVERFLOWED,
)
from resolvers.sketches import CLUSTERS, Summary, added_up, summary_of
from storage.columns import MAX_KEY_LABELS, MAX_LABEL_VALUE, is_storable, labels_text
from storage.monitoring_rows import MetricRow
from storage.probes import StatementClass

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_Labels = tuple[tuple[str, str], ...]
_Key = tuple[int, str, str, _Labels]
"""Minute, name, unit, labels."""

Observer: TypeAlias = Callable[[str, float, Mapping[str, str]], None]
"""Is told a value by its name and labels. It must be quick, and raise nothing."""

MOST_SERIES: Final = 5_000

MOST_NAMES: Final = 200
UNNAMED: Final = "unnamed"
_LONGEST_NAME: Final = 100

# Values of a series that are kept one by one, 32 bytes each.
_FOLDED_AT: Final = 1_024

_MINUTES_OF_HOUR: Final = 60
_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Measurer:
    """What one process measures. Every method may be called from any thread."""

    def __init__(
        self,
        *,
        most_series: int = MOST_SERIES,
        clock: Callable[[], float] = time.time,
        observers: Sequence[Observer] = (),
    ) -> None:
        """`most_series` bounds those of an hour. `observers` are told each value, in the thread that records it."""
        self._observers = tuple(observers)
        self._most = most_series
        self._clock = clock
        self._lock = threading.Lock()
        self._values: dict[_Key, list[float]] = {}
        self._folded: dict[_Key, list[Summary]] = {}
        self._series: set[tuple[str, str, _Labels]] = set()
        self._names: set[str] = set()
        self._hour = -1
        self._returned: list[MetricRow] = []

    def record(self, name: str, value: float, *, unit: str | None = None, **labels: str) -> None:
        """Count a value in; what is no finite number is left out later. `unit` is known of MEASUREMENTS.

        Give the labels in one order everywhere: that is taken as it is here.
        """
        if unit is None:
            unit = MEASUREMENTS[name].unit
        for observe in self._observers:
            observe(name, value, labels)
        key = (int(self._clock()) // 60, name, unit, tuple(labels.items()))
        with self._lock:
            values = self._values.get(key)
            if values is None:
                key, values = self._begin(key)
            values.append(value)
            if len(values) >= _FOLDED_AT:
                self._fold(key)

    @contextmanager
    def timing(self, name: str, **labels: str) -> Iterator[None]:
        """Record how many seconds the block takes, with the `outcome` OK or, when it raises, the name of what it raises."""
        began = time.perf_counter()
        outcome = "OK"
        try:
            yield
        except BaseException as error:
            outcome = type(error).__name__
            raise
        finally:
            self.record(name, time.perf_counter() - began, **labels, outcome=outcome)

    def timed(
        self, name: str, function: Callable[_Given, _Result], **labels: str
    ) -> Callable[_Given, _Result]:
        """Return `function`, which is timed whenever it is called."""

        def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
            with self.timing(name, **labels):
                return function(*args, **kwargs)

        return call

    def take(self) -> list[MetricRow]:
        """Return what was recorded and not taken yet, as roll-ups of minutes, which may come twice; it is the caller's now."""
        with self._lock:
            for key in list(self._values):
                self._fold(key)
            folded, self._folded, self._values = self._folded, {}, {}
            returned, self._returned = self._returned, []
        return [*returned, *(_row(key, parts) for key, parts in folded.items() if parts)]

    def give_back(self, rows: list[MetricRow]) -> None:
        """Take rows back that could not be written. Of the oldest, those are lost that are too many."""
        with self._lock:
            kept = [*rows, *self._returned]
            self._returned = kept[-2 * self._most :]
            lost = kept[: -2 * self._most]
        if lost:
            self.record(LOST, sum(row.count for row in lost))

    def _begin(self, key: _Key) -> tuple[_Key, list[float]]:
        """Begin a series, or go on with the one that is for all there is no room for."""
        minute, name, unit, labels = key
        if minute // _MINUTES_OF_HOUR != self._hour:
            self._hour = minute // _MINUTES_OF_HOUR
            self._series.clear()
            self._names.clear()
        if (name, unit, labels) not in self._series:
            if not self._has_room(name, labels) or not _is_storable(labels):
                counted = (minute, OVERFLOWED, ONE, ())
                self._values.setdefault(counted, []).append(1)
                # A name that is there keeps its sum.
                key = (
                    (minute, name, unit, ((OTHER, "true"),))
                    if name in self._names
                    else (minute, OTHER, "", ())
                )
            else:
                self._series.add((name, unit, labels))
                self._names.add(name)
        return key, self._values.setdefault(key, [])

    def _has_room(self, name: str, labels: _Labels) -> bool:
        # What has few series may be what tells of a storm of the others.
        has_few = name in MEASUREMENTS and MANY_VALUES.isdisjoint(dict(labels))
        return has_few or len(self._series) < self._most

    def _fold(self, key: _Key) -> None:
        values = self._values.pop(key)
        found = summary_of(values)
        if found is not None:
            before = self._folded.get(key)
            parts = [*before, found] if before else [found]
            self._folded[key] = [added_up(parts, clusters=CLUSTERS[60])]


class Names:
    """Names that clients choose, as labels: so many of an hour, and `other` for all beyond."""

    def __init__(self, most: int = MOST_NAMES, *, clock: Callable[[], float] = time.time) -> None:
        self._most = most
        self._clock = clock
        self._hour = -1
        self._known: set[str] = set()

    def known(self, name: str | None) -> str:
        """Return `name` if it is one of those, `unnamed` when there is none, or `other`."""
        if name is None:
            return UNNAMED
        hour = int(self._clock()) // 3_600
        if hour != self._hour:
            self._hour, self._known = hour, set()
        if name in self._known:
            return name
        if len(self._known) >= self._most or len(name) > _LONGEST_NAME:
            return OTHER
        self._known.add(name)
        return name


class DatabaseProbe:
    """Records how a database is used."""

    def __init__(self, measurer: Measurer) -> None:
        self._record = measurer.record
        # Made once: this is told of every glance, of which some take 20 µs.
        self._labels = {used_for: {"class": used_for.value} for used_for in StatementClass}

    def __call__(self, used_for: StatementClass, *, waited: float, ran: float) -> None:
        labels = self._labels[used_for]
        self._record(DATABASE_WAIT, waited, **labels)
        self._record(DATABASE_RUN, ran, **labels)


class Silent(Measurer):
    """Measures nothing."""

    def record(self, name: str, value: float, *, unit: str | None = None, **labels: str) -> None:
        """Do nothing."""


SILENT: Final = Silent()


def _row(key: _Key, parts: list[Summary]) -> MetricRow:
    minute, name, unit, labels = key
    return parts[0].row(name, unit, dict(labels), _1970 + timedelta(minutes=minute), 60)


def _is_storable(labels: _Labels) -> bool:
    return (
        all(len(value) <= MAX_LABEL_VALUE and is_storable(value) for _, value in labels)
        and len(labels_text(dict(labels)).encode()) <= MAX_KEY_LABELS
    )
