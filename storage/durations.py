"""How long builds took of late, and so what the next ones can be expected to take."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Double, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from storage.build_tables import BUILDS
from storage.dialects import any_of
from storage.statements import Query, as_tuple
from storage.tables import PACKAGES
from storage.transitions import BuildConclusion

# Enough for one slow machine not to matter much, and few enough to follow a package that has grown.
_NEWEST: Final = 5


def expected(connection: Connection, package_ids: Iterable[int]) -> dict[int, float]:
    """Return the mean seconds of the newest successful builds of each package that has one, in one statement.

    They are of a millisecond's precision. However long a history is, only its newest builds are read.
    """
    rows = _MEANS.all(connection, ids=package_ids)
    # A clock that was set back may have had a build end before it began.
    return {id_: max(0.0, round(seconds, 3)) for id_, seconds in rows if seconds is not None}


class _SecondsBetween(FunctionElement[float]):
    """The seconds from one moment to another."""

    type = Double()
    inherit_cache = True


@compiles(_SecondsBetween, "sqlite")
def _seconds_between_of_sqlite(element: _SecondsBetween, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in element.clauses)
    return f"(julianday({end}) - julianday({start})) * 86400"


@compiles(_SecondsBetween, "postgresql")
def _seconds_between_of_postgresql(element: _SecondsBetween, compiler: SQLCompiler, **options: Any) -> str:
    start, end = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST(extract(epoch FROM {end} - {start}) AS double precision)"


def _means() -> Query[tuple[int, float | None]]:
    c = BUILDS.c
    # Ranking the builds of all packages by a window would read every build there ever was.
    newest = (
        select(_SecondsBetween(c.started_at, c.completed_at).label("seconds"))
        .where(
            c.package_id == PACKAGES.c.id,
            c.conclusion == BuildConclusion.SUCCESS,
            c.started_at.is_not(None),
            c.completed_at.is_not(None),
        )
        .order_by(c.id.desc())
        .limit(_NEWEST)
        .correlate(PACKAGES)
        .subquery()
    )
    mean = select(func.avg(newest.c.seconds)).correlate(PACKAGES).scalar_subquery()
    return Query(select(PACKAGES.c.id, mean).where(any_of(PACKAGES.c.id, "ids")), as_tuple)


_MEANS: Final = _means()
