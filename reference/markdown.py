"""Markdown out of texts that are not."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_CODE: Final = re.compile(r"(`[^`]*`)")
_MARKS: Final = re.compile(r"([\\*_<>|\[\]])")


def plain(text: str) -> str:
    """Return a text on one line that reads as it stands, but for its `code`."""
    parts = _CODE.split(" ".join(text.split()))
    parts[::2] = [_MARKS.sub(r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def code(text: object) -> str:
    """Return a text as code. It may hold no backtick."""
    return f"`{text}`"


def sentence(text: str) -> str:
    """Return a text that begins as a sentence and ends as one."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def heading(level: int, text: str, anchor: str) -> list[str]:
    """Return a heading that is linked to as `#anchor`."""
    return [f"{'#' * level} {text} {{ #{anchor} }}", ""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table of Markdown with the empty one behind it."""
    for cells in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cells) + " |"
    yield ""


def page(title: str, *parts: Iterable[str]) -> str:
    """Return a page."""
    return "\n".join([f"# {title}", "", *(line for part in parts for line in part)]).rstrip() + "\n"


def paragraph(text: str) -> list[str]:
    """Return the lines of a paragraph that is Markdown already."""
    return [text, ""]
