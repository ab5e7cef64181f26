"""Keyset pages: which part of an ordered list is asked for, and the cursors that name its places.

How it works: a cursor holds the sort key of its row and the row's number, so that a
page goes on from that place whatever was inserted or deleted before it. One row more
than asked for is read, and tells whether there is a further page.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec
import strawberry

from schema.errors import InvalidPage

DEFAULT_SIZE: Final = 50
LARGEST_SIZE: Final = 1000

Key = TypeVar("Key")
Row = TypeVar("Row")


@strawberry.type(description="Where a page stands within its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether the list goes on after this page.")
    has_previous_page: bool = strawberry.field(description="Whether the list has something before this page.")
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first edge; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(description="Cursor of the last edge; null on an empty page.")


@dataclass(frozen=True, slots=True)
class Window(Generic[Key]):
    """The part of a list that is asked for: `size` rows between two places, from the end when `backwards`."""

    size: int
    after: Key | None
    before: Key | None
    backwards: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one window, in the order of the list."""

    rows: Sequence[Row]
    has_next: bool
    has_previous: bool


def window(
    key: type[Key],
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Window[Key]:
    """Return the window that Relay's four arguments mean, or raise InvalidPage."""
    if first is not None and last is not None:
        raise InvalidPage("last", "cannot be combined with `first`: page in one direction at a time")
    return Window(
        size=page_size("last", last) if last is not None else page_size("first", first),
        after=None if after is None else read_cursor("after", after, key),
        before=None if before is None else read_cursor("before", before, key),
        backwards=last is not None,
    )


def page_size(
    argument: str, size: int | None, *, default: int = DEFAULT_SIZE, largest: int = LARGEST_SIZE
) -> int:
    """Return how many rows are asked for, or raise InvalidPage."""
    if size is None:
        return default
    if not 1 <= size <= largest:
        raise InvalidPage(argument, f"must be between 1 and {largest}, not {size}")
    return size


def page(rows: Sequence[Row], asked: Window[Key]) -> Page[Row]:
    """Cut `rows`, read up to one past the window and in the order of the list, down to the page."""
    more = len(rows) > asked.size
    if asked.backwards:
        return Page(rows[-asked.size :], has_next=asked.before is not None, has_previous=more)
    return Page(rows[: asked.size], has_next=more, has_previous=asked.after is not None)


def page_info(cut: Page[Row], cursors: Sequence[str]) -> PageInfo:
    """Describe a page whose edges have these cursors."""
    return PageInfo(
        has_next_page=cut.has_next,
        has_previous_page=cut.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def cursor(key: object) -> str:
    """Return the opaque cursor of the place `key`, a tuple or struct of plain values."""
    return urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def read_cursor(argument: str, text: str, key: type[Key]) -> Key:
    """Return the place that `text` names, or raise InvalidPage naming the argument it came in."""
    try:
        return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=key)
    except (Base64Error, ValueError, RecursionError) as error:
        raise not_a_cursor(argument) from error


def not_a_cursor(argument: str) -> InvalidPage:
    """Return the refusal of a cursor that no page of the list can have given."""
    return InvalidPage(argument, "is not a cursor of this list: pass on what a field `cursor` gave")
