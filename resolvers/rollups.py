"""Measurements on disk: minutes that several processes add to, what is made of them, and what is let go.

How it works: a process adds what it has measured to the rows of its minutes, in one transaction and while nobody else adds.
Five minutes that are over and an hour that is over are made of their minutes, a day of its hours, always from the beginning and
the oldest first: to do it again changes nothing. So all hours are there up to the newest, and what comes late for one of them
makes it anew, in the same transaction. Readers take the coarse up to there, and the fine beyond.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from resolvers.measuring import Measurer
from resolvers.sketches import CLUSTERS, Summary, added_up, summary
from storage import metrics
from storage.database import Connection, Database
from storage.monitoring_rows import MetricRow

MINUTE: Final = 60
FIVE_MINUTES: Final = 300
HOUR: Final = 3_600
DAY: Final = 86_400

# Hours are not made of five minutes, which an older database has none of. These come last: there are most of them to be
# made once such a database is brought here.
FINER: Final[Mapping[int, int]] = {HOUR: MINUTE, DAY: HOUR, FIVE_MINUTES: MINUTE}
"""What each resolution is made of, in the order in which they are made."""

_OF_MINUTES: Final = [coarse for coarse, finer in FINER.items() if finer == MINUTE]

# By then all processes have written what they measured in the last minute of an hour. What comes later is no loss.
_GRACE: Final = timedelta(minutes=1)

# Deleted in one transaction.
_CHUNK: Final = 10_000

_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Series = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class Ages:
    """For how long what was measured is kept, by resolution; five minutes as long as their minutes."""

    minutes: timedelta
    hours: timedelta
    days: timedelta

    def each(self) -> Iterator[tuple[int, int, timedelta]]:
        """Yield each resolution, the span of which all or nothing of it is let go, and its age."""
        yield MINUTE, HOUR, self.minutes
        yield FIVE_MINUTES, HOUR, self.minutes
        yield HOUR, DAY, self.hours
        yield DAY, DAY, self.days


def beginning(moment: datetime, seconds: int) -> datetime:
    """Return when the span of so many seconds begins that `moment` is in."""
    return _1970 + (moment - _1970) // timedelta(seconds=seconds) * timedelta(seconds=seconds)


def flush(measurer: Measurer, database: Database) -> int:
    """Write what was measured since it was last done, and return how many rows that were.

    What cannot be written is kept for the next time, as far as there is room.
    """
    rows = measurer.take()
    try:
        if rows:
            database.write(partial(add, rows=rows), of_catalogue=False)
    except BaseException:
        measurer.give_back(rows)
        raise
    return len(rows)


def add(connection: Connection, rows: Iterable[MetricRow]) -> None:
    """Add to what is there of the minutes that `rows` are of; samples count as of their minute."""
    metrics.hold(connection)
    fresh = list(rows)
    for of_hour in _by_span(fresh, HOUR).values():
        _add_to_minutes(connection, of_hour)
    for coarse in _OF_MINUTES:
        _make_anew(connection, coarse, fresh)


def roll_up(database: Database, *, now: datetime, most: int = sys.maxsize) -> int:
    """Make what is over and not there yet, up to `most` spans, and return how many were made.

    Any number of processes may do so at once. Each span is a transaction.
    """
    made = 0
    for coarse in FINER:
        # Looked at first, since a write may have to wait behind an import.
        while made < most and _is_due(database, coarse, now):
            made += database.write(partial(_make_next, coarse=coarse, now=now), of_catalogue=False).value
    return made


def trim(database: Database, ages: Ages, *, now: datetime) -> int:
    """Delete what is older than it is to be, a chunk at a time, and return how many rows."""
    trimmed = 0
    for resolution, whole, age in ages.each():
        before = beginning(now - age, whole)
        while _is_excessive(database, resolution, before):
            chunk = partial(metrics.trim, resolution=resolution, before=before, limit=_CHUNK)
            trimmed += database.write(chunk, of_catalogue=False).value
    return trimmed


def rolled_up_to(connection: Connection, coarse: int) -> datetime | None:
    """Return when the first span begins that is not rolled up; None when none is."""
    found = metrics.extent(connection, coarse)
    return None if found is None else found[1] + timedelta(seconds=coarse)


def _series(row: MetricRow) -> _Series:
    return row.name, tuple(sorted(row.labels.items()))


def _by_span(rows: Iterable[MetricRow], seconds: int) -> Mapping[datetime, list[MetricRow]]:
    found: dict[datetime, list[MetricRow]] = defaultdict(list)
    for row in rows:
        found[beginning(row.at, seconds)].append(row)
    return found


def _add_to_minutes(connection: Connection, fresh: Iterable[MetricRow]) -> None:
    """Add rows that are all of one hour."""
    by_minute = _by_span(fresh, MINUTE)
    there = metrics.samples(
        connection,
        since=min(by_minute),
        until=max(by_minute) + timedelta(seconds=MINUTE),
        resolution=MINUTE,
    )
    known = {(_series(row), row.at): row for row in there}
    for minute, rows in by_minute.items():
        made = []
        for series, parts in _by_series(rows).items():
            before = known.get((series, minute))
            made.append(_merged([*parts, before] if before else parts, minute, MINUTE))
        metrics.roll_up(connection, made)


def _by_series(rows: Iterable[MetricRow]) -> Mapping[_Series, list[MetricRow]]:
    found: dict[_Series, list[MetricRow]] = defaultdict(list)
    for row in rows:
        found[_series(row)].append(row)
    return found


def _merged(rows: list[MetricRow], at: datetime, seconds: int) -> MetricRow:
    first = rows[0]
    if len(rows) == 1 and first.bucket_seconds == seconds:
        return first
    whole: Summary = added_up(map(summary, rows), clusters=CLUSTERS[seconds])
    return whole.row(first.name, first.unit, first.labels, at, seconds)


def _make_anew(connection: Connection, coarse: int, fresh: Iterable[MetricRow]) -> None:
    """Make those spans once more that are there already and have come to have more."""
    end = rolled_up_to(connection, coarse)
    for begins, late in _by_span(fresh, coarse).items():
        if end is not None and begins < end:
            _make(connection, begins, coarse, {row.name for row in late})


def _make(connection: Connection, begins: datetime, coarse: int, names: set[str] | None = None) -> None:
    """Make one span, of all that was measured or of what bears one of `names`, and the day anew that has its hour."""
    ends = begins + timedelta(seconds=coarse)
    for name in names or (None,):
        rows = metrics.samples(connection, name, since=begins, until=ends, resolution=FINER[coarse])
        made = [_merged(parts, begins, coarse) for parts in _by_series(rows).values()]
        metrics.roll_up(connection, made)
    if coarse == HOUR:
        day, end = beginning(begins, DAY), rolled_up_to(connection, DAY)
        if end is not None and day < end:
            _make(connection, day, DAY, names)


def _next(connection: Connection, coarse: int, now: datetime) -> datetime | None:
    """Return when the first span begins that is to be made and has something in it, or None."""
    finer = FINER[coarse]
    end = rolled_up_to(connection, coarse)
    first = metrics.next_after(connection, finer, end or _1970)
    if first is None:
        return None
    begins = beginning(first, coarse)
    return begins if begins + timedelta(seconds=coarse) <= _settled(connection, finer, now) else None


def _settled(connection: Connection, finer: int, now: datetime) -> datetime:
    """Return up to when all is there of a resolution."""
    if finer == MINUTE:
        return now - _GRACE
    # Once the last hour of a day is over; it may be one without anything measured.
    return _1970 if _next(connection, finer, now) is not None else beginning(now - _GRACE, finer)


def _is_due(database: Database, coarse: int, now: datetime) -> bool:
    with database.read() as connection:
        return _next(connection, coarse, now) is not None


def _make_next(connection: Connection, *, coarse: int, now: datetime) -> int:
    metrics.hold(connection)
    begins = _next(connection, coarse, now)
    if begins is None:  # Another has done it since.
        return 0
    _make(connection, begins, coarse)
    return 1


def _is_excessive(database: Database, resolution: int, before: datetime) -> bool:
    with database.glance() as connection:
        found = metrics.extent(connection, resolution)
    return found is not None and found[0] < before
