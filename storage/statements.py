"""Statements compiled once and run on the driver's own cursor.

A point read through an ORM session costs 600 µs, through Core about 100, and
this way 20. What SQLAlchemy knows is kept: the SQL of each dialect, the order of
the parameters, and the conversions of the column types both ways.
"""

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from typing import Any, Final, Generic, NoReturn, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    UpdateBase,
)
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.types import TypeDecorator, TypeEngine

from storage.columns import UtcDateTime
from storage.errors import UnknownValue

Row = TypeVar("Row")
_Convert = Callable[[Any], Any]

# Up to so many rows, setting up a COPY costs more than it saves.
_FEW: Final = 10


def as_tuple(*columns: Any) -> Any:
    """Make a row a plain tuple."""
    return columns


def given(**values: Any) -> dict[str, Any]:
    """Return those of `values` that are not None: what was asked for, of what may be left out."""
    return {name: value for name, value in values.items() if value is not None}


class Query(Generic[Row]):
    """A select, or a change that returns rows, whose rows come out as `row(*columns)`. Parameters are its `bindparam`s, by name."""

    def __init__(self, select: Select[Any] | ReturningUpdate[Any], row: Callable[..., Row]) -> None:
        self._select = select
        self._row = row
        self._compiled: dict[str, _Compiled] = {}

    def all(self, connection: Connection, **values: object) -> list[Row]:
        """Return every row."""
        compiled = self._for(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.text, compiled.parameters(values))
            return compiled.rows(cursor.fetchall(), self._row)
        finally:
            cursor.close()

    def one(self, connection: Connection, **values: object) -> Row | None:
        """Return the first row, or None when there is none."""
        return next(iter(self.all(connection, **values)), None)

    def _for(self, dialect: Dialect) -> "_Compiled":
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            returned = self._select
            columns = returned.selected_columns if isinstance(returned, Select) else returned.exported_columns
            compiled = self._compiled[dialect.name] = _compile(returned, dialect, columns)
        return compiled


class Change:
    """An UPDATE that may return ids. What it sets and asks is its `bindparam`s, by name, and what it says itself."""

    def __init__(self, statement: UpdateBase) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, **values: object) -> int:
        """Carry it out, and return how many rows it has changed."""
        cursor = connection.connection.cursor()
        try:
            self._execute(cursor, connection.dialect, values)
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def returning(self, connection: Connection, **values: object) -> list[int]:
        """Carry it out, and return the ids that it returns."""
        cursor = connection.connection.cursor()
        try:
            self._execute(cursor, connection.dialect, values)
            return [row[0] for row in cursor.fetchall()]
        finally:
            cursor.close()

    def _execute(self, cursor: Any, dialect: Dialect, values: Mapping[str, object]) -> None:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _compile(self._statement, dialect, ())
        cursor.execute(compiled.text, compiled.parameters(values))


@dataclass(frozen=True, slots=True)
class _Compiled:
    text: str
    positions: Sequence[str] | None
    """Parameter names in order, or None where the driver takes them by name."""
    constants: Mapping[str, object]
    into: Mapping[str, _Convert]
    out: Sequence[tuple[int, _Convert]]

    def parameters(self, values: Mapping[str, object]) -> Any:
        given = {**self.constants, **values}
        for name, convert in self.into.items():
            given[name] = convert(given[name])
        return given if self.positions is None else [given[name] for name in self.positions]

    def rows(self, fetched: Sequence[Sequence[Any]], row: Callable[..., Row]) -> list[Row]:
        return list(starmap(row, _by_columns(fetched, self.out)))


def _compile(
    statement: Select[Any] | UpdateBase, dialect: Dialect, columns: Iterable[ColumnElement[Any]]
) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    converts = {name: _into(bind.type, dialect) for bind, name in compiled.bind_names.items()}
    out = [(index, _out(column, dialect)) for index, column in enumerate(columns)]
    return _Compiled(
        compiled.string,
        compiled.positiontup,
        compiled.params,
        {name: convert for name, convert in converts.items() if convert is not None},
        [(index, convert) for index, convert in out if convert is not None],
    )


