"""How builds go on and end in sets."""

import threading
from contextlib import closing

import pytest

from storage import builds, flow
from storage.database import Connection, Database
from storage.transitions import LEASED, BuildConclusion, BuildStatus
from tests import postgres
from tests.api.processes import wait_until
from tests.storage.build_world import add_build, add_run, add_versions, finish, put_in
from tests.storage.world import NOW

BLOCKED = BuildStatus.BLOCKED
HELD = {
    "ASSIGNED": (),
    "PREPARING": ("PREPARING",),
    "RUNNING": ("RUNNING",),
    "FINALIZING": ("RUNNING", "FINALIZING"),
    "CANCELING": ("CANCELING",),
}
"""What a worker holds, and how it comes to be so."""


def waiting_for(database: Database, *ids: int) -> list[int]:
    """Return how many each of these builds waits for."""
    with database.read() as connection:
        rows = builds.by_ids(connection, ids)
    return [rows[id_].waiting_for for id_ in ids]


def is_anyone_waiting(connection: Connection) -> bool:
    """Whether anyone waits for the end of another's transaction."""
    return bool(connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar())


def test_what_a_worker_holds_is_neither_moved_nor_ended_with_others(database: Database) -> None:
    run = add_run(database)
    versions = add_versions(database, *(status.lower() for status in LEASED), "queued", "done")
    ids = {name: add_build(database, run, version) for name, version in versions.items()}
    for status in LEASED:
        put_in(database, ids[status.lower()], "ASSIGNED", *HELD[status])
    finish(database, ids["done"], BuildConclusion.SUCCESS)

    def block(connection: Connection) -> list[int]:
        return flow.move_all(connection, list(ids.values()), BLOCKED, reason="why", now=NOW)

    def end(connection: Connection) -> list[int]:
        return flow.end_all(connection, list(ids.values()), BuildConclusion.CANCELED, now=NOW)

    assert database.write(block).value == [ids["queued"]]
    assert database.write(end).value == [ids["queued"]]


def test_one_who_waits_for_two_that_end_at_once_is_told_of_once(database: Database) -> None:
    run = add_run(database)
    versions = add_versions(database, "a", "b", "c", "app", "tool")
    a, b, c = (add_build(database, run, versions[name]) for name in "abc")
    app = add_build(database, run, versions["app"], needs=(a, b, c), status=BLOCKED, waiting_for=3)
    tool = add_build(database, run, versions["tool"], needs=(c,), status=BLOCKED, waiting_for=1)

    assert database.write(lambda connection: flow.discount(connection, [a, b], now=NOW)).value == [app]
    assert waiting_for(database, app, tool) == [1, 1]


def test_what_is_about_to_be_deleted_is_waited_for_no_more(database: Database) -> None:
    run, other = add_run(database), add_run(database)
    versions = add_versions(database, "lib", "app", "done")
    bad, good = (add_build(database, each, versions["lib"]) for each in (run, other))
    finish(database, bad, BuildConclusion.FAILURE)
    finish(database, good, BuildConclusion.SUCCESS)
    app = add_build(database, run, versions["app"], needs=(bad,), status=BLOCKED, waiting_for=1)
    done = add_build(database, other, versions["done"], needs=(good,))

    forgotten = database.write(lambda connection: flow.forget(connection, versions["lib"][0], now=NOW)).value

    assert forgotten == [app]
    assert waiting_for(database, app, done) == [0, 0]


@pytest.mark.parametrize("conclusion", [BuildConclusion.SUCCESS, BuildConclusion.FAILURE])
def test_who_decides_by_what_has_become_of_builds_waits_for_those_who_change_them(
    conclusion: BuildConclusion,
) -> None:
    with postgres.migrated_database() as url, closing(Database.open(url)) as database:
        run = add_run(database)
        build = add_build(database, run, add_versions(database, "a")["a"])
        put_in(database, build, "ASSIGNED", "RUNNING")
        seen: list[BuildConclusion | None] = []

        def look(connection: Connection) -> None:
            flow.lock(connection, [build])
            seen.append(flow.waiters(connection, [build])[0].conclusion)

        looking = threading.Thread(target=lambda: database.write(look, of_catalogue=False))

        def end(connection: Connection) -> None:
            assert builds.move(connection, build, BuildStatus.COMPLETED, conclusion=conclusion, now=NOW)
            looking.start()
            wait_until(lambda: is_anyone_waiting(connection))

        database.write(end, of_catalogue=False)
        looking.join()

    assert seen == [conclusion]
