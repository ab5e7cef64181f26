"""Statements within spans: cursors that tell when each begins and ends, for whoever follows what an operation does.

A statement is passed on with its placeholders, never with its values. Of one that returns rows, SQLite's span ends before they
are fetched.
"""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

Spans: TypeAlias = Callable[[str], AbstractContextManager[object]]
"""Gives, for the text of a statement, what is entered before it is run and left after it."""


def spanning_connection(spans: Spans) -> type[sqlite3.Connection]:
    """Return a class of connections to SQLite, whose cursors run each statement within a span."""

    class SpanningCursor(sqlite3.Cursor):
        def execute(self, sql: str, parameters: Any = (), /) -> "SpanningCursor":
            with spans(sql):
                super().execute(sql, parameters)
            return self

        def executemany(self, sql: str, parameters: Any, /) -> "SpanningCursor":
            with spans(sql):
                super().executemany(sql, parameters)
            return self

    class SpanningConnection(sqlite3.Connection):
        def cursor(self, factory: Any = SpanningCursor) -> Any:
            return super().cursor(factory)

    return SpanningConnection
