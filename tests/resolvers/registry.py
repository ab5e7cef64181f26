"""Catalogues written as text, stored in a real database."""

from datetime import UTC, datetime

from resolvers.atlas import Atlas
from resolvers.drafts import DependencyRequest, PublishRequest, UpdateRequest
from resolvers.packages import RegisterRequest, register, update
from resolvers.versions import publish
from storage.database import Database
from storage.transitions import PackageStatus, VersionStatus
from tests.graph.universe import Universe, universe

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stored(database: Database, text: str) -> Atlas:
    """Store the catalogue that `text` describes, in the form that `universe` reads."""
    fill(database, universe(text))
    return Atlas(database)


def fill(database: Database, index: Universe) -> None:
    """Register and publish everything in `index`."""
    for name in index.names():
        register(database, RegisterRequest(name), now=NOW)
        for version in index.versions_of(name):
            needs = tuple(
                DependencyRequest(need.package, need.constraint.text, int(need.kinds), need.optional)
                for need in index.declared_by(version)
            )
            status = VersionStatus(version.status)
            request = PublishRequest(name, version.text, needs, version.released_at, status=status)
            publish(database, request, now=NOW)
        status_of_package = PackageStatus(index.status_of(name))
        if status_of_package is not PackageStatus.ACTIVE:
            update(database, UpdateRequest(name, status=status_of_package), now=NOW)


def add(atlas: Atlas, text: str) -> None:
    """Store more."""
    fill(atlas.database, universe(text))
