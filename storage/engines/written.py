"""What a write returns: its result, and where it stands in the event log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from sqlalchemy import Connection

Result = TypeVar("Result")

# In `Connection.info`: the id of the last event that the operation under way has written.
_LAST_EVENT: Final = "last_event"


@dataclass(frozen=True, slots=True)
class Written(Generic[Result]):
    """What came of a write that is on disk."""

    value: Result
    """What the operation returned."""
    cursor: int
    """The position of its last event; of the newest event there is when it wrote none."""


def carry_out(operation: Callable[[Connection], Result], connection: Connection) -> tuple[Result, int | None]:
    """Run `operation`, and return its result with the id of the last event it wrote, if any."""
    connection.info.pop(_LAST_EVENT, None)
    return operation(connection), connection.info.get(_LAST_EVENT)


def newest_position(connection: Connection) -> int:
    """Return the position of the newest event. Not by SQLAlchemy, which would take longer than the database."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute("SELECT max(seq) FROM events")
        (position,) = cursor.fetchone() or (None,)
    finally:
        cursor.close()
    return position or 0


def note_event(connection: Connection, id: int) -> None:
    """Note the last event that the operation under way has written."""
    connection.info[_LAST_EVENT] = id
