"""Whether what was printed is what a page shows, but for what differs each time: times, sizes, secrets and what `…` leaves out."""

import difflib
import re
from typing import Final

_VARYING: Final = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?"), "<moment>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?\b"), "<moment>"),
    (
        re.compile(r"(?<![\w.])\d[\d,]*(\.\d+)? ?(ms|s|min|h|d|kB|MB|GB|KiB|MiB|GiB|B)\b(?! \d+ of)"),
        "<amount>",
    ),
    (re.compile(r"(Seconds\": )\d+(\.\d+)?"), r"\1<amount>"),
    (re.compile(r"\bbat_[\w…-]+"), "<token>"),
    (re.compile(r"\b(process|worker|pid) \d+"), r"\1 <process>"),
    (re.compile(r"[─━]+"), "─"),
    (re.compile(r"[ \t]+"), " "),
)


def is_like(shown: str, printed: str, *, goes_on: bool = False) -> bool:
    """Whether a page may show this for what was printed; with `goes_on`, more may have been printed behind it."""
    pattern = "".join(_pattern(line) for line in _settled(shown).splitlines())
    more = "(?:.*\n)*" if goes_on else ""
    return re.fullmatch(pattern + more, _settled(printed)) is not None


def difference(shown: str, printed: str) -> str:
    """Return what tells a person where the two differ."""
    page, screen = _settled(shown).splitlines(), _settled(printed).splitlines()
    told = "\n".join(difflib.unified_diff(page, screen, "the page", "printed", lineterm="", n=1))
    return f"{told}\n\nall that was printed:\n{printed}"


def _settled(text: str) -> str:
    for varying, word in _VARYING:
        text = varying.sub(word, text)
    return "".join(f"{line.strip()}\n" for line in text.splitlines() if line.strip())


def _pattern(line: str) -> str:
    if line == "…":
        return "(?:.*\n)*?"
    return ".*?".join(re.escape(part) for part in line.split("…")) + "\n"
