"""The queue: who gets which build."""

import threading
from contextlib import closing
from datetime import timedelta

from storage import packages, queue
from storage.build_rows import BuildRow
from storage.database import Connection, Database
from storage.tables import PackageFields
from storage.transitions import BuildStatus, PackageStatus
from tests import postgres
from tests.storage.build_world import add_build, add_run, add_versions
from tests.storage.world import NOW

_ANY: tuple[dict[str, str], ...] = ({},)


def ready(database: Database, *labels: dict[str, str], limit: int = 10) -> list[int]:
    return database.write(
        lambda c: queue.ready(c, labels or _ANY, limit=limit, now=NOW), of_catalogue=False
    ).value


def test_the_most_urgent_come_first(database: Database) -> None:
    run = add_run(database)
    versions = add_versions(database, "a", "b", "c", "d")
    plain = add_build(database, run, versions["a"], remaining_seconds=1.0)
    long = add_build(database, run, versions["b"], remaining_seconds=5.0)
    wanted = add_build(database, run, versions["c"], priority=1)
    younger = add_build(database, run, versions["d"], remaining_seconds=1.0)

    assert ready(database) == [wanted, long, plain, younger]
    assert ready(database, limit=2) == [wanted, long]


def test_sets_of_labels_are_told_apart_and_their_builds_ranked_together(database: Database) -> None:
    run = add_run(database)
    versions = add_versions(database, "a", "b", "c")
    plain = add_build(database, run, versions["a"], priority=1)
    gpu = add_build(database, run, versions["b"], priority=2, worker_labels={"gpu": "1"})
    add_build(database, run, versions["c"], priority=3, worker_labels={"arch": "arm64"})

    assert ready(database) == [plain]
    assert ready(database, {}, {"gpu": "1"}, {}) == [gpu, plain]


def test_what_is_not_to_be_built_yet_or_at_all_is_left(database: Database) -> None:
    run = add_run(database)
    versions = add_versions(database, "later", "now", "held")
    add_build(database, run, versions["later"], not_before=NOW + timedelta(seconds=1))
    now = add_build(database, run, versions["now"], not_before=NOW)
    add_build(database, run, versions["held"])

    def hold(connection: Connection) -> bool:
        fields = PackageFields(name="held", status=PackageStatus.QUARANTINED)
        return packages.update(connection, versions["held"][0], fields, now=NOW)

    assert database.write(hold).value
    assert ready(database) == [now]
    with database.read() as connection:
        assert queue.is_any_ready(connection, _ANY, now=NOW)
        assert not queue.is_any_ready(connection, [{"gpu": "1"}], now=NOW)


def test_what_was_assigned_is_held_under_a_new_lease(database: Database) -> None:
    run = add_run(database)
    build = add_build(database, run, add_versions(database, "a")["a"])
    expires = NOW + timedelta(minutes=1)

    def assign(connection: Connection) -> dict[int, BuildRow]:
        return queue.assign(connection, [build], "w1", expires=expires, now=NOW + timedelta(seconds=1))

    (row,) = database.write(assign).value.values()

    assert (row.status, row.worker, row.attempt, row.lease_token, row.lease_expires_at) == (
        BuildStatus.ASSIGNED,
        "w1",
        1,
        1,
        expires,
    )
    assert database.write(assign).value == {}
    assert ready(database) == []


def test_of_two_that_ask_at_once_the_second_gets_what_the_first_leaves() -> None:
    with postgres.migrated_database() as url, closing(Database.open(url)) as database:
        run = add_run(database)
        versions = add_versions(database, "a", "b")
        builds = [add_build(database, run, versions[name]) for name in ("a", "b")]
        taken: list[list[int]] = []

        def second() -> None:
            taken.append(ready(database))

        def first(connection: Connection) -> None:
            taken.append(queue.ready(connection, _ANY, limit=1, now=NOW))
            other = threading.Thread(target=second)
            other.start()
            other.join()

        database.write(first, of_catalogue=False)

    assert taken == [[builds[0]], [builds[1]]]
