"""Answering from what was measured, and taking in what others have measured."""

import functools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from resolvers.drafts import validated
from resolvers.errors import BadInput, LimitExceeded
from resolvers.rollups import DAY, FIVE_MINUTES, HOUR, MINUTE, add, beginning, rolled_up_to
from resolvers.sketches import CLUSTERS, Summary, added_up, summary
from storage import metrics
from storage.columns import MAX_SECONDS
from storage.database import Connection, Database
from storage.monitoring_rows import BucketRow, MetricRow
from storage.monitoring_tables import MetricAggregate, MetricFields

MOST_POINTS: Final = 11_000
"""Of all series of an answer: a week by the minute, or a month by five."""
MOST_RECORDED: Final = 1_000
"""Of outside producers, in one request."""
OLDEST_RECORDED: Final = timedelta(days=1)
NEWEST_RECORDED: Final = timedelta(minutes=5)

# Up to such a window, what a rule asks of it is answered to the minute, and up to the other one to the hour.
_BY_MINUTE: Final = timedelta(hours=6)
_BY_HOUR: Final = timedelta(days=60)

_DEFAULT_WINDOW: Final = timedelta(hours=1)
_VALUES: Final[Mapping[MetricAggregate, Callable[[Summary], float]]] = {
    MetricAggregate.COUNT: lambda whole: float(whole.count),
    MetricAggregate.SUM: lambda whole: whole.total,
    MetricAggregate.MEAN: lambda whole: whole.total / whole.count,
    MetricAggregate.MIN: lambda whole: whole.minimum,
    MetricAggregate.MAX: lambda whole: whole.maximum,
    MetricAggregate.P50: lambda whole: whole.quantile(0.50),
    MetricAggregate.P95: lambda whole: whole.quantile(0.95),
    MetricAggregate.P99: lambda whole: whole.quantile(0.99),
}
# The database adds up what needs no sketch.
_SKETCHED: Final = frozenset({MetricAggregate.P50, MetricAggregate.P95, MetricAggregate.P99})

_Series = tuple[tuple[str, str], ...]
"""The labels that it is told apart by, in their order."""

# All of a window, as one bucket: of 1,000 years.
_LONGER_THAN_ANY: Final = 1_000 * MAX_SECONDS
_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MetricRequest:
    """What is asked of one name."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """That a series must have, perhaps besides others."""
    since: datetime | None = None
    """None: an hour before `until`."""
    until: datetime | None = None
    """None: now."""
    bucket_seconds: int = MINUTE
    aggregate: MetricAggregate = MetricAggregate.MEAN
    by: frozenset[str] | None = None
    """Labels that tell series apart: those that differ in others alone are one. None: all do."""


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket's value."""

    at: datetime
    """When it begins."""
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured under one name and one set of labels."""

    name: str
    unit: str
    labels: dict[str, str]
    points: tuple[Point, ...]
    """Oldest first; none for a bucket in which nothing was measured."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a window, and the resolution that it is read in."""

    resolution: int
    since: datetime
    until: datetime


def aggregated(
    connection: Connection,
    name: str,
    *,
    labels: Mapping[str, str],
    since: datetime,
    until: datetime,
    aggregate: MetricAggregate,
) -> list[tuple[dict[str, str], float]]:
    """Return one value over a whole window for each series that has all of `labels`, ordered by its labels.

    A series that was not measured then has none, not even a count of 0. The window is widened to whole minutes; one of
    more than 6 hours to whole hours, and one of more than 60 days to whole days.
    """
    span = until - since
    seconds = MINUTE if span <= _BY_MINUTE else HOUR if span <= _BY_HOUR else DAY
    window = parts(connection, beginning(since, seconds), until, seconds)
    found = _read(connection, name, labels, window, bucket=_LONGER_THAN_ANY, aggregate=aggregate)
    return [(each.labels, each.points[0].value) for each in found]


