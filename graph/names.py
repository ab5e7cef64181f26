"""Which texts name a package, and which known names come close to one."""

import re
from collections.abc import Iterable
from typing import Final

from rapidfuzz import fuzz, process

from graph.errors import InvalidName

# Wide enough for npm scopes, Go modules and Debian sources.
_MAX_LENGTH: Final = 214
_FIRST: Final = re.compile(r"[A-Za-z0-9@]")
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._+\-@/:]")

# Out of 100. Two letters swapped in a name of four still count as close; a name that only contains it does not.
_CLOSE: Final = 70.0


def check_name(text: str) -> str:
    """Return `text` when it may name a package, else raise InvalidName."""
    problem = _problem(text)
    if problem is not None:
        raise InvalidName(text, problem)
    return text


def _problem(text: str) -> str | None:
    if not text:
        return "it is empty"
    if len(text) > _MAX_LENGTH:
        return f"it has {len(text):,} characters, at most {_MAX_LENGTH} are allowed"
    foreign = _FOREIGN.search(text)
    if foreign is not None:
        return f"{foreign[0]!r} at character {foreign.start() + 1} is not a letter, a digit or one of . _ + - @ / :"
    if not _FIRST.match(text):
        return "it must start with a letter, a digit or @"
    if any(part in {"", ".", ".."} for part in text.split("/")):
        return "a part between slashes is empty or made of dots"
    return None


def close_names(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """Return up to `limit` of `known` that are spelled like `name`, likeliest first; case is disregarded."""
    matches = process.extract(
        name, known, scorer=fuzz.ratio, limit=limit, score_cutoff=_CLOSE, processor=str.casefold
    )
    return [match for match, _, _ in matches]
