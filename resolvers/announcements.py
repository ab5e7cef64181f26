"""Telling of runs and builds in the event log, each with its newest change of state."""

from collections.abc import Collection, Iterator
from datetime import datetime

from storage import events, flow, history
from storage.database import Connection
from storage.events import Change
from storage.tables import EventKind, SubjectType


def announce(
    connection: Connection, build_ids: Collection[int], run_ids: Collection[int] = (), *, now: datetime
) -> None:
    """Write an event for each of these builds and runs, of which something has changed; the builds first."""
    changes = [*_of_builds(connection, build_ids), *_of_runs(connection, run_ids)]
    events.append(connection, changes, at=now)


def _of_builds(connection: Connection, ids: Collection[int]) -> Iterator[Change]:
    if not ids:
        return
    told = {name.id: name for name in flow.latest_of(connection, ids)}
    for id_ in ids:
        name = told[id_]
        yield Change(
            EventKind.BUILD_CHANGED,
            SubjectType.BUILD,
            id_,
            name.package,
            name.version,
            run_id=name.run_id,
            transition_id=name.transition_id,
        )


def _of_runs(connection: Connection, ids: Collection[int]) -> Iterator[Change]:
    if not ids:
        return
    moved = history.lasts_of(connection, SubjectType.RUN, ids)
    for id_ in ids:
        yield Change(EventKind.RUN_CHANGED, SubjectType.RUN, id_, run_id=id_, transition_id=moved[id_])
