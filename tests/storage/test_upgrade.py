"""Migrations: what they make is what the tables say, and nothing is lost on the way."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from storage import history, metrics, triggers, upgrade
from storage.columns import Base
from storage.database import Database
from storage.engines.sqlite import become_writer, engine_of
from storage.errors import Trouble, Unavailable
from storage.monitoring_rows import MetricRow
from storage.rows import TransitionRow
from storage.schemas import Schema, found
from storage.tables import SubjectType
from tests import postgres
from tests.databases import KINDS
from tests.storage import revision_0001
from tests.storage.world import add_package, add_version, needs


@contextmanager
def empty(kind: str, folder: Path) -> Iterator[Connection]:
    """Give a connection to a database without tables, which writes, outside of a transaction."""
    if kind == "sqlite":
        with connected(folder / "empty.db") as connection:
            yield connection
    else:
        with postgres.new_database() as url:
            engine = create_engine(url)
            with engine.connect() as connection:
                yield connection
            engine.dispose()


@contextmanager
def connected(path: Path) -> Iterator[Connection]:
    """Give a connection to a file, which writes, outside of a transaction."""
    engine = engine_of(path, None)
    with engine.connect() as connection:
        become_writer(connection)
        yield connection
    engine.dispose()


@pytest.fixture(params=KINDS)
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A connection to a database without tables, which writes, outside of a transaction."""
    with empty(request.param, tmp_path) as opened:
        yield opened


def test_the_newest_revision_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade.SCRIPTS))
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [upgrade.HEAD]


def test_a_migrated_database_has_the_tables_that_the_code_describes(connection: Connection) -> None:
    upgrade.upgrade(connection, "here")

    with connection.begin():
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("is_old", [False, True], ids=["new", "of the first release"])
def test_a_migrated_database_is_one_that_was_made_at_once(
    connection: Connection, tmp_path: Path, is_old: bool
) -> None:
    if is_old:
        with connection.begin():
            revision_0001.make(connection)

    upgrade.upgrade(connection, "here")

    with connection.begin():
        assert found(connection) == _made_at_once(connection.dialect.name, tmp_path / "made")


def _made_at_once(kind: str, folder: Path) -> Schema:
    folder.mkdir()
    with empty(kind, folder) as connection, connection.begin():
        Base.metadata.create_all(connection)
        triggers.apply(connection)
        return found(connection)


def test_migrating_again_changes_nothing(connection: Connection) -> None:
    upgrade.upgrade(connection, "here")
    with connection.begin():
        before = found(connection)

    upgrade.upgrade(connection, "here")

    with connection.begin():
        assert found(connection) == before
        assert upgrade.revision_of(connection, "here") == upgrade.HEAD


_JANUARY_1, _JANUARY_2 = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2))


def _migrated_from_0001(connection: Connection) -> None:
    with connection.begin():
        revision_0001.make(connection)
    upgrade.upgrade(connection, "here")


def test_the_rows_of_the_first_release_are_kept(connection: Connection) -> None:
    _migrated_from_0001(connection)

    with connection.begin():
        rows = {
            table: [
                tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY id"))
            ]
            for table, columns in (
                ("packages", "id, name, description, status, status_reason, labels, changed_by"),
                ("package_versions", "id, package_id, version, status, status_reason, digest, changed_by"),
                ("dependencies", 'id, version_id, package_name, "constraint", kinds'),
                (
                    "events",
                    "id, seq, kind, subject_type, subject_id, package, version, run_id, transition_id",
                ),
            )
        }
    assert rows == {
        "packages": [
            (2, "app", "An app", "ACTIVE", None, '{"a":"b"}', None),
            (5, "old", "", "ARCHIVED", "replaced", "{}", None),
        ],
        "package_versions": [(7, 2, "1.0", "YANKED", "broken", "sha256:1", None)],
        "dependencies": [(11, 7, "lib", ">=1", 1)],
        "events": [
            (3, 3, "PACKAGE_CHANGED", "PACKAGE", 2, "app", None, None, None),
            (5, 5, "VERSION_PUBLISHED", "VERSION", 7, "app", "1.0", None, None),
        ],
    }


def test_history_begins_with_what_the_first_release_left(connection: Connection) -> None:
    _migrated_from_0001(connection)

    with connection.begin():
        assert history.page(connection, limit=10) == [
            TransitionRow(1, SubjectType.PACKAGE, 2, None, "ACTIVE", None, None, None, None, _JANUARY_2),
            TransitionRow(
                2, SubjectType.PACKAGE, 5, None, "ARCHIVED", None, None, "replaced", None, _JANUARY_2
            ),
            TransitionRow(3, SubjectType.VERSION, 7, None, "YANKED", None, None, "broken", None, _JANUARY_2),
        ]


def test_a_number_that_the_first_release_gave_to_an_event_is_not_given_again(connection: Connection) -> None:
    _migrated_from_0001(connection)

    with connection.begin():
        connection.execute(
            text(
                "INSERT INTO events (at, kind, subject_type, subject_id) "
                "VALUES ('2026-01-01 00:00:00.000000', 'PACKAGE_CHANGED', 'PACKAGE', 1)"
            )
        )
        assert connection.execute(text("SELECT max(id) FROM events")).scalar() == revision_0001.LAST_EVENT + 1


