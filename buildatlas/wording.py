"""How numbers of things, and lengths of time, are said."""

from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

# Each with the unit that it is told in to the nearest.
_UNITS: Final = ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s"))


def counted(number: int, one: str, many: str = "") -> str:
    """Return such as "1 package" or "2,000 packages"; `many` is for plurals without a plain s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def lasting(seconds: float) -> str:
    """Return such as "340 ms", "12.5 s", "3 min 20 s", "2 h 5 min" or "4 d 1 h"."""
    if seconds < 1:
        return f"{seconds * 1000:,.0f} ms"
    if seconds < _MINUTE:
        return f"{seconds:,.1f} s"
    size, unit, part, of_it = next(each for each in _UNITS if seconds >= each[0])
    whole, rest = divmod(round(seconds / part), size // part)
    return f"{whole:,} {unit} {rest} {of_it}" if rest else f"{whole:,} {unit}"


def one_line(text: str) -> str:
    """Return it without line ends, and without what would control a terminal."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())
