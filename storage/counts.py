"""How many rows there are."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from storage.statements import Query
from storage.tables import DEPENDENCIES, PACKAGES, VERSIONS


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the catalogue holds."""

    packages: int
    versions: int
    dependencies: int


def count(connection: Connection) -> Counts:
    """Count packages, versions and dependencies."""
    return _COUNTS.all(connection)[0]


_COUNTS: Final = Query(
    select(
        *(
            select(func.count()).select_from(table).scalar_subquery()
            for table in (PACKAGES, VERSIONS, DEPENDENCIES)
        )
    ),
    Counts,
)
