"""What a database's tables, indices and triggers are, and what they should be."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection, create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint

from storage import triggers
from storage.columns import Base
from storage.database import Database
from storage.dialects import is_sqlite
from storage.images import TABLES


class PartKind(StrEnum):
    """What a part of a schema is."""

    COLUMN = "column"
    CONSTRAINT = "constraint"
    INDEX = "index"
    TRIGGER = "trigger"
    FUNCTION = "function"


class Part(NamedTuple):
    """A part of a schema, by its name."""

    kind: PartKind
    table: str
    """Empty for a function, which belongs to no table."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name} of {self.table}" if self.table else f"{self.kind} {self.name}"


Schema = dict[Part, str]
"""The definition of each part, as the database says it."""


def found(connection: Connection) -> Schema:
    """Return the parts that there are: of our tables all, and of the rest those functions that have our names."""
    parts = _of_sqlite(connection) if is_sqlite(connection) else _of_postgresql(connection)
    return {part: definition for part, definition in parts if not part.table or part.table in _NAMES}


def expected(database: Database) -> Schema:
    """Return the parts that there should be, as this database would say them.

    PostgreSQL's versions differ in how they say the same, so it is asked for a second set, which is never committed.
    """
    with database.glance() as connection:
        if not is_sqlite(connection):
            with _scratch(connection):
                return found(connection)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        _make(connection)
        schema = found(connection)
    engine.dispose()
    return schema


def adding(part: Part) -> AddConstraint:
    """Return what adds a constraint. Its definition would not do: said again, PostgreSQL says it in other words."""
    return AddConstraint(_CONSTRAINTS[part.name], isolate_from_table=False)


_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has no types there
_CONSTRAINTS: Final = {
    str(_DIALECT.identifier_preparer.format_constraint(constraint)): constraint
    for table in TABLES
    for constraint in table.constraints
}
_NAMES: Final = frozenset(table.name for table in TABLES)
_SCRATCH: Final = "buildatlas_scratch"


def _make(connection: Connection) -> None:
    Base.metadata.create_all(connection, checkfirst=False)
    triggers.apply(connection)


@contextmanager
def _scratch(connection: Connection) -> Iterator[None]:
    """Give a schema of its own to everything that is done, and undo it."""
    connection.exec_driver_sql("BEGIN")
    try:
        connection.exec_driver_sql(f"CREATE SCHEMA {_SCRATCH}")
        connection.exec_driver_sql(f"SET LOCAL search_path = {_SCRATCH}")
        _make(connection)
        yield
    finally:
        connection.exec_driver_sql("ROLLBACK")


def _of_sqlite(connection: Connection) -> Iterator[tuple[Part, str]]:
    rows = connection.exec_driver_sql(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
    )
    for kind, name, table, sql in rows:
        if kind == "table":
            yield from (_table_part(table, text) for text in _texts(sql))
        else:
            yield Part(PartKind(kind), table, name), _squeezed(sql)


def _table_part(table: str, text: str) -> tuple[Part, str]:
    first, _, rest = text.partition(" ")
    if first == "CONSTRAINT":
        return Part(PartKind.CONSTRAINT, table, rest.partition(" ")[0]), text
    return Part(PartKind.COLUMN, table, first.strip('"')), text


def _texts(create_table: str) -> Iterator[str]:
    """Yield the columns and constraints of a CREATE TABLE: what commas outside of all inner parentheses part."""
    inside = create_table[create_table.index("(") + 1 : create_table.rindex(")")]
    depth, start = 0, 0
    for place, character in enumerate(inside):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield _squeezed(inside[start:place])
            start = place + 1
    yield _squeezed(inside[start:])


def _squeezed(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()


def _of_postgresql(connection: Connection) -> Iterator[tuple[Part, str]]:
    schema = connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    for kind, query in _POSTGRESQL.items():
        for table, name, definition in connection.exec_driver_sql(query):
            yield Part(kind, table, name), definition.replace(f"{schema}.", "")


_HERE: Final = "quote_ident(current_schema())::regnamespace"
_POSTGRESQL: Final = {
    PartKind.COLUMN: f"""
        SELECT c.relname, a.attname, concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
            'COLLATE ' || nullif(o.collname, 'default'), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
            'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation o ON o.oid = a.attcollation
        WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace = {_HERE}""",
    PartKind.CONSTRAINT: f"""
        SELECT c.relname, k.conname, concat_ws(' ', 'CONSTRAINT', quote_ident(k.conname), pg_get_constraintdef(k.oid))
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.connamespace = {_HERE} AND k.contype IN ('c', 'f', 'p', 'u')""",
    PartKind.INDEX: f"""
        SELECT t.relname, c.relname, pg_get_indexdef(c.oid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
        WHERE t.relnamespace = {_HERE} AND NOT EXISTS
            (SELECT FROM pg_constraint WHERE conindid = c.oid AND contype IN ('p', 'u', 'x'))""",
    PartKind.TRIGGER: f"""
        SELECT c.relname, t.tgname,
            pg_get_triggerdef(t.oid) || CASE t.tgenabled WHEN 'O' THEN '' ELSE ' (disabled)' END
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT t.tgisinternal AND c.relnamespace = {_HERE}""",
    PartKind.FUNCTION: f"""
        SELECT '', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = {_HERE}""",
}
"""Queries for a table's name, a part's name, and the part's definition."""
