"""What the databases refuse, note and keep by themselves, whoever writes to them."""

import itertools
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import IntegrityError

from storage import history, packages
from storage.build_tables import BUILDS
from storage.database import Database
from storage.rows import TransitionRow
from storage.tables import PACKAGES, PackageFields, SubjectType
from storage.transitions import BuildConclusion
from storage.triggers import TOUCHED, TRACKED, statements
from tests.postgres import migrated_database
from tests.storage.subjects import (
    SUBJECTS,
    WRITERS,
    Subject,
    alert,
    build,
    in_status,
    package,
    run,
    set_status,
    version,
)
from tests.storage.world import LATER, NOW

_subjects = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.type)


def _refusal(database: Database, operation: Callable[[Connection], object]) -> str | None:
    """Return what a database says when it refuses `operation`, or None when it does not."""
    try:
        database.write(operation)
    except IntegrityError as error:
        # The constraint's name is apart from the message on the one, and all of the message on the other.
        return getattr(getattr(error.orig, "diag", None), "constraint_name", None) or str(error.orig)
    return None


def _row(database: Database, table: Table, id: int) -> Any:
    with database.read() as connection:
        return connection.execute(table.select().where(table.c.id == id)).one()


def _history(database: Database, subject: SubjectType, id: int) -> list[TransitionRow]:
    with database.read() as connection:
        return history.page(connection, subject, id, limit=100)


@_subjects
def test_all_moves_of_the_design_are_made_and_no_others(database: Database, subject: Subject) -> None:
    refusals: dict[tuple[str, str], str] = {}
    for origin, target in itertools.permutations(subject.statuses, 2):
        id_ = database.write(partial(subject.add_in, status=origin)).value
        said = _refusal(
            database,
            partial(set_status, table=subject.table, id=id_, status=target, updated_at=LATER),
        )
        if said is not None:
            refusals[origin, target] = said
        assert _row(database, subject.table, id_).status == (target if said is None else origin)

    pairs = set(itertools.permutations(subject.statuses, 2))
    assert set(refusals) == pairs - subject.moves
    assert set(refusals.values()) == {f"ck_{subject.table.name}_move"}


@_subjects
def test_nothing_begins_where_the_design_lets_nothing_begin(database: Database, subject: Subject) -> None:
    refusals = {
        status: _refusal(database, partial(subject.add, **in_status(subject.table, status)))
        for status in subject.statuses
    }

    beginnings = subject.drawing.beginnings.split()
    assert {status for status, said in refusals.items() if said is None} == set(beginnings)
    assert set(refusals.values()) <= {None, f"ck_{subject.table.name}_beginning"}


@_subjects
def test_each_state_that_something_has_been_in_is_kept(database: Database, subject: Subject) -> None:
    for status in subject.statuses:
        id_ = database.write(partial(subject.add_in, status=status)).value

        way = subject.way_to(status)
        kept = _history(database, subject.type, id_)
        assert [(row.origin, row.target) for row in kept] == [*zip([None, *way], way, strict=False)]
        assert [row.at for row in kept] == [NOW + timedelta(hours=hour) for hour in range(len(way))]


def test_a_refused_move_leaves_no_trace(database: Database) -> None:
    id_ = database.write(version).value

    assert _refusal(database, lambda c: set_status(c, SUBJECTS[1].table, id_, "DRAFT")) is not None

    assert [row.target for row in _history(database, SubjectType.VERSION, id_)] == ["PUBLISHED"]


def test_history_tells_who_and_why_and_how(database: Database) -> None:
    id_ = database.write(lambda c: build(c, attempt=2, changed_by="ann", status_reason="asked for")).value

    database.write(
        lambda c: set_status(
            c,
            BUILDS,
            id_,
            "COMPLETED",
            conclusion="CANCELED",
            changed_by="bob",
            status_reason="not needed",
            updated_at=LATER,
        )
    )

    first, second = _history(database, SubjectType.BUILD, id_)
    assert first == TransitionRow(
        first.id, SubjectType.BUILD, id_, None, "QUEUED", None, 2, "asked for", "ann", NOW
    )
    assert second == TransitionRow(
        second.id,
        SubjectType.BUILD,
        id_,
        "QUEUED",
        "COMPLETED",
        BuildConclusion.CANCELED,
        2,
        "not needed",
        "bob",
        LATER,
    )


def test_history_tells_how_a_run_ended(database: Database) -> None:
    id_ = database.write(run).value

    database.write(
        lambda c: set_status(c, SUBJECTS[3].table, id_, "COMPLETED", conclusion="FAILURE", updated_at=LATER)
    )

    assert [row.conclusion for row in _history(database, SubjectType.RUN, id_)] == [None, "FAILURE"]


@_subjects
def test_of_a_move_by_hand_nobody_knows_who_made_it(database: Database, subject: Subject) -> None:
    origin, target = min(subject.moves)

    def operation(connection: Connection) -> int:
        id_ = subject.add_in(connection, origin)
        connection.execute(
            subject.table.update().where(subject.table.c.id == id_).values(changed_by="ann", updated_at=NOW)
        )
        set_status(connection, subject.table, id_, target)
        return id_

    id_ = database.write(operation).value

    last, row = _history(database, subject.type, id_)[-1], _row(database, subject.table, id_)
    assert (last.target, last.actor) == (target, None)
    assert last.at > LATER
    assert row.changed_by is None
    assert row.updated_at >= last.at


