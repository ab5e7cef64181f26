"""Places in lists that are ordered by the numbers of their rows."""

from typing import Annotated

import msgspec

from schema.identifiers import LARGEST_ROW
from schema.pagination import Window, cursor, window


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """The place of one row."""

    id: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_ROW)]


def row_cursor(id: int) -> str:
    """Return the cursor of a row."""
    return cursor(_Place(id))


def row_window(
    first: int | None, after: str | None, last: int | None = None, before: str | None = None
) -> Window[int]:
    """Return the window that Relay's four arguments mean, between the numbers of two rows, or raise InvalidPage."""
    asked = window(_Place, first=first, after=after, last=last, before=before)
    return Window(asked.size, _row(asked.after), _row(asked.before), asked.backwards)


def _row(place: _Place | None) -> int | None:
    return None if place is None else place.id