def query(database: Database, request: MetricRequest, *, now: datetime) -> list[Series]:
    """Return the series of a name, ordered by their labels, in buckets that begin at multiples of their length since 1970.

    All of a bucket counts of which some lies in the window. What is no longer kept as finely as asked for comes in the buckets in which it is kept.
    Raises BadInput, and LimitExceeded past MOST_POINTS.
    """
    since, until = _window(request, now)
    seconds = request.bucket_seconds
    with database.read() as connection:
        window = parts(connection, since, until, seconds)
        return _read(
            connection,
            request.name,
            request.labels,
            window,
            bucket=seconds,
            aggregate=request.aggregate,
            by=request.by,
        )


def record(database: Database, samples: Sequence[MetricFields], *, now: datetime) -> int:
    """Add what an outside producer has measured, all or nothing, and return how many that were.

    Raises LimitExceeded, and BadInput for a moment that is more than a day ago or yet to come.
    """
    check_number(len(samples))
    for index, sample in enumerate(samples):
        _check_moment(index, sample.at, now)
    rows = [MetricRow(s.name, s.unit, s.labels, s.at, 0, 1, s.value, s.value, s.value) for s in samples]
    if rows:
        database.write(partial(add, rows=rows), of_catalogue=False)
    return len(rows)


def check_number(given: int) -> None:
    """Raise LimitExceeded when more is to be recorded than one request may."""
    if given > MOST_RECORDED:
        raise LimitExceeded("metrics", given=given, limit=MOST_RECORDED, path=("metrics",))


def sample_of(
    index: int, name: str, value: float, *, unit: str, labels: Mapping[str, str], at: datetime
) -> MetricFields:
    """Return the `index`th of what is to be recorded, or raise BadInput."""
    try:
        return validated(lambda: MetricFields(name=name, value=value, unit=unit, labels=dict(labels), at=at))
    except BadInput as error:
        raise BadInput(error.problem, path=("metrics", str(index), *error.path)) from error


def parts(connection: Connection, since: datetime, until: datetime, seconds: int) -> list[Part]:
    """Return how to read a window in buckets of so many seconds, with as few rows as will do; the oldest first.

    Buckets that whole days make up are read by the day as far as days are rolled up, then by the hour, by five minutes, and
    by the minute. What is no longer there by minutes is read by the hour or the day.
    """
    found: list[Part] = []
    begins = since
    for resolution in (DAY, HOUR, FIVE_MINUTES, MINUTE):
        if seconds % resolution:
            continue
        ends = until if resolution == MINUTE else min(until, rolled_up_to(connection, resolution) or since)
        if begins < ends:
            found += _as_kept(connection, Part(resolution, begins, ends))
            begins = ends
    return found


# Where something is no longer kept. Five minutes go when their minutes do.
_COARSER: Final = {MINUTE: HOUR, FIVE_MINUTES: HOUR, HOUR: DAY}


def _as_kept(connection: Connection, part: Part) -> list[Part]:
    """Return `part`, in coarser ones where it is too long ago."""
    coarser = _COARSER.get(part.resolution)
    rolled = None if coarser is None else rolled_up_to(connection, coarser)
    if coarser is None or rolled is None:
        return [part]
    kept = metrics.extent(connection, part.resolution)
    # The oldest hour or day may be there in part only.
    horizon = rolled if kept is None else min(rolled, _first_whole(kept[0], coarser))
    if part.since >= horizon:
        return [part]
    old = Part(coarser, beginning(part.since, coarser), min(part.until, horizon))
    young = [Part(part.resolution, horizon, part.until)] if horizon < part.until else []
    return [*_as_kept(connection, old), *young]


def _first_whole(moment: datetime, seconds: int) -> datetime:
    begins = beginning(moment, seconds)
    return begins if begins == moment else begins + timedelta(seconds=seconds)


