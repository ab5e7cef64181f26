"""The command `watch`."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

import typer

from buildatlas import build_documents
from buildatlas.asking import connected, database_url
from buildatlas.board import LIVE, Board
from buildatlas.client import Client, Refused, Unreachable
from buildatlas.errors import WrongUse
from buildatlas.exits import Exit
from buildatlas.following import Feed, follow, is_passing
from buildatlas.observability import configure_logging
from buildatlas.options import DatabaseOption, UrlOption
from buildatlas.release import version
from buildatlas.rendering import Data
from buildatlas.terminal import reader_may_leave
from buildatlas.views import View, chosen_view
from storage.transitions import BuildStatus

RunOption = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="Only builds of this run, until it has ended. Exits with 1 unless it has ended as SUCCESS.",
    ),
]
PackageOption = Annotated[str | None, typer.Option(metavar="NAME", help="Only builds of this package.")]
StatusOption = Annotated[
    list[BuildStatus] | None,
    typer.Option(
        help="Only builds in this state; may be repeated.",
        show_default="with --run any, else whatever has not ended",
    ),
]
WorkerOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only builds that this worker holds, or held last.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print what the API delivers as JSON, an object on each line.")
]

# How often the screen is drawn anew, and a run whose builds have ended is asked for.
_TICK: Final = 0.25

# What a shell reports of a program that Ctrl-C has ended.
_INTERRUPTED: Final = 130


def watch(
    *,
    run: RunOption = None,
    package: PackageOption = None,
    status: StatusOption = None,
    worker: WorkerOption = None,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show builds as they go on, until Ctrl-C: a table on a screen, else a line for each change. Times are UTC."""
    statuses = status or (list(LIVE) if run is None else None)
    chosen = {"run": run, "package": package, "status": statuses, "worker": worker}
    board = Board(statuses, worker)
    with _source(database, url) as (client, feed), reader_may_leave():
        if run is not None:
            _asked(client, run)
        with chosen_view(board, as_json=as_json) as view:
            ended = _interruptible(Watch(client, feed, chosen, board, view, run))
        if ended is not None:
            view.end(ended)
    if run is not None and (ended is None or ended["conclusion"] != "SUCCESS"):
        raise typer.Exit(_INTERRUPTED if ended is None else Exit.NO)


@dataclass(slots=True)
class Watch:
    """Builds that are being watched, and a view of them."""

    client: Client
    feed: Feed
    filter: dict[str, Any]
    board: Board
    view: View
    run: str | None
    """With whose end it ends; None: without one."""

    async def until_end(self) -> Data:
        """Return the run once it has ended. Raises what clients raise, and WrongUse when there is no such run."""
        following = asyncio.create_task(self._follow())
        try:
            while True:
                await asyncio.wait({following}, timeout=_TICK)
                if following.done():
                    following.result()
                self.view.refresh()
                if self.run is not None and self.board.is_idle:
                    ended = await asyncio.to_thread(self._ended, self.run)
                    if ended is not None:
                        return ended
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self) -> None:
        async with aclosing(follow(self.feed, self.filter, say=self.view.say)) as items:
            async for item in items:
                self.view.show(item, self.board.feed(item))

    def _ended(self, id: str) -> Data | None:
        """Return the run if it has ended: when its builds have, but is not so while they are retried."""
        run = _asked(self.client, id)
        return run if run is not None and run["status"] == "COMPLETED" else None


def _asked(client: Client, id: str) -> Data | None:
    """Return the run, or None when there is no telling now. Raises WrongUse when there is no such run."""
    try:
        run: Data | None = client.ask(build_documents.RUN, {"id": id})["run"]
    except (Refused, Unreachable) as error:
        # The connection that is followed tells of it.
        if is_passing(error):
            return None
        raise
    if run is None:
        raise WrongUse(f"there is no run {id}")
    return run


@contextmanager
def _source(database: str | None, url: str | None) -> Iterator[tuple[Client, Feed]]:
    """Give what answers questions, and what takes subscriptions."""
    if url is not None:
        # Speaking WebSocket takes a while to load, as does what answers locally.
        from buildatlas.subscribing import subscribe  # noqa: PLC0415

        with connected(database=None, url=url) as client:
            yield client, partial(subscribe, url)
    else:
        from buildatlas import local  # noqa: PLC0415

        configure_logging(sys.stderr, level="WARNING")
        with local.connect(database_url(database), version=version()) as client:
            yield client, client.subscribe


def _interruptible(watch: Watch) -> Data | None:
    """Return the run once it has ended, or None after Ctrl-C."""
    try:
        return asyncio.run(watch.until_end())
    except KeyboardInterrupt:
        return None
