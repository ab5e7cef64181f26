"""Reading and writing measurements.

Samples have a `resolution` of 0, and roll-ups that of their buckets in seconds; what is read is of one resolution, so
that nothing counts twice. Whoever writes what depends on the roll-ups that are there keeps others from it by `hold`.
"""

import functools
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Text, bindparam, cast, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from storage.dialects import ids, is_sqlite
from storage.monitoring_rows import BucketRow, MetricRow
from storage.monitoring_tables import METRICS, MetricFields
from storage.statements import BulkInsert, Query, as_tuple
from storage.upserts import Upsert


def samples(
    connection: Connection,
    name: str | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    since: datetime,
    until: datetime,
    resolution: int = 0,
) -> list[MetricRow]:
    """Return what was measured from `since` until before `until`, of all names or one, of series with all of `labels`.

    Oldest first.
    """
    values = {} if name is None else {"name": name}
    query = _samples_query(frozenset(values))
    rows = query.all(connection, resolution=resolution, since=since, until=until, **values)
    return _with_labels(rows, labels)


def buckets(
    connection: Connection,
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    since: datetime,
    until: datetime,
    seconds: int,
    resolution: int = 0,
) -> list[BucketRow]:
    """Return what was measured from `since` until before `until`, of series with all of `labels`, by spans of `seconds`.

    The database adds up. Oldest first; spans in which nothing was measured are left out. They begin at multiples of
    `seconds` since 1970, the first one perhaps before `since`.
    """
    window = {"name": name, "resolution": resolution, "since": since, "until": until}
    # To add up what is added up already would change nothing, and takes the database longer than to read it.
    rows = (
        _ROLL_UPS.all(connection, **window)
        if seconds == resolution
        else _BUCKETS.all(connection, **window, **_span(seconds))
    )
    return _of_series(rows, labels)


def sketches(
    connection: Connection,
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    since: datetime,
    until: datetime,
    resolution: int = 0,
) -> list[BucketRow]:
    """Return the rows that `buckets` would add up, each with its sketch. Oldest first."""
    return _of_series(
        _SKETCHES.all(connection, name=name, resolution=resolution, since=since, until=until), labels
    )


@functools.lru_cache(1_024)
def labels_of(text: str) -> Mapping[str, str]:
    """Return the labels that a row has as text."""
    return dict(json.loads(text))


def insert(connection: Connection, metrics: Iterable[MetricFields]) -> None:
    """Write samples."""
    given = ids(connection, METRICS)
    rows = (
        (m.name, m.unit, m.labels, m.at, next(given), 0, 1, m.value, m.value, m.value, None) for m in metrics
    )
    _INSERT.run(connection, rows)


def roll_up(connection: Connection, rows: Iterable[MetricRow]) -> None:
    """Write roll-ups, each in the place of what was there for its bucket: doing it again changes nothing."""
    _ROLL_UP.run(connection, ({name: getattr(row, name) for name in _FIELDS} for row in rows))


def hold(connection: Connection) -> None:
    """Have all others who ask for this wait until the end of the transaction.

    To lock the rows would not do: of two that add to a bucket that is not there yet, one would be lost.
    """
    if not is_sqlite(connection):  # There only one transaction writes at a time.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ROLLING_UP})")


def extent(connection: Connection, resolution: int) -> tuple[datetime, datetime] | None:
    """Return when the oldest and the newest of a resolution begin, or None when there are none."""
    oldest, newest = _EXTENT.all(connection, resolution=resolution)[0]
    return None if oldest is None or newest is None else (oldest, newest)


def next_after(connection: Connection, resolution: int, since: datetime) -> datetime | None:
    """Return when the first of a resolution begins that begins at `since` or later, or None when none does."""
    return _NEXT_AFTER.all(connection, resolution=resolution, since=since)[0]


def trim(connection: Connection, *, resolution: int, before: datetime, limit: int) -> int:
    """Delete the oldest of what was measured before `before`, up to `limit` rows. Return how many."""
    oldest = select(_C.id).where(_C.bucket_seconds == resolution, _C.at < before).order_by(_C.at).limit(limit)
    return connection.execute(METRICS.delete().where(_C.id.in_(oldest))).rowcount


