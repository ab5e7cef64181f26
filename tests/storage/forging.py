"""Writing what no database of ours would let through, as a foreign program or a bug might."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import psycopg
from sqlalchemy.dialects import postgresql

from storage import schemas
from storage.engines.urls import is_postgres
from storage.schemas import Part, PartKind

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy has no types there


def forge(url: str, *statements: str) -> None:
    """Carry out statements while no trigger, key or CHECK is looked at. All of them are there again afterwards."""
    everything = " ".join(statements)
    unguarded = _unguarded_postgres(url, everything) if is_postgres(url) else _unguarded_sqlite(url)
    with unguarded as connection:
        for statement in statements:
            connection.execute(statement)


def carry_out(url: str, *statements: str) -> None:
    """Carry out statements past the application."""
    with _connected(url) as connection:
        for statement in statements:
            connection.execute(statement)


def rows(url: str, query: str) -> list[Any]:
    """Return what a query finds."""
    with _connected(url) as connection:
        return list(connection.execute(query).fetchall())


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    if is_postgres(url):
        with psycopg.connect(url, options="-c timezone=UTC") as connection:
            yield connection
    else:
        with closing(sqlite3.connect(url, isolation_level=None)) as connection:
            yield connection


@contextmanager
def _unguarded_sqlite(url: str) -> Iterator[Any]:
    with _connected(url) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in triggers:
            connection.execute(sql)


@contextmanager
def _unguarded_postgres(url: str, statements: str) -> Iterator[Any]:
    with _connected(url) as connection:
        connection.execute("SET session_replication_role = replica")
        checks = connection.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'c'"
            " AND connamespace = 'public'::regnamespace"
        ).fetchall()
        checks = [(table, name) for table, name in checks if table in statements]
        for table, name in checks:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield connection
        for table, name in checks:
            adding = schemas.adding(Part(PartKind.CONSTRAINT, table, name)).compile(dialect=_DIALECT)
            connection.execute(f"{adding} NOT VALID")
        connection.execute("UPDATE pg_constraint SET convalidated = true WHERE contype = 'c'")