@dataclass(slots=True)
class _Measured:
    """What was measured of one series."""

    unit: str = ""
    rows: defaultdict[int, list[BucketRow]] = field(default_factory=lambda: defaultdict(list))
    """By the number, since 1970, of the bucket that they are in; the oldest first."""


def _read(
    connection: Connection,
    name: str,
    labels: Mapping[str, str],
    window: Sequence[Part],
    *,
    bucket: int,
    aggregate: MetricAggregate,
    by: frozenset[str] | None = None,
) -> list[Series]:
    """Return the series that were measured, ordered by their labels."""
    found: dict[_Series, _Measured] = defaultdict(_Measured)
    for part in window:
        for row in _rows(connection, name, labels, part, bucket, aggregate):
            measured = found[_told_apart(row.labels, by)]
            measured.unit = row.unit
            measured.rows[int(row.at.timestamp()) // bucket].append(row)
    _check_points(sum(len(measured.rows) for measured in found.values()))
    return [
        Series(name, found[series].unit, dict(series), _points(found[series], bucket, aggregate))
        for series in sorted(found)
    ]


# Rows have their labels as text: there are few series, and many rows of each.
@functools.lru_cache(4_096)
def _told_apart(labels: str, by: frozenset[str] | None) -> _Series:
    known = metrics.labels_of(labels)
    return tuple(sorted((name, value) for name, value in known.items() if by is None or name in by))


def _rows(
    connection: Connection,
    name: str,
    labels: Mapping[str, str],
    part: Part,
    bucket: int,
    aggregate: MetricAggregate,
) -> list[BucketRow]:
    read = metrics.sketches if aggregate in _SKETCHED else partial(metrics.buckets, seconds=bucket)
    return read(
        connection, name, labels=labels, since=part.since, until=part.until, resolution=part.resolution
    )


def _points(measured: _Measured, bucket: int, aggregate: MetricAggregate) -> tuple[Point, ...]:
    value = _VALUES[aggregate]
    # There are few clusters in a bucket, and to leave them as they are is exact.
    clusters = CLUSTERS[DAY] if aggregate in _SKETCHED else None
    return tuple(
        Point(_1970 + timedelta(seconds=number * bucket), value(_whole(rows, clusters)))
        for number, rows in measured.rows.items()
    )


def _whole(rows: Sequence[BucketRow], clusters: int | None) -> Summary:
    return summary(rows[0]) if len(rows) == 1 else added_up(map(summary, rows), clusters=clusters)


def _window(request: MetricRequest, now: datetime) -> tuple[datetime, datetime]:
    """Return a window of whole buckets."""
    seconds = request.bucket_seconds
    if seconds % MINUTE or not MINUTE <= seconds <= MAX_SECONDS:
        problem = (
            f"must be a multiple of {MINUTE} from {MINUTE} to {MAX_SECONDS}, not {seconds}: "
            "what is measured is kept by the minute"
        )
        raise BadInput(problem, path=("query", "bucketSeconds"))
    until = request.until or now
    since = request.since or until - _DEFAULT_WINDOW
    if since >= until:
        problem = f"is {since.isoformat()}, and has to be before `until`, which is {until.isoformat()}"
        raise BadInput(problem, path=("query", "since"))
    begins, ends = beginning(since, seconds), _first_whole(until, seconds)
    _check_points(int((ends - begins).total_seconds()) // seconds)
    return begins, ends


def _check_points(points: int) -> None:
    if points > MOST_POINTS:
        raise LimitExceeded("points", given=points, limit=MOST_POINTS, path=("query", "bucketSeconds"))


def _check_moment(index: int, at: datetime, now: datetime) -> None:
    if not now - OLDEST_RECORDED <= at <= now + NEWEST_RECORDED:
        problem = f"is {at.isoformat()}: must be within the last day, and not more than 5 minutes ahead of {now.isoformat()}"
        raise BadInput(problem, path=("metrics", str(index), "at"))
