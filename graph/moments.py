"""How a moment is written for whoever reads it."""

from datetime import UTC, datetime
from typing import Literal


def rfc_3339(moment: datetime, *, timespec: Literal["auto", "seconds"] = "auto") -> str:
    """Return `moment` in RFC 3339, in UTC, ending in Z. Python's own form of UTC is an offset."""
    return moment.astimezone(UTC).isoformat(timespec=timespec).removesuffix("+00:00") + "Z"
