"""Lengths of time as they are typed."""

import re
from datetime import timedelta
from typing import Final

from buildatlas.errors import WrongUse

_SPAN: Final = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def parse_span(option: str, text: str) -> timedelta:
    """Read such as `90s`, `15m`, `1h`, `7d` or `2w`. Raises WrongUse, which names the option."""
    found = _SPAN.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise WrongUse(
            f"{option} {text}: give a number of seconds, minutes, hours, days or weeks, such as 15m, 1h or 7d"
        )
    return int(found[1]) * _UNITS[found[2]]
