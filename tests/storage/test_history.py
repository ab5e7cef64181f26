"""The history of states: read in order, page by page, of one subject or of all."""

import pytest

from storage import history
from storage.database import Connection, Database
from storage.rows import TransitionRow
from storage.tables import SubjectType
from tests.storage.subjects import SUBJECTS, set_status
from tests.storage.world import LATER, NOW, add_package, add_version

_PACKAGES, _VERSIONS = SUBJECTS[0].table, SUBJECTS[1].table


@pytest.fixture
def ids(database: Database) -> tuple[int, int, int]:
    """An archived package and another, with a version that is withdrawn."""
    app, lib = add_package(database, "app"), add_package(database, "lib")
    version = add_version(database, lib, "1")

    def operation(connection: Connection) -> None:
        set_status(connection, _PACKAGES, app, "ARCHIVED", updated_at=LATER, changed_by="ann")
        set_status(connection, _VERSIONS, version, "YANKED", updated_at=LATER, status_reason="broken")

    database.write(operation)
    return app, lib, version


def test_all_history_is_read_oldest_first(database: Database, ids: tuple[int, int, int]) -> None:
    app, lib, version = ids

    with database.read() as connection:
        rows = history.page(connection, limit=10)
        assert history.count(connection) == len(rows) == 5
        assert history.by_ids(connection, [rows[1].id, rows[4].id + 1]) == {rows[1].id: rows[1]}
    assert [(row.subject_type, row.subject_id, row.origin, row.target) for row in rows] == [
        ("PACKAGE", app, None, "ACTIVE"),
        ("PACKAGE", lib, None, "ACTIVE"),
        ("VERSION", version, None, "PUBLISHED"),
        ("PACKAGE", app, "ACTIVE", "ARCHIVED"),
        ("VERSION", version, "PUBLISHED", "YANKED"),
    ]
    assert [row.at for row in rows] == [NOW, NOW, NOW, LATER, LATER]
    assert rows[3] == TransitionRow(
        rows[3].id, SubjectType.PACKAGE, app, "ACTIVE", "ARCHIVED", None, None, None, "ann", LATER
    )


def test_history_is_read_page_by_page(database: Database, ids: tuple[int, int, int]) -> None:
    with database.read() as connection:
        everything = history.page(connection, limit=10)
        first = history.page(connection, limit=3)
        second = history.page(connection, after=first[-1].id, limit=3)

    assert first + second == everything
    assert len(first) == 3


def test_the_history_of_many_subjects_is_read_in_one_statement(
    database: Database, ids: tuple[int, int, int]
) -> None:
    app, lib, _ = ids

    with database.read() as connection:
        whole = {id_: history.page(connection, SubjectType.PACKAGE, id_, limit=9) for id_ in (app, lib, 99)}
        both = history.pages_of(connection, SubjectType.PACKAGE, [app, lib, 99], limit=9)
        first = history.pages_of(connection, SubjectType.PACKAGE, [app, lib], limit=1)
        rest = history.pages_of(connection, SubjectType.PACKAGE, [app, lib], limit=9, after=whole[app][0].id)

    assert both == whole
    assert first == {app: whole[app][:1], lib: whole[lib]}
    assert rest == {app: whole[app][1:], lib: whole[lib]}


def test_history_is_read_of_one_subject_or_one_type(database: Database, ids: tuple[int, int, int]) -> None:
    app, lib, version = ids

    def targets(subject_type: SubjectType, subject_id: int | None = None) -> list[str]:
        with database.read() as connection:
            rows = history.page(connection, subject_type, subject_id, limit=10)
            assert history.count(connection, subject_type, subject_id) == len(rows)
        return [row.target for row in rows]

    assert targets(SubjectType.PACKAGE, app) == ["ACTIVE", "ARCHIVED"]
    assert targets(SubjectType.PACKAGE, lib) == ["ACTIVE"]
    assert targets(SubjectType.VERSION, version) == ["PUBLISHED", "YANKED"]
    assert targets(SubjectType.PACKAGE) == ["ACTIVE", "ACTIVE", "ARCHIVED"]
    assert targets(SubjectType.BUILD, app) == []


def test_the_last_transition_of_each_subject_is_found(database: Database, ids: tuple[int, int, int]) -> None:
    app, lib, _ = ids

    with database.read() as connection:
        of_app = history.page(connection, SubjectType.PACKAGE, app, limit=10)
        of_lib = history.page(connection, SubjectType.PACKAGE, lib, limit=10)

        assert history.last_of(connection, SubjectType.PACKAGE, app) == of_app[-1].id
        assert history.last_of(connection, SubjectType.BUILD, app) is None
        assert history.lasts_of(connection, SubjectType.PACKAGE, [app, lib, 99]) == {
            app: of_app[-1].id,
            lib: of_lib[-1].id,
        }
