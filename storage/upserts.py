"""An INSERT that changes the row that is there already, which both databases have in the same words."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Executable, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection

Changes = Callable[[ReadOnlyColumnCollection[str, Any]], Mapping[str, Any]]
"""From the columns of the row that was to be inserted to what is set in the one that is there."""


class Upsert:
    """How rows come into a table in which their key may be taken: each in one step, whoever else writes."""

    def __init__(
        self, table: Table, key: Sequence[str], changes: Changes, *, where: str | None = None
    ) -> None:
        """`where` is the condition of the index, when the key is unique among some rows only."""
        condition = None if where is None else text(where)
        self._statements: Final[dict[str, Executable]] = {
            insert.stringify_dialect: insert.on_conflict_do_update(
                index_elements=key, index_where=condition, set_=changes(insert.excluded)
            )
            for insert in (sqlite.insert(table), postgresql.insert(table))
        }

    def run(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write `rows`, by the names of their columns. The key of a row may come again further on."""
        given = list(rows)
        if given:
            connection.execute(self._statements[connection.dialect.name], given)
