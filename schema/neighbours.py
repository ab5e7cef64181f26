"""The packages around one package in the graph, as a page.

How it works: a traversal lists names in an order that depends only on the graph, nearest
first. A cursor is a place in that order and the name found there; a later page goes on
after the name where it stands now, and at the place if the name has gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from resolvers.loaded_graphs import Selection
from resolvers.neighbourhoods import Direction, Walk
from schema.context import Context
from schema.enums import DependencyKind, GraphScope
from schema.kinds import kind_mask
from schema.pagination import Page, cursor, page, window
from storage import dependencies
from storage.rows import PackageRow


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in a traversal's order."""

    index: Annotated[int, msgspec.Meta(ge=0)]
    name: str


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """What is asked for."""

    direction: Direction
    name: str
    transitive: bool
    kinds: list[DependencyKind] | None
    scope: GraphScope
    include_optional: bool
    first: int | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What was found: a page, and what is known of all of it."""

    page: Page[PackageRow]
    cursors: list[str]
    total: int
    truncated: bool


def selection(kinds: list[DependencyKind] | None, scope: GraphScope, include_optional: bool) -> Selection:
    """Return which edges of the catalogue make the graph that is asked about."""
    return Selection(
        kinds=None if kinds is None else kind_mask(kinds),
        scope=dependencies.GraphScope[scope.name],
        include_optional=include_optional,
    )


async def neighbourhood(context: Context, asked: Neighbourhood) -> Neighbours:
    """Return a page of the packages around one, nearest first."""
    part = window(Place, first=asked.first, after=asked.after)
    found = await context.around.load(
        Walk(
            asked.name,
            asked.direction,
            asked.transitive,
            selection(asked.kinds, asked.scope, asked.include_optional),
        )
    )
    start = 0 if part.after is None else _start(found.names, part.after)
    names = page(found.names[start : start + part.size + 1], part)
    rows = await context.loaders.package_by_name.load_many(names.rows)
    # A name without a row was deleted while this was read: the next page will not have it either.
    kept = [(start + index, row) for index, row in enumerate(rows) if row is not None]
    return Neighbours(
        page=Page([row for _, row in kept], names.has_next, names.has_previous),
        cursors=[cursor(Place(index, row.name)) for index, row in kept],
        total=len(found.names),
        truncated=found.truncated,
    )


def _start(names: Sequence[str], after: Place) -> int:
    """Return where the page after a place begins."""
    if after.index < len(names) and names[after.index] == after.name:
        return after.index + 1
    try:
        return names.index(after.name) + 1
    except ValueError:
        return min(after.index, len(names))
