"""Runs and builds, written through the storage room."""

from collections.abc import Callable
from contextlib import suppress

from storage import builds, runs, waits
from storage.build_rows import BuildRow
from storage.build_tables import BUILDS, BuildTrigger, RunFields
from storage.database import Connection, Database
from storage.engines.written import Result
from storage.transitions import BuildConclusion, BuildStatus
from tests.storage.subjects import set_status
from tests.storage.world import NOW, add_package, add_version


def add_run(database: Database, **fields: object) -> int:
    """Write a run and return its id."""

    def operation(connection: Connection) -> int:
        id_ = next(runs.ids(connection))
        runs.insert(connection, id_, RunFields.model_validate(fields), now=NOW)
        return id_

    return database.write(operation).value


def add_versions(database: Database, *names: str) -> dict[str, tuple[int, int]]:
    """Write a package of each name with one version, and return the ids of both."""
    packages = {name: add_package(database, name) for name in names}
    return {name: (id_, add_version(database, id_, "1")) for name, id_ in packages.items()}


def add_build(
    database: Database,
    run_id: int,
    version: tuple[int, int],
    *,
    needs: tuple[int, ...] = (),
    **columns: object,
) -> int:
    """Write a build of a version, which waits for those in `needs`, and return its id. It is QUEUED unless it is said."""

    def operation(connection: Connection) -> int:
        id_ = next(builds.ids(connection))
        builds.insert(connection, [planned(id_, run_id, version, **columns)])
        waits.insert(connection, [(id_, other) for other in needs])
        return id_

    return database.write(operation).value


def planned(id: int, run_id: int, version: tuple[int, int], **columns: object) -> BuildRow:
    """Return a build that was just planned."""
    values = {"status": BuildStatus.QUEUED, "trigger": BuildTrigger.NEW, **columns}
    return BuildRow(
        id=id,
        run_id=run_id,
        package_id=version[0],
        version_id=version[1],
        created_at=NOW,
        updated_at=NOW,
        **values,  # type: ignore[arg-type] # columns by their names
    )


def put_in(database: Database, build_id: int, *statuses: str, **columns: object) -> None:
    """Move a build through `statuses`, past the application."""

    def operation(connection: Connection) -> None:
        for status in statuses:
            set_status(connection, BUILDS, build_id, status, **columns)

    database.write(operation)


def finish(database: Database, build_id: int, conclusion: BuildConclusion) -> None:
    """Have a queued build end as told."""
    put_in(database, build_id, "ASSIGNED", "RUNNING")
    put_in(database, build_id, "COMPLETED", conclusion=conclusion)


class _UndoneError(Exception):
    """Takes a write back."""


def undone(database: Database, operation: Callable[[Connection], Result]) -> Result:
    """Return what `operation` returns, and take back all that it wrote."""
    results: list[Result] = []

    def both(connection: Connection) -> None:
        results.append(operation(connection))
        raise _UndoneError

    with suppress(_UndoneError):
        database.write(both)
    return results[-1]
