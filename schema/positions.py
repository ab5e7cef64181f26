"""Positions of the event log, as clients pass them on."""

from typing import Final

from schema.errors import InvalidPage

# A position has at most as many digits as a 64-bit number.
_MOST_DIGITS: Final = 18


def read_position(argument: str, text: str) -> int:
    """Return the position that `text` names, or raise InvalidPage when no server can have given it."""
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS):
        raise InvalidPage(argument, "is not a cursor of the event log: pass on what a field `cursor` gave")
    return int(text)