def test_who_made_the_last_move_stays_known_when_something_else_is_changed_by_hand(
    database: Database,
) -> None:
    id_ = database.write(lambda c: package(c, changed_by="ann")).value

    database.write(lambda c: c.execute(PACKAGES.update().values(description="new")))

    row = _row(database, PACKAGES, id_)
    assert (row.changed_by, row.updated_at > NOW) == ("ann", True)
    assert len(_history(database, SubjectType.PACKAGE, id_)) == 1


def test_staying_is_no_move(database: Database) -> None:
    id_ = database.write(lambda c: package(c, status="ARCHIVED")).value

    database.write(lambda c: set_status(c, PACKAGES, id_, "ARCHIVED", updated_at=LATER))

    assert [row.target for row in _history(database, SubjectType.PACKAGE, id_)] == ["ARCHIVED"]


@pytest.mark.parametrize("count", [1, 3, 1_000])
def test_of_many_that_are_written_at_once_each_begins_its_history(database: Database, count: int) -> None:
    rows = [
        (number, PackageFields(name=f"p{number}", status_reason=str(number)))
        for number in range(1, count + 1)
    ]

    database.write(lambda c: packages.insert(c, rows, now=NOW))

    with database.read() as connection:
        kept = history.page(connection, limit=count + 1)
    assert [(row.subject_id, row.origin, row.target, row.reason, row.at) for row in kept] == [
        (number, None, "ACTIVE", str(number), NOW) for number in range(1, count + 1)
    ]


def test_one_bad_beginning_among_many_refuses_all(database: Database) -> None:
    def operation(connection: Connection) -> None:
        alert(connection)
        alert(connection, status="RESOLVED")

    assert _refusal(database, operation) == "ck_alerts_beginning"
    with database.read() as connection:
        assert history.count(connection, SubjectType.ALERT) == 0


def test_a_build_begins_completed_only_because_of_others(database: Database) -> None:
    refusals = {
        conclusion: _refusal(database, partial(build, status="COMPLETED", conclusion=conclusion))
        for conclusion in BuildConclusion
    }

    assert {conclusion for conclusion, said in refusals.items() if said is None} == {
        "DEP_FAILED",
        "UNRESOLVABLE",
    }


@pytest.mark.parametrize("target", ["BLOCKED", "QUEUED"])
@pytest.mark.parametrize("is_retry", [False, True])
def test_a_completed_build_goes_on_only_when_others_are_mended_or_by_a_retry(
    database: Database, target: str, is_retry: bool
) -> None:
    reopened = set()
    for conclusion in BuildConclusion:
        id_ = database.write(build).value
        database.write(partial(set_status, table=BUILDS, id=id_, status="COMPLETED", conclusion=conclusion))
        values: dict[str, Any] = {"max_attempts": 6} if is_retry else {}
        if _refusal(database, partial(set_status, table=BUILDS, id=id_, status=target, **values)) is None:
            reopened.add(conclusion)

    assert reopened == (set(BuildConclusion) if is_retry else {"DEP_FAILED", "UNRESOLVABLE"})


@pytest.mark.parametrize("column", ["lease_token", "row_version"])
def test_what_orders_the_holders_of_a_build_never_falls(database: Database, column: str) -> None:
    id_ = database.write(lambda c: build(c, **{column: 5})).value

    def set_to(value: int) -> str | None:
        return _refusal(database, lambda c: c.execute(BUILDS.update().values({column: value})))

    assert [set_to(value) for value in (5, 7, 6, 8)] == [None, None, f"ck_build_status_{column}_grows", None]
    assert getattr(_row(database, BUILDS, id_), column) == 8


@pytest.mark.parametrize(
    "statement", ["UPDATE state_tracking SET reason = 'x'", "DELETE FROM state_tracking"]
)
def test_history_is_only_ever_added_to(database: Database, statement: str) -> None:
    id_ = database.write(package).value
    before = _history(database, SubjectType.PACKAGE, id_)

    assert _refusal(database, lambda c: c.execute(text(statement))) == "ck_state_tracking_append_only"

    assert _history(database, SubjectType.PACKAGE, id_) == before != []


def test_history_cannot_be_emptied_at_once_where_that_can_be_asked_for() -> None:
    with migrated_database() as url, closing(Database.open(url)) as database:
        refusal = _refusal(database, lambda c: c.execute(text("TRUNCATE state_tracking")))

    assert refusal == "ck_state_tracking_append_only"


def test_history_outlives_its_subject(database: Database) -> None:
    id_ = database.write(package).value

    database.write(lambda c: packages.delete(c, id_))

    assert [row.target for row in _history(database, SubjectType.PACKAGE, id_)] == ["ACTIVE"]


@pytest.mark.parametrize("table", TOUCHED, ids=lambda table: table.name)
def test_a_change_past_the_application_still_touches_updated_at(database: Database, table: Table) -> None:
    id_ = database.write(WRITERS[table.name]).value

    def updated(**values: datetime) -> datetime:
        database.write(lambda c: c.execute(table.update().values(created_at=NOW, **values)))
        return _row(database, table, id_).updated_at  # type: ignore[no-any-return] # of a row of any table

    assert updated() > LATER
    assert updated(updated_at=NOW) == NOW


def test_both_databases_get_their_triggers_from_one_description() -> None:
    sqlite, postgresql = ("\n".join(statements(name)) for name in ("sqlite", "postgresql"))

    for tracked in TRACKED:
        for targets in tracked.cycle.moves.values():
            listed = ", ".join(f"'{target}'" for target in targets)
            assert f"NEW.status IN ({listed})" in sqlite or not targets
            assert f"NEW.status IN ({listed})" in postgresql or not targets
