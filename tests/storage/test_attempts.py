"""The tries at builds: in order, started once and ended once."""

import pytest

from storage import attempts
from storage.build_rows import AttemptRow
from storage.database import Connection, Database
from storage.transitions import BuildConclusion
from tests.storage.build_world import add_build, add_run, add_versions
from tests.storage.world import LATER, NOW


@pytest.fixture
def builds(database: Database) -> tuple[int, int]:
    """A build and another, of which nothing was tried."""
    versions, run = add_versions(database, "app", "lib"), add_run(database)
    return add_build(database, run, versions["app"]), add_build(database, run, versions["lib"])


def test_attempts_come_in_order(database: Database, builds: tuple[int, int]) -> None:
    app, lib = builds
    second = AttemptRow(app, 2, "w", 9, NOW, LATER, BuildConclusion.FAILURE, "exit 1")
    first = AttemptRow(app, 1, "w", 8)

    database.write(lambda connection: attempts.insert(connection, [second, first]))

    with database.read() as connection:
        assert attempts.of_builds(connection, [app, lib]) == {app: [first, second], lib: []}


def test_an_attempt_starts_and_ends_once(database: Database, builds: tuple[int, int]) -> None:
    app, lib = builds

    def operation(connection: Connection) -> list[bool]:
        attempts.insert(connection, [AttemptRow(app, 1, "w", 8), AttemptRow(lib, 1, "w", 8)])
        return [
            attempts.start(connection, app, 1, now=NOW),
            attempts.start(connection, app, 1, now=LATER),
            attempts.finish(
                connection, app, 1, conclusion=BuildConclusion.FAILURE, message="exit 1", now=LATER
            ),
            attempts.finish(connection, app, 1, conclusion=BuildConclusion.SUCCESS, now=NOW),
            attempts.start(connection, app, 1, now=LATER),
        ]

    assert database.write(operation).value == [True, False, True, False, False]
    with database.read() as connection:
        assert attempts.of_builds(connection, [app, lib]) == {
            app: [AttemptRow(app, 1, "w", 8, NOW, LATER, BuildConclusion.FAILURE, "exit 1")],
            lib: [AttemptRow(lib, 1, "w", 8)],
        }
