"""Where the databases differ in the SQL that queries and writes need."""

import itertools
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ARRAY,
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    Text,
    bindparam,
    literal_column,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from storage.columns import is_storable


class Many(TypeDecorator[Iterable[Any]]):
    """Any number of values as one parameter, so that a statement's text is the same for one and for thousands."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        values = [item for item in value or () if can_be_there(item)]
        return values if dialect.name == "postgresql" else msgspec.json.encode(values).decode()


def can_be_there(value: object) -> bool:
    """Whether any database could hold `value`, and so be asked for it."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return not isinstance(value, str) or is_storable(value)


class _AnyOf(FunctionElement[bool]):
    """A column that equals one of the values of a Many parameter."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> Any:
        """Stand as it is: the `= 1` that SQLite's booleans get by default would keep it from using an index."""
        return self


def any_of(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Return the condition that `column` is one of the values given as `parameter`."""
    values: BindParameter[Iterable[Any]] = bindparam(parameter, type_=Many(column.type))
    return _AnyOf(column, values)


def among(column: ColumnElement[Any], values: Iterable[StrEnum]) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `values`, which are the same whenever it is asked.

    SQLAlchemy's own would be put together anew for each execution, which statements that are compiled once cannot have.
    Nor are they parameters: where PostgreSQL plans for any values that these may have, it takes `NOT IN` for hardly ever
    true, and walks through a table for that.
    """
    return column.in_([literal_column(f"'{value}'", column.type) for value in values])


class _Unindexed(FunctionElement[Any]):
    """A column, of which no index is to be used."""

    inherit_cache = True


def unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as something to compare, but not to look rows up by.

    SQLite takes the index of a state, which may be that of most rows, before it looks up a few rows by their ids.
    """
    hidden = _Unindexed(column)
    hidden.type = column.type
    return hidden


@compiles(_Unindexed, "sqlite")
def _unindexed_sqlite(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(_Unindexed, "postgresql")
def _unindexed_postgresql(element: _Unindexed, compiler: SQLCompiler, **options: Any) -> str:
    # Its planner knows how many there are of each.
    return compiler.process(element.clauses, **options)


@compiles(_AnyOf, "sqlite")
def _any_of_sqlite(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are SQL that was compiled


@compiles(_AnyOf, "postgresql")
def _any_of_postgresql(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


_LAST_ID: Final = "SELECT seq FROM sqlite_sequence WHERE name = ?"
_NEXT_IDS: Final = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"

# Asked of PostgreSQL at a time: the first few are all that most writes need, and an import needs very many.
_FEWEST_IDS: Final = 1
_MOST_IDS: Final = 8_192


def ids(connection: Connection, table: Table) -> Iterator[int]:
    """Yield ids never given in `table`, ascending. They are the caller's, and nobody else may ask in this transaction."""
    return (
        _ids_of_sqlite(connection, table) if is_sqlite(connection) else _ids_of_postgresql(connection, table)
    )


def is_sqlite(connection: Connection) -> bool:
    """Whether this is the embedded database."""
    return connection.dialect.name == "sqlite"


def _ids_of_sqlite(connection: Connection, table: Table) -> Iterator[int]:
    last = connection.exec_driver_sql(_LAST_ID, (table.name,)).scalar()
    yield from itertools.count((last or 0) + 1)


def _ids_of_postgresql(connection: Connection, table: Table) -> Iterator[int]:
    count = _FEWEST_IDS
    while True:
        yield from connection.exec_driver_sql(_NEXT_IDS, (table.name, count)).scalars().all()
        count = min(count * 8, _MOST_IDS)
