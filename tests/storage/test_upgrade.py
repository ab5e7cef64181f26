"""Migrations: what they make is what the tables say, and nothing is lost on the way."""

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine

from storage import triggers, upgrade
from storage.database import Database
from storage.errors import Trouble, Unavailable
from storage.sqlite import become_writer, engine_of
from storage.tables import Base
from tests.storage.world import add_package, add_version, needs


def test_the_newest_revision_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(upgrade.SCRIPTS))
    config.set_main_option("path_separator", "os")

    assert ScriptDirectory.from_config(config).get_heads() == [upgrade.HEAD]


def test_a_migrated_database_has_the_tables_that_the_code_describes(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, Base.metadata) == []


def test_a_migrated_database_is_one_that_was_made_at_once(database: Database, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    with engine.begin() as made:
        Base.metadata.create_all(made)
        triggers.apply(made)
        expected = _fingerprint(made)
    engine.dispose()

    with database.read() as migrated:
        assert _fingerprint(migrated) == expected


def _fingerprint(connection: Connection) -> set[str]:
    """Return all DDL, CHECKs and triggers too, with the parts of each table in no order."""
    found = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' "
        "AND tbl_name <> 'alembic_version'"
    )
    return {f"{name}: {_parts(sql)}" for name, sql in found}


def _parts(sql: str) -> list[str]:
    return sorted(part.strip(" \t\n)") for part in re.split(r",\s*\n", sql.partition("(\n")[2] or sql))


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.read() as connection:
        before = _fingerprint(connection)

    database.migrate()

    with database.read() as connection:
        assert _fingerprint(connection) == before
    assert database.revision == upgrade.HEAD


_REBUILD = '''"""Rebuild the packages."""
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "0001"


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
    assert sorted(found) == ["package_versions_touch", "packages_touch"]
    assert "homepage" in columns


_BREAK = '''"""Leave orphans."""
from alembic import op

revision = "9999"
down_revision = "0001"


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
    engine = engine_of(path, None)
    with engine.connect() as connection:
        become_writer(connection)
        try:
            upgrade.upgrade(connection, str(path), scripts=scripts)
        finally:
            connection.close()
            engine.dispose()


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


def test_both_databases_get_their_triggers_from_one_description() -> None:
    sqlite, postgresql = ("\n".join(triggers.statements(name)) for name in ("sqlite", "postgresql"))

    for table in ("packages", "package_versions"):
        assert f"AFTER UPDATE ON {table} " in sqlite
        assert f"BEFORE UPDATE ON {table} " in postgresql


def test_foreign_keys_are_a_matter_of_sqlite_only() -> None:
    class Elsewhere:
        """A connection to a database that has no pragmas, and so must not be asked for any."""

        class dialect:  # noqa: N801 - the attribute's name
            name = "postgresql"

    connection: Connection = Elsewhere()  # type: ignore[assignment] # all that is looked at

    upgrade._enforce_foreign_keys(connection, True)
    upgrade._check_foreign_keys(connection, "here")
