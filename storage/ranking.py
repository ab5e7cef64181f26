"""The first rows of each of many owners, in one statement."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, FromClause, Select, bindparam, func, select

_RANK: Final = "rank"


def first_of_each(
    table: FromClause,
    columns: Iterable[str],
    *,
    owner: Column[Any],
    key: Column[Any],
    where: Iterable[ColumnElement[bool]],
    descending: bool = False,
) -> Select[Any]:
    """Return the select of the owner's id and `columns` of those rows of `table` whose ids come first for each owner.

    `owner` and `key` say whose each id is; ids are ranked in their index, and only the rows that come first are read.
    It has the parameter `limit`, how many rows of each; they come owner by owner, and in order.
    """
    order = key.desc() if descending else key.asc()
    rank = func.row_number().over(partition_by=owner, order_by=order)
    ranked = select(owner.label("owner"), key.label("key"), rank.label(_RANK)).where(*where).subquery().c
    query = select(ranked.owner, *(table.c[name] for name in columns)).where(
        table.c.id == ranked["key"], ranked[_RANK] <= bindparam("limit")
    )
    return query.order_by(ranked.owner, ranked[_RANK])
