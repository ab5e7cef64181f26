"""Every row of a database: read in batches, written in bulk, and summed up, whichever kinds of databases they are.

How it works: tables are read and written through their images, so that what one database holds comes to the other as it
is. Keys lead from batch to batch, so that memory is bounded and no cursor has to stay open. An event is copied with its position for its id, as on SQLite; one that has no
position yet gets the next.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    bindparam,
    func,
    select,
    tuple_,
)

from storage.build_tables import LOGS
from storage.dialects import is_sqlite
from storage.images import IMAGES, TABLES
from storage.statements import BulkInsert, Query, as_tuple
from storage.tables import EVENTS

COUNTED: Final = tuple(table for table in TABLES if "id" in table.columns)
"""The tables that give out ids."""

# Rows of one batch. A row of output may hold a megabyte, any other hardly a kilobyte.
_BATCH: Final = 10_000
_LOG_BATCH: Final = 100

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a table holds."""

    rows: int
    digest: str
    """Equal when all rows are."""


def copy(source: Connection, target: Connection) -> dict[str, Contents]:
    """Copy all rows of all tables, and return what was copied, by table. Triggers and foreign keys are the caller's."""
    return {str(table.name): _copy(source, target, table) for table in TABLES}


def contents(connection: Connection) -> dict[str, Contents]:
    """Return what each table holds."""
    return {str(table.name): _summed(_rows(connection, table)) for table in TABLES}


def occupied(connection: Connection) -> tuple[str, ...]:
    """Return the names of the tables that have any row."""
    return tuple(
        table.name
        for table in TABLES
        if connection.execute(select(1).select_from(table).limit(1)).first() is not None
    )


def last_ids(connection: Connection) -> dict[str, int]:
    """Return the last id that each table has given out, 0 before the first."""
    if is_sqlite(connection):
        given = {name: int(last) for name, last in connection.exec_driver_sql(_LAST_IDS_SQLITE)}
    else:
        given = {
            table.name: int(connection.exec_driver_sql(_LAST_ID_POSTGRESQL, (table.name,)).scalar_one())
            for table in COUNTED
        }
    return {table.name: given.get(table.name, 0) for table in COUNTED}


def highest_ids(connection: Connection) -> dict[str, int]:
    """Return the highest id in each table, 0 when it is empty."""
    return {table.name: connection.execute(_highest(table)).scalar_one() for table in COUNTED}


def count_on(connection: Connection, last: Mapping[str, int]) -> None:
    """Have each table give out only ids above `last`; what it has given already it never gives again."""
    given = last_ids(connection)
    for name, value in last.items():
        if value > given[name]:
            _count_on(connection, name, value)


def _copy(source: Connection, target: Connection, table: Table) -> Contents:
    insert = _INSERTS[table.name]

    def batches() -> Iterator[list[Row]]:
        for batch in _rows(source, table):
            insert.run(target, batch)
            yield batch

    return _summed(batches())


def _summed(batches: Iterable[list[Row]]) -> Contents:
    rows, digest = 0, hashlib.sha256()
    for batch in batches:
        rows += len(batch)
        for row in batch:
            digest.update(_encode(row))
    return Contents(rows, digest.hexdigest())


_encode: Final = msgspec.msgpack.Encoder().encode


def _rows(connection: Connection, table: Table) -> Iterator[list[Row]]:
    """Yield the rows of a table as both databases would hold them, in the order of their keys."""
    if table is EVENTS:
        return _event_rows(connection)
    return _READS[table.name].batches(connection, _LOG_BATCH if table is LOGS else _BATCH)


def _event_rows(connection: Connection) -> Iterator[list[Row]]:
    position = 0
    for batch in _STAMPED.batches(connection, _BATCH):
        position = batch[-1][_SEQ]
        yield [(row[_SEQ], *row[1:]) for row in batch]
    for batch in _UNSTAMPED.batches(connection, _BATCH):
        numbered = enumerate(batch, start=position + 1)
        yield [(seq, seq, *row[2:]) for seq, row in numbered]
        position += len(batch)


@dataclass(frozen=True, slots=True)
class _Read:
    """How a table is read: from key to key."""

    keys: Sequence[int]
    """Where the columns of the key are in a row."""
    first: Query[Row]
    further: Query[Row]

    def batches(self, connection: Connection, limit: int) -> Iterator[list[Row]]:
        batch = self.first.all(connection, limit=limit)
        while batch:
            yield batch
            after = {f"after_{place}": batch[-1][key] for place, key in enumerate(self.keys)}
            batch = self.further.all(connection, limit=limit, **after)


def _read(table: Table, keys: Sequence[Column[Any]], *conditions: ColumnElement[bool]) -> _Read:
    query: Select[Any] = select(*table.columns).where(*conditions).order_by(*keys).limit(bindparam("limit"))
    after = [bindparam(f"after_{place}", type_=key.type) for place, key in enumerate(keys)]
    beyond = keys[0] > after[0] if len(keys) == 1 else tuple_(*keys) > tuple_(*after)
    places = {column.name: place for place, column in enumerate(table.columns)}
    return _Read(
        [places[key.name] for key in keys],
        Query(query, as_tuple),
        Query(query.where(beyond), as_tuple),
    )


_INSERTS: Final = {name: BulkInsert(table) for name, table in IMAGES.items()}
_READS: Final = {name: _read(table, list(table.primary_key)) for name, table in IMAGES.items()}

_EVENTS: Final = IMAGES[EVENTS.name]
assert [column.name for column in _EVENTS.columns][:2] == ["id", "seq"]
_SEQ: Final = 1
_STAMPED: Final = _read(_EVENTS, [_EVENTS.c.seq], _EVENTS.c.seq.is_not(None))
_UNSTAMPED: Final = _read(_EVENTS, [_EVENTS.c.id], _EVENTS.c.seq.is_(None))

_LAST_IDS_SQLITE: Final = "SELECT name, seq FROM sqlite_sequence"
_LAST_ID_POSTGRESQL: Final = (
    "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence(%s, 'id')::regclass), 0)"
)


def _highest(table: Table) -> Select[Any]:
    return select(func.coalesce(func.max(table.c.id), 0))


def _count_on(connection: Connection, name: str, value: int) -> None:
    if is_sqlite(connection):
        connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        connection.exec_driver_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, value))
    else:
        connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", (name, value))
