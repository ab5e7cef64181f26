"""Reading the event log from a subscriber's place."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from storage import alerts, builds, events, history, runs
from storage.build_rows import BuildRow, RunRow
from storage.database import Connection, Database
from storage.monitoring_rows import AlertRow
from storage.rows import EventRow, TransitionRow
from storage.tables import EventKind, SubjectType

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

    def admits(self, row: EventRow) -> bool:
        """Whether an event matches, as `read_events` has the database tell."""
        return (
            (self.kinds is None or row.kind in self.kinds)
            and (self.packages is None or row.package in self.packages)
            and (self.run is None or row.run_id == self.run)
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """All events between two positions of the log, whoever wants which."""

    events: tuple[EventRow, ...]
    position: int
    """Where it ends."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What was read: events, and how far the log has been looked through for them."""

    events: tuple[EventRow, ...]
    position: int
    """Nothing up to here is left to read."""
    told: "Told"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read along with events."""

    transitions: bool = False
    builds: bool = False
    runs: bool = False
    alerts: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What some events tell of, by id and as far as it was wanted; the builds, runs and alerts as they are now."""

    transitions: Mapping[int, TransitionRow] = field(default_factory=dict)
    builds: Mapping[int, BuildRow] = field(default_factory=dict)
    runs: Mapping[int, RunRow] = field(default_factory=dict)
    alerts: Mapping[int, AlertRow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Events after the asked place are gone; what is kept goes on after `resume_from`."""

    resume_from: int


NOTHING: Final = Wanted()


def read_events(
    database: Database,
    after: int,
    *,
    selection: EventSelection,
    wanted: Wanted = NOTHING,
    limit: int = BATCH,
) -> Progress | Trimmed:
    """Return the next events after `after`, oldest first, from one snapshot."""
    with database.read() as connection:
        oldest, newest = events.oldest(connection), events.newest(connection)
        if oldest is not None and after < oldest - 1:
            return Trimmed(oldest - 1)
        if selection.is_empty():
            return Progress((), max(after, newest), Told())
        rows = events.after(
            connection,
            after,
            limit=limit,
            kinds=selection.kinds,
            packages=selection.packages,
            run=selection.run,
        )
        told = told_by(connection, rows, wanted)
    position = rows[-1].seq if len(rows) == limit else max(after, newest)
    return Progress(tuple(rows), position, told)


def pick(database: Database, stretch: Stretch, *, selection: EventSelection, wanted: Wanted) -> Progress:
    """Return those events of a stretch that match, and read what they tell of; nothing where nothing is wanted."""
    rows = tuple(row for row in stretch.events if selection.admits(row))
    if not rows or wanted == NOTHING:
        return Progress(rows, stretch.position, Told())
    with database.read() as connection:
        return Progress(rows, stretch.position, told_by(connection, rows, wanted))


def told_by(connection: Connection, rows: Collection[EventRow], wanted: Wanted) -> Told:
    """Read what events tell of, a statement for each kind of thing."""
    transition_ids = {
        row.transition_id for row in rows if wanted.transitions and row.transition_id is not None
    }
    build_ids = {row.subject_id for row in rows if wanted.builds and row.subject_type is SubjectType.BUILD}
    alert_ids = {row.subject_id for row in rows if wanted.alerts and row.subject_type is SubjectType.ALERT}
    run_ids = {row.run_id for row in rows if wanted.runs and row.run_id is not None}
    return Told(
        history.by_ids(connection, transition_ids) if transition_ids else {},
        builds.by_ids(connection, build_ids) if build_ids else {},
        runs.by_ids(connection, run_ids) if run_ids else {},
        alerts.by_ids(connection, alert_ids) if alert_ids else {},
    )


def _nothing(choice: Collection[object] | None) -> bool:
    return choice is not None and not choice
