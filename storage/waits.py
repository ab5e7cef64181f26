"""Which builds of a run wait for which: the builds that one depends on, and those that depend on it."""

import functools
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Column, Connection, bindparam, func, select

from storage.build_rows import BuildRow
from storage.build_tables import BUILD_DEPENDENCIES, BUILDS
from storage.builds import with_owner
from storage.dialects import any_of
from storage.ranking import first_of_each
from storage.statements import BulkInsert, Query, as_tuple


class Side(StrEnum):
    """Which way to look from a build."""

    DEPENDENCIES = "DEPENDENCIES"
    DEPENDENTS = "DEPENDENTS"


def pages_of(
    connection: Connection, side: Side, build_ids: Iterable[int], *, limit: int, after: int | None = None
) -> dict[int, list[BuildRow]]:
    """Return up to `limit` dependencies or dependents of each build, oldest first, after the one with the id `after`.

    One statement for any number of builds; one that has none has an empty list.
    """
    pages: dict[int, list[BuildRow]] = {id_: [] for id_ in build_ids}
    rows = _page_query(side).all(connection, ids=pages, limit=limit, after=after or 0)
    for build_id, build in rows:
        pages[build_id].append(build)
    return pages


def counts_of(connection: Connection, side: Side, build_ids: Iterable[int]) -> dict[int, int]:
    """Return how many dependencies or dependents each build has, in one statement."""
    counts = dict.fromkeys(build_ids, 0)
    counts.update(_count_query(side).all(connection, ids=counts))
    return counts


def insert(connection: Connection, pairs: Iterable[tuple[int, int]]) -> None:
    """Write that builds wait, each as the id of the one that waits and of the one waited for."""
    _INSERT.run(connection, pairs)


_C: Final = BUILD_DEPENDENCIES.c
_INSERT: Final = BulkInsert(BUILD_DEPENDENCIES)


def _ends(side: Side) -> tuple[Column[Any], Column[Any]]:
    """Return the column of the builds asked about, and that of the ones to be found."""
    ends = (_C.build_id, _C.dependency_id)
    return ends if side is Side.DEPENDENCIES else ends[::-1]


@functools.cache
def _page_query(side: Side) -> Query[tuple[int, BuildRow]]:
    near, far = _ends(side)
    conditions = (any_of(near, "ids"), far > bindparam("after"))
    query = first_of_each(BUILDS, BuildRow.__struct_fields__, owner=near, key=far, where=conditions)
    return Query(query, with_owner)


@functools.cache
def _count_query(side: Side) -> Query[tuple[int, int]]:
    near, _ = _ends(side)
    return Query(select(near, func.count()).where(any_of(near, "ids")).group_by(near), as_tuple)
