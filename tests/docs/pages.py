"""What a page tells its reader to do, in order.

Fenced blocks whose language is `console` hold commands behind `$ `, which go on behind `> `, and what is printed.
A block of `sh` is one command; a block of `json` right behind it is its answer. What is to be done with any other block is
said by an HTML comment before it:

    <!-- file: NAME -->        the reader writes this file
    <!-- quote: PATH -->       the block is that file of the repository
    <!-- terminal: NAME -->    its one command goes on in a terminal of its own
    <!-- shows: NAME -->       what that terminal shows by now
    <!-- not run: REASON -->   it is left out

and `<!-- interrupt: NAME -->` by itself is Ctrl-C in that terminal.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PIECE: Final = re.compile(
    r"^<!-- (?P<word>file|quote|terminal|shows|not run|interrupt): (?P<what>[^\n]*?) -->$"
    r"|^(?P<indent> *)```(?P<language>[\w-]*)[^\n]*\n(?P<body>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Command:
    """What is typed, and what the page shows of what is printed, if it shows anything."""

    line: int
    text: str
    shown: str | None = None
    terminal: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a terminal shows by now."""

    line: int
    terminal: str
    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Ctrl-C in a terminal."""

    line: int
    terminal: str


@dataclass(frozen=True, slots=True)
class File:
    """A file that the reader writes."""

    line: int
    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A block that is a file of the repository."""

    line: int
    path: str
    content: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A block that is not run."""

    line: int
    reason: str


Step = Command | Shown | Interrupt | File | Quote | LeftOut


class Unaccounted(AssertionError):
    """A block of which the page does not say what is to be done with it."""


@dataclass(slots=True)
class _Marker:
    word: str = ""
    what: str = ""
    end: int = 0


@dataclass(slots=True)
class _Reader:
    text: str
    marker: _Marker = field(default_factory=_Marker)
    shell: Command | None = None

    def steps(self) -> Iterator[Step]:
        for piece in _PIECE.finditer(self.text):
            if piece["word"] == "interrupt":
                yield Interrupt(self._line(piece), piece["what"])
            elif piece["word"]:
                self.marker = _Marker(piece["word"], piece["what"], piece.end())
            else:
                yield from self._block(piece)
                self.marker = _Marker()

    def _block(self, piece: re.Match[str]) -> Iterator[Step]:
        line = self._line(piece)
        body = re.sub(rf"^{piece['indent']}", "", piece["body"], flags=re.MULTILINE)
        what = self.marker.what
        match self.marker.word, piece["language"]:
            case "not run", _:
                yield LeftOut(line, what)
            case "file", _:
                yield File(line, what, body)
            case "quote", _:
                yield Quote(line, what, body)
            case "shows", _:
                yield Shown(line, what, body)
            case word, "console":
                yield from _commands(body, line, terminal=what if word == "terminal" else None)
            case _, "sh":
                yield Command(line, body, answer=self._answer(piece.end()))
            case _, "json" if self._is_answer(piece.start()):
                pass
            case _, language:
                raise Unaccounted(f"line {line}: what is to be done with this block of {language or 'text'}?")

    def _answer(self, end: int) -> str | None:
        following = re.compile(r"\s*```json\n(.*?)```", re.DOTALL).match(self.text, end)
        return following[1] if following else None

    def _is_answer(self, start: int) -> bool:
        return re.search(r"```sh\n(?:(?!```).)*```\s*$", self.text[:start], re.DOTALL) is not None

    def _line(self, piece: re.Match[str]) -> int:
        return self.text.count("\n", 0, piece.start()) + 1


def _commands(body: str, line: int, *, terminal: str | None) -> Iterator[Command]:
    parts = re.split(r"^\$ ", body, flags=re.MULTILINE)
    if parts[0]:
        raise Unaccounted(f"line {line}: a block of a console begins with `$ `")
    at = line + 1
    for part in parts[1:]:
        typed, *rest = part.splitlines()
        going_on = 0
        while going_on < len(rest) and rest[going_on].startswith("> "):
            going_on += 1
        text = "\n".join([typed, *(each.removeprefix("> ") for each in rest[:going_on])])
        shown = "\n".join(rest[going_on:])
        yield Command(at, text, shown or None, terminal)
        at += len(rest) + 1


def steps(page: str) -> list[Step]:
    """Return what the Markdown of a page tells its reader to do, in order."""
    return list(_Reader(page).steps())


def read(path: Path) -> list[Step]:
    """Return what a page tells its reader to do, in order."""
    return steps(path.read_text())
