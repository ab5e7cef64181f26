"""Statements compiled once and run on the driver's own cursor.

A point read through an ORM session costs 600 µs, through Core about 100, and
this way 20. What SQLAlchemy knows is kept: the SQL of each dialect, the order of
the parameters, and the conversions of the column types both ways.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import starmap
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Boolean, Connection, Dialect, Enum, Select, Table, insert
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from storage.tables import UtcDateTime

Row = TypeVar("Row")
_Convert = Callable[[Any], Any]


def as_tuple(*columns: Any) -> Any:
    """Make a row a plain tuple."""
    return columns


class Query(Generic[Row]):
    """A select whose rows come out as `row(*columns)`. Parameters are its `bindparam`s, by name."""

    def __init__(self, select: Select[Any], row: Callable[..., Row]) -> None:
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
            compiled = self._compiled[dialect.name] = _compile(self._select, dialect)
        return compiled


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


def _compile(select: Select[Any], dialect: Dialect) -> _Compiled:
    compiled = select.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    converts = {name: _into(bind.type, dialect) for bind, name in compiled.bind_names.items()}
    out = [(index, _out(column.type, dialect)) for index, column in enumerate(select.selected_columns)]
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


def _out(type_: TypeEngine[Any], dialect: Dialect) -> _Convert | None:
    if isinstance(type_, Enum) and type_.enum_class is not None:
        # A fifth of the time of the processor that SQLAlchemy would give.
        return {member.value: member for member in type_.enum_class}.get
    return type_.dialect_impl(dialect).result_processor(dialect, None)


class BulkInsert:
    """An INSERT of many tuples, each with all columns of the table in the table's order."""

    def __init__(self, table: Table) -> None:
        self.table: Final = table
        self.columns: Final = tuple(column.name for column in table.columns)
        self._compiled: dict[str, tuple[str, list[tuple[int, _Convert]]]] = {}

    def run(self, connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
        """Write `rows` in one call of the driver."""
        text, converts = self._for(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(text, _by_columns(list(rows), converts))
        finally:
            cursor.close()

    def _for(self, dialect: Dialect) -> tuple[str, list[tuple[int, _Convert]]]:
        known = self._compiled.get(dialect.name)
        if known is None:
            text = insert(self.table).compile(dialect=dialect, column_keys=list(self.columns)).string
            into = [(index, _into(column.type, dialect)) for index, column in enumerate(self.table.columns)]
            known = text, [(index, convert) for index, convert in into if convert is not None]
            self._compiled[dialect.name] = known
        return known


def _by_columns(rows: Sequence[Sequence[Any]], converts: Sequence[tuple[int, _Convert]]) -> list[Any]:
    """Convert some columns of `rows`: `map` and `zip` need no step of the interpreter for each row."""
    if not rows or not converts:
        return list(rows)
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for index, convert in converts:
        columns[index] = map(convert, columns[index])
    return list(zip(*columns, strict=True))
