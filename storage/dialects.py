"""Where the databases differ in the SQL that queries and writes need."""

from collections.abc import Iterable
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
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from storage.tables import is_storable


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
        values = [item for item in value or () if not isinstance(item, str) or is_storable(item)]
        return values if dialect.name == "postgresql" else msgspec.json.encode(values).decode()


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


@compiles(_AnyOf, "sqlite")
def _any_of_sqlite(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 - both are SQL that was compiled


@compiles(_AnyOf, "postgresql")
def _any_of_postgresql(element: _AnyOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


_LAST_ID: Final = "SELECT seq FROM sqlite_sequence WHERE name = ?"


def next_id(connection: Connection, table: Table) -> int:
    """Return the first of the ids never given in `table`. It and all above are the caller's until the transaction ends."""
    last = connection.exec_driver_sql(_LAST_ID, (table.name,)).scalar()
    return (last or 0) + 1
