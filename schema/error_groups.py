"""Errors of the service and of builds, in groups of the same fault."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Final

import msgspec
import strawberry

from schema.context import Context, Info
from schema.fields import field
from schema.identifiers import LARGEST_ROW, global_id
from schema.node import Node
from schema.pagination import Page, PageInfo, cursor, not_a_cursor, page, page_info, window
from storage import error_groups
from storage.error_groups import ErrorPlace
from storage.monitoring_rows import ErrorGroupRow

# What GraphQL's Int can hold.
_LARGEST_INT: Final = 2**31 - 1


@strawberry.type(description="An error seen in the service or reported by a build, grouped by fingerprint.")
class ErrorGroup(Node):
    code: str = strawberry.field(
        description="What kind of error: a code of the API, or how an attempt at a build ended."
    )
    message: str = strawberry.field(
        description="What is said each time; what differs (names, ids, numbers, paths) is replaced by a word for it."
    )
    count: int = strawberry.field(description="How often it was seen.")
    first_seen_at: datetime = strawberry.field(description="When it was seen first.")
    last_seen_at: datetime = strawberry.field(description="When it was seen last.")
    component: str = strawberry.field(
        description="Where it was seen: `api`, `http`, `chores`, `build`, or another part of the server."
    )
    sample: str = strawberry.field(
        description="The last of them, without secrets: the id of the request or the build, and the traceback or message."
    )

    @classmethod
    def of(cls, row: ErrorGroupRow) -> "ErrorGroup":
        """Show a stored group."""
        return cls(
            id=global_id("ErrorGroup", row.id),
            code=row.code,
            message=row.message,
            count=min(row.count, _LARGEST_INT),
            first_seen_at=row.first_seen_at,
            last_seen_at=row.last_seen_at,
            component=row.component,
            sample=row.sample,
        )


@strawberry.type(description="A group of errors within a list.")
class ErrorGroupEdge:
    node: ErrorGroup = strawberry.field(description="The group.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of a list of groups of errors.")
class ErrorGroupConnection:
    page: strawberry.Private[Page[ErrorGroupRow]]
    component: strawberry.Private[str | None]

    @field("The groups of this page, with their places.")
    def edges(self) -> list[ErrorGroupEdge]:
        return [ErrorGroupEdge(node=ErrorGroup.of(row), cursor=_cursor(row)) for row in self.page.rows]

    @field("The groups of this page.")
    def nodes(self) -> list[ErrorGroup]:
        return [ErrorGroup.of(row) for row in self.page.rows]

    @field("Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        ends = (self.page.rows[0], self.page.rows[-1]) if self.page.rows else ()
        return page_info(self.page, [_cursor(row) for row in ends])

    @field("How many there are in the whole list.")
    async def total_count(self, info: Info) -> int:
        return await info.context.loaders.glance(partial(error_groups.count, component=self.component))


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in the list."""

    last_seen_at: str
    id: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ROW)]

    def stored(self, argument: str) -> ErrorPlace:
        """Return storage's form of it, or raise InvalidPage."""
        try:
            moment = datetime.fromisoformat(self.last_seen_at)
            if moment.tzinfo is not None:
                return ErrorPlace(moment.astimezone(UTC), self.id)
        except (ValueError, OverflowError) as error:  # Overflow: beyond the calendar, once in UTC.
            raise not_a_cursor(argument) from error
        raise not_a_cursor(argument)


def _cursor(row: ErrorGroupRow) -> str:
    place = error_groups.place_of(row)
    return cursor(_Place(place.last_seen_at.isoformat(), place.id))


async def list_errors(
    context: Context, component: str | None, first: int | None, after: str | None
) -> ErrorGroupConnection:
    """Return a page of the errors of a component, or of all; what was seen last comes first."""
    asked = window(_Place, first=first, after=after)
    rows = await context.loaders.glance(
        partial(
            error_groups.page,
            component=component,
            limit=asked.size + 1,
            after=asked.after.stored("after") if asked.after else None,
        )
    )
    return ErrorGroupConnection(page=page(rows, asked), component=component)
