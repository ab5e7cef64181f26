"""What builds print."""

from datetime import datetime
from typing import Annotated, Final

import msgspec
import strawberry

from schema.context import Context
from schema.fields import field
from schema.pagination import Page, PageInfo, Window, cursor, page, page_info, page_size, read_cursor
from storage import build_rows
from storage.logs import LogPlace

# Both are numbered in 32 bits, and the line after a place is one of them as well.
_LARGEST: Final = 2**31 - 2

_Number = Annotated[int, msgspec.Meta(ge=0, le=_LARGEST)]


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """A line, by its attempt and its number in that."""

    attempt: _Number
    line: _Number


@strawberry.type(description="One line of what a build has printed.")
class LogLine:
    sequence: str = strawberry.field(
        description="Its place in the log of its build: an argument `after` takes it."
    )
    attempt: int = strawberry.field(description="Which try at the build has printed it.")
    at: datetime = strawberry.field(description="When it reached the server.")
    text: str = strawberry.field(description="The line, without its end.")

    @classmethod
    def of(cls, line: build_rows.LogLine) -> "LogLine":
        """Show a line."""
        return cls(sequence=_sequence(line), attempt=line.attempt, at=line.at, text=line.text)


@strawberry.type(description="A page of the log of a build.")
class LogConnection:
    page: strawberry.Private[Page[build_rows.LogLine]]

    @field("The lines of this page, the first attempt's first.")
    def nodes(self) -> list[LogLine]:
        return [LogLine.of(line) for line in self.page.rows]

    @field("Where this page stands in the log; its cursors are the sequences of lines.")
    def page_info(self) -> PageInfo:
        ends = (self.page.rows[0], self.page.rows[-1]) if self.page.rows else ()
        return page_info(self.page, [_sequence(line) for line in ends])


async def read_log(context: Context, build_id: int, first: int, after: str | None) -> LogConnection:
    """Return a page of what a build has printed, over all of its attempts."""
    place = None if after is None else read_cursor("after", after, _Place)
    asked = Window(
        size=page_size("first", first),
        after=None if place is None else LogPlace(place.attempt, place.line),
        before=None,
        backwards=False,
    )
    lines = await context.loaders.builds.log.load(asked, build_id) or []
    return LogConnection(page=page(lines, asked))


def _sequence(line: build_rows.LogLine) -> str:
    return cursor(_Place(line.attempt, line.number))
