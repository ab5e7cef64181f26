"""Answering from what was measured, and taking in what others have measured."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from resolvers.drafts import validated
from resolvers.errors import BadInput, LimitExceeded
from resolvers.rollups import DAY, FINER, HOUR, MINUTE, add, beginning, rolled_up_to
from resolvers.sketches import CLUSTERS, Summary, added_up, figures, summary
from storage import metrics
from storage.columns import MAX_SECONDS
from storage.database import Connection, Database
from storage.monitoring_rows import MetricRow
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
_RANKS: Final[Mapping[MetricAggregate, float]] = {
    MetricAggregate.P50: 0.50,
    MetricAggregate.P95: 0.95,
    MetricAggregate.P99: 0.99,
}
_Key = tuple[tuple[tuple[str, str], ...], datetime]
"""A series, by its labels, and when its bucket begins."""

# All of a window, as one bucket: of 1,000 years.
_LONGER_THAN_ANY: Final = 1_000 * MAX_SECONDS


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
    return [(dict(key[0]), _value(found[key][1], aggregate)) for key in sorted(found)]


def query(database: Database, request: MetricRequest, *, now: datetime) -> list[Series]:
    """Return the series of a name, ordered by their labels, in buckets that begin at multiples of their length since 1970.

    All of a bucket counts of which some lies in the window. What is no longer kept as finely as asked for comes in the buckets in which it is kept.
    Raises BadInput, and LimitExceeded past MOST_POINTS.
    """
    since, until = _window(request, now)
    seconds = request.bucket_seconds
    with database.read() as connection:
        window = parts(connection, since, until, seconds)
        found = _read(
            connection,
            request.name,
            request.labels,
            window,
            bucket=seconds,
            aggregate=request.aggregate,
            by=request.by,
        )
    _check_points(len(found))
    return list(_series(request, found))


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

    Buckets that whole days make up are read by the day as far as days are rolled up, then by the hour, then by the minute.
    What is no longer there by the minute is read by the hour or the day.
    """
    found: list[Part] = []
    begins = since
    for resolution in (DAY, HOUR, MINUTE):
        if seconds % resolution:
            continue
        ends = until if resolution == MINUTE else min(until, rolled_up_to(connection, resolution) or since)
        if begins < ends:
            found += _as_kept(connection, Part(resolution, begins, ends))
            begins = ends
    return found


_COARSER: Final = {finer: coarse for coarse, finer in FINER.items()}


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


def _read(
    connection: Connection,
    name: str,
    labels: Mapping[str, str],
    window: Sequence[Part],
    *,
    bucket: int,
    aggregate: MetricAggregate,
    by: frozenset[str] | None = None,
) -> dict[_Key, tuple[str, Summary]]:
    """Return unit and summary by series and bucket."""
    units: dict[_Key, str] = {}
    found: dict[_Key, list[Summary]] = defaultdict(list)
    for part in window:
        for series, unit, at, known in _rows(connection, name, labels, part, bucket, aggregate):
            told = series if by is None else {name: series[name] for name in by & series.keys()}
            key = (tuple(sorted(told.items())), at)
            units[key] = unit
            found[key].append(known)
    clusters = (CLUSTERS[DAY] if bucket >= DAY else CLUSTERS[HOUR]) if aggregate in _RANKS else None
    return {
        key: (units[key], known[0] if len(known) == 1 else added_up(known, clusters=clusters))
        for key, known in found.items()
    }


_Row = TypeVar("_Row")


def _rows(
    connection: Connection,
    name: str,
    labels: Mapping[str, str],
    part: Part,
    bucket: int,
    aggregate: MetricAggregate,
) -> Iterator[tuple[dict[str, str], str, datetime, Summary]]:
    def read(rows: Callable[..., list[_Row]]) -> list[_Row]:
        return rows(
            connection,
            name,
            labels=labels,
            since=part.since,
            until=part.until,
            seconds=bucket,
            resolution=part.resolution,
        )

    # The database adds up what needs no sketch.
    if aggregate in _RANKS:
        for row in read(metrics.sketches):
            yield row.labels, row.unit, row.at, summary(row)
    else:
        for added in read(metrics.buckets):
            yield added.labels, added.unit, added.at, figures(added)


def _value(whole: Summary, aggregate: MetricAggregate) -> float:
    match aggregate:
        case MetricAggregate.COUNT:
            return float(whole.count)
        case MetricAggregate.SUM:
            return whole.total
        case MetricAggregate.MEAN:
            return whole.total / whole.count
        case MetricAggregate.MIN:
            return whole.minimum
        case MetricAggregate.MAX:
            return whole.maximum
        case _:
            return whole.quantile(_RANKS[aggregate])


def _series(request: MetricRequest, found: Mapping[_Key, tuple[str, Summary]]) -> Iterator[Series]:
    units: dict[tuple[tuple[str, str], ...], str] = {}
    points: dict[tuple[tuple[str, str], ...], list[Point]] = defaultdict(list)
    for labels, at in sorted(found):
        unit, whole = found[labels, at]
        units[labels] = unit
        points[labels].append(Point(at, _value(whole, request.aggregate)))
    for labels, of_series in points.items():
        yield Series(request.name, units[labels], dict(labels), tuple(of_series))


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
