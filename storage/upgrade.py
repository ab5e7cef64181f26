"""Bringing a database's tables to the newest revision, whatever revision they are at."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from storage import triggers
from storage.errors import Trouble, Unavailable

HEAD: Final = "0005"
"""The newest revision; a test holds it against the scripts."""

# An arbitrary number, by which those who migrate a PostgreSQL database know of each other.
_LOCK: Final = 6_283_185_307

SCRIPTS: Final = Path(__file__).parent / "migrations"


def revision_of(connection: Connection, location: str) -> str | None:
    """Return the revision of the tables, or None when the database is empty. Raises Unavailable when it is another's."""
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables and tables:
        named = ", ".join(sorted(tables)[:3])
        raise Unavailable(
            location, Trouble.NOT_A_DATABASE, f"it holds other tables ({named}); choose another file"
        )
    if not tables:
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)


def upgrade(connection: Connection, location: str, *, scripts: Path = SCRIPTS) -> None:
    """Run the migrations that are missing, all or none. Whoever comes meanwhile waits, and finds nothing missing.

    The connection must not be in a transaction: foreign keys can only be switched off outside of one. With them on,
    the DROP in SQLite's rebuild of a table would be a delete that cascades to its children.
    """
    _enforce_foreign_keys(connection, False)
    try:
        with connection.begin():
            _wait_for_others(connection)
            _run(connection, location, scripts)
    finally:
        _enforce_foreign_keys(connection, True)


def _run(connection: Connection, location: str, scripts: Path) -> None:
    # Alembic takes longer to import than the rest of a start, and is needed once in the life of most files.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    known = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    current = revision_of(connection, location)
    if current not in {None, *known}:
        detail = (
            f"its revision {current} is unknown here; upgrade Buildatlas, or restore a backup from before"
        )
        raise Unavailable(location, Trouble.NEWER, detail)
    if current != known[0]:
        command.upgrade(config, "head")
        triggers.apply(connection)
        _check_foreign_keys(connection, location)


def _wait_for_others(connection: Connection) -> None:
    # A file has one writer, who has the turn already.
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def _enforce_foreign_keys(connection: Connection, on: bool) -> None:
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _check_foreign_keys(connection: Connection, location: str) -> None:
    if connection.dialect.name == "sqlite":
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if orphans:
            detail = f"{len(orphans):,} rows refer to rows that are gone, such as one of {orphans[0][0]}"
            raise Unavailable(location, Trouble.DAMAGED, detail)
