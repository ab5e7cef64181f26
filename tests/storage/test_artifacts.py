"""Artifacts: what the last attempt said under each name."""

from storage import artifacts
from storage.build_rows import ArtifactRow
from storage.build_tables import ArtifactFields
from storage.database import Connection, Database
from tests.storage.build_world import add_build, add_run, add_versions


def test_the_last_attempt_to_name_an_artifact_is_right(database: Database) -> None:
    versions, run = add_versions(database, "app", "lib"), add_run(database)
    app, lib = (add_build(database, run, version) for version in versions.values())

    def operation(connection: Connection) -> None:
        old = [ArtifactFields(name=name, uri="file:///1", size_bytes=1) for name in ("wheel", "docs")]
        artifacts.put(connection, app, 1, old)
        artifacts.put(connection, app, 2, [ArtifactFields(name="wheel", uri="file:///2", digest="sha256:2")])
        artifacts.put(connection, app, 3, [])

    database.write(operation)

    with database.read() as connection:
        assert artifacts.of_builds(connection, [app, lib]) == {
            app: [
                ArtifactRow(app, 2, "wheel", "file:///2", "sha256:2", None),
                ArtifactRow(app, 1, "docs", "file:///1", None, 1),
            ],
            lib: [],
        }