def _into(type_: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    if isinstance(type_, Boolean):
        # Drivers take True for 1 as it is.
        return None
    convert = type_.dialect_impl(dialect).bind_processor(dialect)
    # The thousands of rows of one write were all made at the same moment.
    return lru_cache(64)(convert) if convert is not None and isinstance(type_, UtcDateTime) else convert


def _out(column: ColumnElement[Any], dialect: Dialect) -> _Convert | None:
    if isinstance(column.type, Enum) and column.type.enum_class is not None:
        # A fifth of the time of the processor that SQLAlchemy would give.
        return _Members(column, column.type.enum_class).__getitem__
    if isinstance(column.type, Float):
        # Drivers give floats as they are; psycopg's processor would want to be told the type that the server said.
        return None
    return column.type.dialect_impl(dialect).result_processor(dialect, None)


class _Members(dict[str | None, enum.Enum | None]):
    """The members of an enumeration by what a column holds, which may be nothing."""

    def __init__(self, column: ColumnElement[Any], choices: type[enum.Enum]) -> None:
        super().__init__({member.value: member for member in choices})
        self[None] = None
        self._column = next(iter(column.base_columns))

    def __missing__(self, value: object) -> NoReturn:
        assert isinstance(self._column, Column)
        raise UnknownValue(self._column.table.name, self._column.name, str(value))


class BulkInsert:
    """An INSERT of many tuples, each with all columns of the table in the table's order."""

    def __init__(self, table: Table) -> None:
        self.table: Final = table
        self.columns: Final = tuple(column.name for column in table.columns)
        self._compiled: dict[str, _Insert] = {}

    def run(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Write `rows` in one call of the driver."""
        insert = self._for(connection.dialect)
        converted = _by_columns(list(rows), insert.converts)
        cursor = connection.connection.cursor()
        try:
            if insert.copy is not None and len(converted) > _FEW:
                _copy(cast(Any, cursor), insert.copy, converted)
            else:
                cursor.executemany(insert.text, converted)
        finally:
            cursor.close()

    def _for(self, dialect: Dialect) -> "_Insert":
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = _compile_insert(self.table, dialect)
        return known


@dataclass(frozen=True, slots=True)
class _Insert:
    text: str
    converts: Sequence[tuple[int, _Convert]]
    copy: "_Copy | None"
    """For the database that has something faster for many rows."""


@dataclass(frozen=True, slots=True)
class _Copy:
    text: str
    types: Sequence[str]


def _compile_insert(table: Table, dialect: Dialect) -> _Insert:
    into = [(index, _into(column.type, dialect)) for index, column in enumerate(table.columns)]
    converts = [(index, convert) for index, convert in into if convert is not None]
    quote = dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    # Without names for the parameters, of which each database has its own form.
    marks = ", ".join(["?" if dialect.name == "sqlite" else "%s"] * len(table.columns))
    text = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608 - names of our own
    if dialect.name != "postgresql":
        return _Insert(text, converts, None)
    types = [_copied_as(column.type) for column in table.columns]
    copy = f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)"
    return _Insert(text, converts, _Copy(copy, types))


def _copy(cursor: Any, copy: _Copy, rows: Iterable[Sequence[Any]]) -> None:
    with cursor.copy(copy.text) as stream:
        stream.set_types(copy.types)
        for row in rows:
            stream.write_row(row)


def _copied_as(type_: TypeEngine[Any]) -> str:
    """Return PostgreSQL's name for a column's type, by which a binary COPY writes it."""
    plain = type_.impl_instance if isinstance(type_, TypeDecorator) else type_
    return next(name for kind, name in _PLAIN_TYPES if isinstance(plain, kind))


_PLAIN_TYPES: Final[Sequence[tuple[type[TypeEngine[Any]], str]]] = (
    (BigInteger, "int8"),
    (Integer, "int4"),
    (Boolean, "bool"),
    (Float, "float8"),
    (DateTime, "timestamptz"),
    (LargeBinary, "bytea"),
    (String, "text"),
)


def _by_columns(rows: Sequence[Sequence[Any]], converts: Sequence[tuple[int, _Convert]]) -> list[Any]:
    """Convert some columns of `rows`: `map` and `zip` need no step of the interpreter for each row."""
    if not rows or not converts:
        return list(rows)
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for index, convert in converts:
        columns[index] = map(convert, columns[index])
    return list(zip(*columns, strict=True))
