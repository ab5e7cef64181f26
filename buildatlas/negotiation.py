"""Reading the two headers of HTTP that name media types."""

from collections.abc import Sequence
from email.message import Message


def accepts(header: str | None, offers: Sequence[str]) -> str | None:
    """Return which of `offers` the Accept header prefers, or None when it takes none of them.

    The first offer wins among equals, and when there is no header.
    """
    if header is None or not header.strip():
        return offers[0]
    ranges = [_media_range(part) for part in header.split(",")]
    best = max(offers, key=lambda offer: _quality(offer, ranges))
    return best if _quality(best, ranges) > (0, 0) else None


def media_type(header: str) -> str:
    """Return the media type that a Content-Type header names, without its parameters."""
    return header.partition(";")[0].strip().lower()


def charset(header: str) -> str:
    """Return the charset that a Content-Type header names; UTF-8 when it names none."""
    message = Message()
    message["Content-Type"] = header
    return message.get_content_charset("utf-8")


def _media_range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    try:
        return name, float(quality)
    except ValueError:
        return name, 0.0


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> tuple[float, int]:
    """Return the weight of the most specific range that covers `offer`, and how specific it is."""
    covering = {offer: 2, offer.partition("/")[0] + "/*": 1, "*/*": 0}
    found = [(covering[name], quality) for name, quality in ranges if name in covering]
    if not found:
        return (0.0, 0)
    specificity, quality = max(found)
    return (quality, specificity) if quality > 0 else (0.0, 0)
