"""Reading and writing the output of builds.

A row holds consecutive lines of one attempt, as a worker sent them; callers see lines.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, bindparam, case, func, or_, select

from storage.build_rows import LogLine
from storage.build_tables import LOGS, LogFields
from storage.dialects import any_of, ids
from storage.statements import BulkInsert, Query, as_tuple


class LogPlace(NamedTuple):
    """A line, by its attempt and its number in that."""

    attempt: int
    line: int


_START: Final = LogPlace(0, -1)


def pages_of(
    connection: Connection, build_ids: Iterable[int], *, limit: int, after: LogPlace | None = None
) -> dict[int, list[LogLine]]:
    """Return up to `limit` lines of each build that come after `after`, the first attempt's first; one statement.

    No more text is read than the rows that these lines are in. A build without such lines has an empty list.
    """
    place = after or _START
    pages: dict[int, list[LogLine]] = {id_: [] for id_ in build_ids}
    rows = _PAGES.all(connection, ids=pages, limit=limit, attempt=place.attempt, line=place.line)
    for build_id, attempt, first_line, at, text in rows:
        page = pages[build_id]
        lines = (
            line for line in _lines(attempt, first_line, at, text) if (line.attempt, line.number) > place
        )
        page.extend(line for line, _ in zip(lines, range(limit - len(page)), strict=False))
    return pages


def length(connection: Connection, build_id: int, attempt: int) -> int:
    """Return the number of the line that comes next in the output of an attempt."""
    return _LENGTH.one(connection, build_id=build_id, attempt=attempt) or 0


def append(
    connection: Connection, build_id: int, attempt: int, batches: Iterable[LogFields], *, now: datetime
) -> None:
    """Write lines that follow those that are there."""
    given = ids(connection, LOGS)
    _INSERT.run(
        connection,
        (
            (batch.first_line, batch.line_count, batch.text, next(given), build_id, attempt, now)
            for batch in batches
        ),
    )


_C: Final = LOGS.c
_END: Final = _C.first_line + _C.line_count
_ATTEMPT: Final = bindparam("attempt", type_=_C.attempt.type)
_LINE: Final = bindparam("line", type_=_C.first_line.type)
_INSERT: Final = BulkInsert(LOGS)
# Of the row that the place is in, only the lines behind it count.
_LINES_LEFT: Final = case(
    (and_(_C.attempt == _ATTEMPT, _C.first_line <= _LINE), _END - _LINE - 1), else_=_C.line_count
)
_LINES_SO_FAR: Final = func.sum(_LINES_LEFT).over(
    partition_by=_C.build_id, order_by=(_C.attempt, _C.first_line)
)
# Without the texts, since all rows from the place on are looked at.
_SIZES: Final = (
    select(_C.id, (_LINES_SO_FAR - _LINES_LEFT).label("lines_before"))
    .where(
        any_of(_C.build_id, "ids"),
        _C.attempt >= _ATTEMPT,
        or_(_C.attempt > _ATTEMPT, _END > _LINE + 1),
    )
    .subquery()
)
_PAGES: Final[Query[tuple[int, int, int, datetime, str]]] = Query(
    select(_C.build_id, _C.attempt, _C.first_line, _C.at, _C.text)
    .join_from(_SIZES, LOGS, _C.id == _SIZES.c.id)
    .where(_SIZES.c.lines_before < bindparam("limit"))
    .order_by(_C.build_id, _C.attempt, _C.first_line),
    as_tuple,
)
_LENGTH: Final = Query(
    select(_END)
    .where(_C.build_id == bindparam("build_id"), _C.attempt == _ATTEMPT)
    .order_by(_C.first_line.desc())
    .limit(1),
    int,
)


def _lines(attempt: int, first_line: int, at: datetime, text: str) -> Iterator[LogLine]:
    for number, line in enumerate(text.split("\n"), first_line):
        yield LogLine(attempt, number, at, line)
