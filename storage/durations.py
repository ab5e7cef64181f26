"""How long builds took: what the next ones can be expected to take."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from storage.build_tables import BUILDS
from storage.dialects import any_of
from storage.statements import Query, as_tuple
from storage.transitions import BuildConclusion

# Few enough to follow a package that has grown, enough for one slow machine not to matter much.
_NEWEST: Final = 5


def expected(connection: Connection, package_ids: Iterable[int]) -> dict[int, float]:
    """Return the mean seconds of the newest successful builds of each package, those without left out; one statement."""
    spans: defaultdict[int, list[float]] = defaultdict(list)
    for package_id, started_at, completed_at in _SPANS.all(connection, ids=package_ids, newest=_NEWEST):
        spans[package_id].append((completed_at - started_at).total_seconds())
    return {package_id: max(0.0, sum(each) / len(each)) for package_id, each in spans.items()}


_C: Final = BUILDS.c
_RANKED: Final = (
    select(
        _C.package_id,
        _C.started_at,
        _C.completed_at,
        func.row_number().over(partition_by=_C.package_id, order_by=_C.id.desc()).label("rank"),
    )
    .where(
        any_of(_C.package_id, "ids"),
        _C.conclusion == BuildConclusion.SUCCESS,
        _C.started_at.is_not(None),
        _C.completed_at.is_not(None),
    )
    .subquery()
    .c
)
_SPANS: Final[Query[tuple[int, datetime, datetime]]] = Query(
    select(_RANKED.package_id, _RANKED.started_at, _RANKED.completed_at).where(
        _RANKED["rank"] <= bindparam("newest")
    ),
    as_tuple,
)
