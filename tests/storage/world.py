"""Rows written straight through the storage room, which takes whatever sort key it is given."""

from datetime import UTC, datetime

from storage import dependencies, packages, versions
from storage.database import Connection, Database
from storage.tables import DependencyFields, PackageFields, VersionFields
from storage.transitions import VersionStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)


def add_package(database: Database, name: str, *, at: datetime = NOW, **fields: object) -> int:
    """Write a package and return its id."""

    def operation(connection: Connection) -> int:
        id_ = next(packages.ids(connection))
        row = PackageFields.model_validate({"name": name, **fields})
        packages.insert(connection, [(id_, row)], now=at)
        return id_

    return database.write(operation).value


def add_version(
    database: Database,
    package_id: int,
    version: str,
    *needs: DependencyFields,
    status: VersionStatus = VersionStatus.PUBLISHED,
    **fields: object,
) -> int:
    """Write a version like `1.2` or `1.3rc`, with its dependencies, and return its id."""

    def operation(connection: Connection) -> int:
        id_ = next(versions.ids(connection))
        values = {
            "version": version,
            "sort_key": key(version),
            "is_prerelease": "rc" in version,
            "status": status,
        }
        versions.insert(
            connection, [(id_, package_id, VersionFields.model_validate({**values, **fields}))], now=NOW
        )
        ids = dependencies.ids(connection)
        rows = ((next(ids), id_, position, need) for position, need in enumerate(needs))
        dependencies.insert(connection, rows)
        return id_

    return database.write(operation).value


def key(version: str) -> bytes:
    """Return bytes in the order of simple versions: 1.3rc before 1.3, and that before 1.10."""
    release = bytes(int(part) for part in version.removesuffix("rc").split("."))
    return release + (b"\x00" if version.endswith("rc") else b"\xff")


def needs(name: str, constraint: str = "", **fields: object) -> DependencyFields:
    """Return a dependency."""
    return DependencyFields.model_validate({"package_name": name, "constraint": constraint, **fields})
