"""Reading the event log from a subscriber's place."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from storage import events, history
from storage.database import Connection, Database
from storage.rows import EventRow, TransitionRow
from storage.tables import EventKind

# Events read at a time: enough to catch up at tens of thousands a second, few enough to hold for a slow reader.
BATCH: Final = 256


@dataclass(frozen=True, slots=True)
class EventSelection:
    """Which events a subscriber wants; None asks for nothing."""

    kinds: frozenset[EventKind] | None = None
    packages: frozenset[str] | None = None
    run: int | None = None

    def is_empty(self) -> bool:
        """Whether no event can match."""
        return _nothing(self.kinds) or _nothing(self.packages)


@dataclass(frozen=True, slots=True)
class Progress:
    """What was read: events, and how far the log has been looked through for them."""

    events: tuple[EventRow, ...]
    position: int
    """Nothing up to here is left to read."""
    transitions: Mapping[int, TransitionRow] = field(default_factory=dict)
    """By id: the changes of state that these events tell of, if they were asked for."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Events after the asked place are gone; what is kept goes on after `resume_from`."""

    resume_from: int


def read_events(
    database: Database,
    after: int,
    *,
    selection: EventSelection,
    with_transitions: bool = False,
    limit: int = BATCH,
) -> Progress | Trimmed:
    """Return the next events after `after`, oldest first, from one snapshot."""
    with database.read() as connection:
        oldest, newest = events.oldest(connection), events.newest(connection)
        if oldest is not None and after < oldest - 1:
            return Trimmed(oldest - 1)
        if selection.is_empty():
            return Progress((), max(after, newest))
        rows = events.after(
            connection,
            after,
            limit=limit,
            kinds=selection.kinds,
            packages=selection.packages,
            run=selection.run,
        )
        transitions = _transitions(connection, rows) if with_transitions else {}
    position = rows[-1].seq if len(rows) == limit else max(after, newest)
    return Progress(tuple(rows), position, transitions)


def _transitions(connection: Connection, rows: Collection[EventRow]) -> Mapping[int, TransitionRow]:
    ids = [row.transition_id for row in rows if row.transition_id is not None]
    return history.by_ids(connection, ids) if ids else {}


def _nothing(choice: Collection[object] | None) -> bool:
    return choice is not None and not choice
