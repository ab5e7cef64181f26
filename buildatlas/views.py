"""How builds that are watched are shown: on a screen, as lines, or as JSON."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Protocol

import orjson
import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from buildatlas import build_rendering
from buildatlas.board import Board, Build, Change, Item, moment
from buildatlas.rendering import Data
from buildatlas.wording import lasting, one_line

Clock = Callable[[], datetime]

_GAP: Final = "too much has happened meanwhile to tell all of it: beginning anew"

# Lines of a screen that are not about a build that is running: titles, gaps, and the prompt.
_OTHER_LINES: Final = 7


class View(Protocol):
    """Shows what is delivered, as it comes."""

    def show(self, item: Item, change: Change | None) -> None:
        """Show an item that the board has been fed with, and what it made of it."""
        ...

    def say(self, text: str) -> None:
        """Tell how the connection fares."""
        ...

    def refresh(self) -> None:
        """Show what has come about by the time alone."""
        ...

    def end(self, run: Data) -> None:
        """Show how the run has ended that was watched."""
        ...


@contextmanager
def chosen_view(board: Board, *, as_json: bool, clock: Clock = lambda: datetime.now(UTC)) -> Iterator[View]:
    """Give a view for whoever reads standard output."""
    console = Console()
    if as_json:
        yield JsonLines()
    elif console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield Screen(board, live, clock)
    else:
        yield Lines(board, console, clock)


class JsonLines:
    """What is delivered, an item on each line."""

    def show(self, item: Item, change: Change | None) -> None:
        del change
        typer.echo(orjson.dumps(item).decode())

    def say(self, text: str) -> None:
        typer.echo(text, err=True)

    def refresh(self) -> None:
        """There is nothing that a program would have to be shown again."""

    def end(self, run: Data) -> None:
        typer.echo(orjson.dumps({"__typename": "BuildRun", **run}).decode())


class Lines:
    """A line for each change."""

    def __init__(self, board: Board, console: Console, clock: Clock) -> None:
        self._board = board
        self._console = console
        self._clock = clock

    def show(self, item: Item, change: Change | None) -> None:
        if change is not None:
            self._print(_line(change))
        elif item["__typename"] == "EventGap":
            self.say(_GAP)
        elif item.get("complete"):
            self._print(f"{self._clock():%H:%M:%S} {_counts(self._board)}")

    def say(self, text: str) -> None:
        typer.echo(text, err=True)

    def refresh(self) -> None:
        """Nothing that was printed can change."""

    def end(self, run: Data) -> None:
        build_rendering.run(self._console, run)

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class Screen:
    """A table that changes."""

    def __init__(self, board: Board, live: Live, clock: Clock) -> None:
        self._board = board
        self._live = live
        self._clock = clock

    def show(self, item: Item, change: Change | None) -> None:
        # Drawing takes longer than what happens in a large run: the next refresh shows all of it at once.
        del change
        if item["__typename"] == "EventGap":
            self.say(_GAP)

    def say(self, text: str) -> None:
        self._live.console.print(Text(text, "yellow"))

    def refresh(self) -> None:
        self._live.update(self._picture(), refresh=True)

    def end(self, run: Data) -> None:
        build_rendering.run(self._live.console, run)

    def _picture(self) -> RenderableType:
        held, endings = self._board.held(), self._board.endings()
        room = max(self._live.console.height - _OTHER_LINES - len(endings), 1)
        parts: list[RenderableType] = [Text(_counts(self._board), "bold")]
        if held:
            parts += [Text(), _held(held[:room], self._clock())]
        if len(held) > room:
            parts.append(Text(f"… and {len(held) - room:,} more", "dim"))
        if endings:
            parts += [Text(), _ended(endings)]
        return Group(*parts)


def _counts(board: Board) -> str:
    return build_rendering.counts(board.counts()) or "no builds"


def _line(change: Change) -> str:
    """Return such as "12:03:04 lib 1.0 SUCCESS on w1 after 12.5 s: said by its worker"."""
    state = "is gone" if change.status is None else change.conclusion or change.status
    words = [change.at[11:19], change.package or "?", change.version or "?", state]
    if change.worker is not None:
        words.append(f"on {change.worker}")
    if change.seconds is not None:
        words.append(f"after {lasting(change.seconds)}")
    return " ".join(words) + (f": {one_line(change.note)}" if change.note else "")


def _held(builds: Sequence[Build], now: datetime) -> Table:
    shown = _table("running", "", "state", "worker", "since")
    for build in builds:
        shown.add_row(*_name(build), build_rendering.state(build), _worker(build), _since(build, now))
    return shown


def _ended(builds: Sequence[Build]) -> Table:
    shown = _table("ended last", "", "as", "worker", "after", "message")
    for build in builds:
        seconds, said = build["durationSeconds"], build["reason"] or build["message"] or ""
        took = "" if seconds is None else lasting(seconds)
        message = Text(one_line(said), no_wrap=True, overflow="ellipsis")
        shown.add_row(*_name(build), build_rendering.state(build), _worker(build), Text(took), message)
    # What a narrow screen has no room for is left out here first.
    shown.columns[-1].no_wrap = False
    return shown


def _table(*titles: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in titles:
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    return table


def _name(build: Build) -> tuple[Text, Text]:
    return Text(build["packageVersion"]["package"]["name"]), Text(build["packageVersion"]["version"])


def _worker(build: Build) -> Text:
    return Text(build["worker"] or "")


def _since(build: Build, now: datetime) -> Text:
    """Return for how long it has been running. The clocks of two machines differ, so it may begin a little later."""
    if build["startedAt"] is None:
        return Text()
    seconds = (now - moment(build["startedAt"])).total_seconds()
    return Text(lasting(max(seconds, 0.0)))