class _Epoch(FunctionElement[int]):
    """The whole seconds from 1970 to a moment."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Epoch, "sqlite")
def _epoch_of_sqlite(element: _Epoch, compiler: SQLCompiler, **options: Any) -> str:
    # Without the fraction: it would be rounded to milliseconds, and 59.9999 is not the next minute.
    return f"CAST(strftime('%s', substr({compiler.process(element.clauses, **options)}, 1, 19)) AS INTEGER)"


@compiles(_Epoch, "postgresql")
def _epoch_of_postgresql(element: _Epoch, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(floor(extract(epoch FROM {compiler.process(element.clauses, **options)})) AS bigint)"


_C: Final = METRICS.c
_FIELDS: Final = MetricRow.__struct_fields__
_ROW: Final = select(*(_C[name] for name in _FIELDS))
_INSERT: Final = BulkInsert(METRICS)
_KEY: Final = ("name", "labels", "bucket_seconds", "at")
_ROLL_UP: Final = Upsert(
    METRICS,
    _KEY,
    lambda new: {name: new[name] for name in _FIELDS if name not in _KEY},
    where="bucket_seconds > 0",
)
_WINDOW: Final[tuple[ColumnElement[bool], ...]] = (
    _C.bucket_seconds == bindparam("resolution"),
    _C.at >= bindparam("since"),
    _C.at < bindparam("until"),
)
# Any number that no other lock of the database has.
_ROLLING_UP: Final = 7_285_001

_OF_RESOLUTION: Final = _C.bucket_seconds == bindparam("resolution")
# Each by itself, which an index answers at once.
_EXTENT: Final[Query[tuple[datetime | None, datetime | None]]] = Query(
    select(
        *(select(extreme(_C.at)).where(_OF_RESOLUTION).scalar_subquery() for extreme in (func.min, func.max))
    ),
    as_tuple,
)
_NEXT_AFTER: Final[Query[datetime | None]] = Query(
    select(func.min(_C.at)).where(_OF_RESOLUTION, _C.at >= bindparam("since")), lambda at: at
)
# Seconds from the year 1 to 1970, and more.
_EARLIEST: Final = 100_000_000_000
_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LABELS: Final = cast(_C.labels, Text).label("labels")


def _with_labels(rows: list[MetricRow], labels: Mapping[str, str] | None) -> list[MetricRow]:
    return [row for row in rows if labels.items() <= row.labels.items()] if labels else rows


def _of_series(rows: list[BucketRow], labels: Mapping[str, str] | None) -> list[BucketRow]:
    return [row for row in rows if labels.items() <= labels_of(row.labels).items()] if labels else rows


@functools.cache
def _samples_query(parameters: frozenset[str]) -> Query[MetricRow]:
    conditions = (_C[name] == bindparam(name) for name in parameters)
    return Query(_ROW.where(*conditions, *_WINDOW).order_by(_C.at, _C.id), MetricRow)


def _roll_ups_query(*further: ColumnElement[Any]) -> Query[BucketRow]:
    columns = (_LABELS, _C.unit, _C.at, _C.count, _C.total, _C.minimum, _C.maximum, *further)
    found = select(*columns).where(_C.name == bindparam("name"), *_WINDOW)
    return Query(found.order_by(_C.at, _C.id), BucketRow)


def _buckets_query() -> Query[BucketRow]:
    columns = (_begins().label("begins"), _LABELS, _C.unit, _C.count, _C.total, _C.minimum, _C.maximum)
    found = select(*columns).where(_C.name == bindparam("name"), *_WINDOW).subquery().c
    figures = (
        cast(func.sum(found["count"]), BigInteger),
        func.sum(found.total),
        func.min(found.minimum),
        func.max(found.maximum),
    )
    series = (found.begins, found.labels, found.unit)
    return Query(select(*series, *figures).group_by(*series).order_by(found.begins), _bucket)


def _begins() -> ColumnElement[int]:
    """Return when the span begins that a row is in. Shifted, so that division rounds one way also before 1970."""
    seconds, shift = (bindparam(name, type_=BigInteger()) for name in ("seconds", "shift"))
    return (_Epoch(_C.at) + shift) // seconds * seconds - shift


def _span(seconds: int) -> dict[str, int]:
    return {"seconds": seconds, "shift": (_EARLIEST // seconds + 1) * seconds}


@functools.lru_cache(65_536)
def _moment(epoch: int) -> datetime:
    return _1970 + timedelta(seconds=epoch)


def _bucket(begins: int, labels: str, unit: str, *figures: Any) -> BucketRow:
    return BucketRow(labels, unit, _moment(begins), *figures)


_BUCKETS: Final = _buckets_query()
_ROLL_UPS: Final = _roll_ups_query()
_SKETCHES: Final = _roll_ups_query(_C.sketch)
