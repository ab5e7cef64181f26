"""Runs: found by id and key, listed newest first, counted by the states of their builds, and moved."""

from sqlite3 import IntegrityError

import psycopg
import pytest

from storage import history, runs
from storage.build_rows import BuildCount, RunRow
from storage.build_tables import BuildTrigger, CutEdge, RunFields
from storage.database import Connection, Database
from storage.tables import SubjectType
from storage.transitions import BuildConclusion, BuildStatus, RunConclusion, RunStatus
from tests.storage.build_world import add_build, add_run, add_versions, finish, undone
from tests.storage.subjects import SUBJECTS
from tests.storage.world import LATER, NOW

_SUBJECT = next(subject for subject in SUBJECTS if subject.type is SubjectType.RUN)
_PAIRS = [(origin, target) for origin in RunStatus for target in RunStatus]


def test_a_run_comes_back_as_it_was_written(database: Database) -> None:
    fields = RunFields(trigger=BuildTrigger.NEW, priority=-3, labels={"a": "1"}, idempotency_key="k")
    edge = CutEdge("app", "lib", 5, True)

    def operation(connection: Connection) -> int:
        id_ = next(runs.ids(connection))
        runs.insert(connection, id_, fields, cut_edges=iter([edge]), actor="ann", now=NOW)
        return id_

    id_ = database.write(operation).value

    expected = RunRow(
        id=id_,
        trigger=BuildTrigger.NEW,
        priority=-3,
        max_attempts=3,
        timeout_seconds=3_600,
        labels={"a": "1"},
        worker_labels={},
        idempotency_key="k",
        kinds=31,
        include_optional=False,
        status=RunStatus.RUNNING,
        conclusion=None,
        status_reason=None,
        cut_edges=[edge],
        created_at=NOW,
        completed_at=None,
        updated_at=NOW,
    )
    with database.read() as connection:
        assert runs.by_ids(connection, [id_, id_ + 1]) == {id_: expected}
        assert runs.by_key(connection, "k") == expected
        assert runs.by_key(connection, "K") is None
        assert runs.by_key(connection, "\0") is None
        (beginning,) = history.page(connection, SubjectType.RUN, id_, limit=2)
    assert (beginning.target, beginning.actor, beginning.at) == ("RUNNING", "ann", NOW)


def test_a_run_of_nothing_is_over_at_once(database: Database) -> None:
    def operation(connection: Connection) -> int:
        id_ = next(runs.ids(connection))
        runs.insert(connection, id_, RunFields(), conclusion=RunConclusion.SUCCESS, now=NOW)
        return id_

    id_ = database.write(operation).value

    with database.read() as connection:
        row = runs.by_ids(connection, [id_])[id_]
        assert runs.unfinished(connection) == []
    assert (row.status, row.conclusion, row.completed_at) == ("COMPLETED", "SUCCESS", NOW)


def test_a_key_starts_one_run(database: Database) -> None:
    add_run(database, idempotency_key="k")

    with pytest.raises((IntegrityError, psycopg.IntegrityError), match="idempotency_key"):
        add_run(database, idempotency_key="k")


def test_runs_are_listed_newest_first(database: Database) -> None:
    first, second, third = (add_run(database) for _ in range(3))

    with database.read() as connection:
        assert [row.id for row in runs.page(connection, limit=2)] == [third, second]
        assert [row.id for row in runs.page(connection, limit=2, after=second)] == [first]
        assert runs.count(connection) == 3
        assert runs.unfinished(connection) == [first, second, third]


def test_the_builds_of_runs_are_counted_by_state(database: Database) -> None:
    versions = add_versions(database, "a", "b", "c", "d")
    one, other, empty = (add_run(database) for _ in range(3))
    for name in "abc":
        build = add_build(database, one, versions[name])
        if name != "c":
            finish(database, build, BuildConclusion.FAILURE)
    done = add_build(database, one, versions["d"])
    finish(database, done, BuildConclusion.SUCCESS)
    add_build(database, other, versions["a"], status=BuildStatus.BLOCKED)

    with database.read() as connection:
        counts = runs.counts_of(connection, [one, other, empty])

    assert counts == {
        one: [
            BuildCount(BuildStatus.QUEUED, None, 1),
            BuildCount(BuildStatus.COMPLETED, BuildConclusion.SUCCESS, 1),
            BuildCount(BuildStatus.COMPLETED, BuildConclusion.FAILURE, 2),
        ],
        other: [BuildCount(BuildStatus.BLOCKED, None, 1)],
        empty: [],
    }


@pytest.mark.parametrize(("origin", "target"), _PAIRS)
def test_a_run_moves_as_its_life_cycle_allows(
    kept_database: Database, origin: RunStatus, target: RunStatus
) -> None:
    conclusion = RunConclusion.CANCELED if target is RunStatus.COMPLETED else None

    def operation(connection: Connection) -> tuple[RunRow, bool, RunRow, str | None]:
        id_ = _SUBJECT.add_in(connection, origin)
        before = runs.by_ids(connection, [id_])[id_]
        moved = runs.move(
            connection, id_, target, conclusion=conclusion, reason="tired", actor="ann", now=LATER
        )
        last = history.page(connection, SubjectType.RUN, id_, limit=9)[-1]
        return before, moved, runs.by_ids(connection, [id_])[id_], last.actor

    before, moved, after, actor = undone(kept_database, operation)

    assert moved is ((origin, target) in _SUBJECT.moves)
    if moved:
        assert (after.status, after.conclusion, after.status_reason) == (target, conclusion, "tired")
        assert after.completed_at == (LATER if target is RunStatus.COMPLETED else None)
        assert (after.updated_at, actor) == (LATER, "ann")
    else:
        assert after == before