def test_measurements_are_kept_when_five_minutes_come_to_them(connection: Connection, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(upgrade.SCRIPTS, older, ignore=shutil.ignore_patterns("__pycache__", "r0005_*"))
    minute, hour, five_minutes = (
        MetricRow("load", "s", {"site": "paris"}, _JANUARY_1, seconds, 2, 3.0, 1.0, 2.0, b"q")
        for seconds in (60, 3_600, 300)
    )
    upgrade.upgrade(connection, "here", scripts=older)
    with connection.begin():
        metrics.roll_up(connection, [minute, hour])

    upgrade.upgrade(connection, "here")

    with connection.begin():
        metrics.roll_up(connection, [five_minutes])
        assert [
            metrics.samples(connection, since=_JANUARY_1, until=_JANUARY_2, resolution=seconds)
            for seconds in (60, 3_600, 300)
        ] == [[minute], [hour], [five_minutes]]


def test_processes_that_migrate_at_once_take_turns() -> None:
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            with create_engine(url).connect() as own:
                upgrade.upgrade(own, url)
                own.invalidate()
        except BaseException as error:
            failures.append(error)

    with postgres.new_database() as url:
        engine = create_engine(url)
        with engine.connect() as first, first.begin():
            upgrade._wait_for_others(first)
            others = [threading.Thread(target=migrate) for _ in range(2)]
            for other in others:
                other.start()
            waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            while first.execute(waiting).scalar() != len(others) and not failures:
                time.sleep(0.01)
        for other in others:
            other.join()
        with engine.connect() as last, last.begin():
            assert upgrade.revision_of(last, url) == upgrade.HEAD
        engine.dispose()
    assert failures == []


_REBUILD = '''"""Rebuild the packages."""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("packages", recreate="always") as table:
        table.add_column(sa.Column("homepage", sa.Text()))
'''


def test_a_rebuilt_table_keeps_its_children_and_its_triggers(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    database = Database.open(str(path))
    add_version(database, add_package(database, "app"), "1", needs("x"))
    database.close()
    scripts = _scripts_with(tmp_path, _REBUILD)

    _upgrade(path, scripts)

    with sqlite3.connect(path) as reader:
        children = reader.execute("SELECT count(*) FROM dependencies").fetchone()[0]
        found = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        columns = [column for _, column, *_ in reader.execute("PRAGMA table_info(packages)")]
    reader.close()
    assert children == 1
    assert {"packages_begin", "packages_move", "packages_touch", "package_versions_touch"} <= set(found)
    assert "homepage" in columns


_BREAK = '''"""Leave orphans."""
from alembic import op

revision = "9999"
down_revision = "0005"


def upgrade() -> None:
    op.execute("DELETE FROM packages")
'''


def test_a_migration_that_leaves_orphans_is_undone(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    database = Database.open(str(path))
    add_version(database, add_package(database, "app"), "1")
    database.close()

    with pytest.raises(Unavailable, match="rows refer to rows that are gone") as refused:
        _upgrade(path, _scripts_with(tmp_path, _BREAK))

    assert refused.value.trouble is Trouble.DAMAGED
    reopened = Database.open(str(path))
    assert reopened.revision == upgrade.HEAD
    reopened.close()


def _scripts_with(folder: Path, script: str) -> Path:
    scripts = folder / "100% scripts"
    shutil.copytree(upgrade.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "r9999_next.py").write_text(script)
    return scripts


def _upgrade(path: Path, scripts: Path) -> None:
    with connected(path) as connection:
        upgrade.upgrade(connection, str(path), scripts=scripts)


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    Database.open(str(path)).close()
    with sqlite3.connect(path) as writer:
        writer.execute("UPDATE alembic_version SET version_num = '9999'")
    writer.close()

    with pytest.raises(Unavailable, match="revision 9999 is unknown here; upgrade Buildatlas") as refused:
        Database.open(str(path))

    assert refused.value.trouble is Trouble.NEWER


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.db"
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE bookmarks (url TEXT)")
    writer.close()

    with pytest.raises(
        Unavailable, match=r"it holds other tables \(bookmarks\); choose another file"
    ) as refused:
        Database.open(str(path))

    assert refused.value.trouble is Trouble.NOT_A_DATABASE
    with sqlite3.connect(path) as reader:
        assert reader.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    reader.close()


def test_a_start_that_was_cut_off_before_its_first_migration_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "atlas.db"
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    writer.close()

    database = Database.open(str(path))

    assert database.revision == upgrade.HEAD
    database.close()


def test_foreign_keys_are_a_matter_of_sqlite_only() -> None:
    class Elsewhere:
        """A connection to a database that has no pragmas, and so must not be asked for any."""

        class dialect:  # noqa: N801 - the attribute's name
            name = "postgresql"

    connection: Connection = Elsewhere()  # type: ignore[assignment] # all that is looked at

    upgrade._enforce_foreign_keys(connection, True)
    upgrade._check_foreign_keys(connection, "here")
