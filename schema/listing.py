"""The list of all packages: filtered, ordered, and paged by keyset."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import msgspec
import strawberry

from schema.catalogue import PackageConnection
from schema.context import Context
from schema.enums import OrderDirection, PackageOrderField, PackageStatus
from schema.errors import InvalidPage
from schema.identifiers import LARGEST_ROW
from schema.pagination import Window, cursor, not_a_cursor, page
from storage import packages, transitions
from storage.columns import is_storable
from storage.packages import PackageFilter as Filter
from storage.packages import PackageOrder as Order
from storage.packages import PackagePosition
from storage.rows import PackageRow


@strawberry.input(description="Which packages a list holds. All that is given must be true of each.")
class PackageFilter:
    name_contains: str | None = strawberry.field(
        default=None, description="Part of the name; upper and lower case of ASCII letters are alike."
    )
    name_starts_with: str | None = strawberry.field(
        default=None, description="Start of the name; upper and lower case of ASCII letters are alike."
    )
    status: list[PackageStatus] | None = strawberry.field(default=None, description="One of these states.")

    def to_filter(self) -> Filter:
        """Return storage's form of it."""
        return Filter(
            name_contains=self.name_contains,
            name_starts_with=self.name_starts_with,
            statuses=None
            if self.status is None
            else tuple(transitions.PackageStatus[each.name] for each in self.status),
        )


@strawberry.input(description="How a list of packages is ordered.")
class PackageOrder:
    field: PackageOrderField = strawberry.field(description="What they are ordered by.")
    direction: OrderDirection = strawberry.field(description="Which way.")

    def to_order(self) -> Order:
        """Return storage's form of it."""
        return Order(packages.PackageOrderField[self.field.name], self.direction is OrderDirection.DESC)


class Place(msgspec.Struct, frozen=True, array_like=True):
    """A place in the list; it belongs to the order that the list had."""

    field: str
    value: str
    id: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ROW)]

    @classmethod
    def of(cls, row: PackageRow, order: Order) -> "Place":
        """Return where a package stands."""
        at = packages.position_of(row, order)
        value = at.value.isoformat() if isinstance(at.value, datetime) else at.value
        return cls(order.field.value, value, at.id)

    def position(self, argument: str, order: Order) -> PackagePosition:
        """Return storage's form of it, or raise InvalidPage when it is from a list ordered otherwise."""
        if self.field != order.field:
            raise InvalidPage(
                argument, f"is from a list ordered by {self.field}, and this one is by {order.field}"
            )
        if order.field is packages.PackageOrderField.NAME:
            if not is_storable(self.value):
                raise not_a_cursor(argument)
            return PackagePosition(self.value, self.id)
        return PackagePosition(_moment(argument, self.value), self.id)


def _moment(argument: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # Overflow: beyond the calendar, once in UTC.
        raise not_a_cursor(argument) from error
    raise not_a_cursor(argument)


async def list_packages(
    context: Context, filter: Filter, order: Order, asked: Window[Place]
) -> PackageConnection:
    """Return a page of the packages that `filter` lets through."""
    rows = await context.loaders.glance(
        partial(
            packages.page,
            filter=filter,
            order=order,
            limit=asked.size + 1,
            after=asked.after.position("after", order) if asked.after else None,
            before=asked.before.position("before", order) if asked.before else None,
            backwards=asked.backwards,
        )
    )
    cut = page(rows, asked)
    return PackageConnection(
        page=cut,
        cursors=[cursor(Place.of(row, order)) for row in cut.rows],
        count=partial(context.loaders.glance, partial(packages.count, filter=filter)),
        truncated=False,
    )
