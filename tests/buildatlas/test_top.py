"""How a server and its builds fare, on a screen and without one."""

import io
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate
from rich.console import Console, RenderableType

from buildatlas import top
from buildatlas.client import Answer, Refused, Unreachable
from resolvers.measurements import MEASUREMENTS
from resolvers.rollups import add
from schema.root import schema
from storage.monitoring_rows import MetricRow
from tests.buildatlas.terminal import Terminal
from tests.schema.building import claim, start
from tests.schema.world import World

MEASURED: dict[str, float] = {
    "graphql.operation.seconds": 0.5,
    "build.seconds": 60,
    "build.failed": 1,
    "queue.oldest.seconds": 125,
    "workers.live": 3,
    "event.delivery.seconds": 0.25,
    "process.cpu.ratio": 0.75,
    "process.memory.bytes": 250_000_000,
    "process.open_files": 40,
    "process.threads": 12,
    "process.loop_lag.seconds": 0.004,
    "database.connections": 2,
    "database.bytes": 5_000_000,
    "subscribers": 6,
}


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def world(terminal: Terminal) -> Iterator[World]:
    """The terminal's database, where three packages are to be built."""
    there = World.at(str(terminal.folder / "catalogue.db"))
    with closing(there.database):
        for name in ("base", "lib", "tool"):
            there.publish(name, "1.0")
        yield there


def measured(world: World, ago: timedelta, factor: float = 1) -> None:
    at = datetime.now(UTC) - ago
    rows = [
        MetricRow(name, "", {}, at, 0, 1, value * factor, value * factor, value * factor)
        for name, value in MEASURED.items()
    ]
    world.database.write(partial(add, rows=rows))


def test_whatever_is_asked_for_is_in_the_schema_and_measured() -> None:
    assert validate(schema._schema, parse(top.DOCUMENT)) == []
    assert {name for name, _ in top._ASKED.values()} == MEASURED.keys()
    assert MEASURED.keys() <= MEASUREMENTS.keys()


def test_without_a_screen_everything_is_printed_once(terminal: Terminal, world: World) -> None:
    run = start(world, "base", "lib", "tool")["id"]
    claim(world, limit=2)
    measured(world, timedelta(seconds=90), 2)
    measured(world, timedelta(0))

    lines = terminal.run("top").out.splitlines()

    assert lines[0].endswith(": 3 packages, 3 versions")
    assert lines[1] == ("queue    1 queued, 0 blocked, 2 at workers, oldest waits 2 min 5 s, 3 workers")
    assert lines[2] == (
        "rates    0.006667 operations/s, 750 ms each, slowest 500 ms, 0.4 builds/min, 3 failed, "
        "events up to 250 ms late"
    )
    assert lines[3] == (
        "process  0.75 processors, 250.0 MB memory, 12 threads, 40 files, 6 subscribers, loop up to 4 ms late"
    )
    assert lines[4] == "database 5.0 MB, 2 connections"
    assert lines[6:8] == ["runs", f"  {run}  RUNNING  3  1 QUEUED, 2 ASSIGNED"]
    assert lines[9] == "at workers"
    assert sorted(line.split()[2:] for line in lines[10:]) == [["ASSIGNED", "on", "w"]] * 2


def test_what_was_not_measured_is_left_out(terminal: Terminal, world: World) -> None:
    lines = terminal.run("top").out.splitlines()

    assert (
        lines[1:]
        == [
            "queue    0 queued, 0 blocked, 0 at workers, 0 workers",
            "rates    0 operations/s, 0 builds/min",
            "process  nothing measured in the last minutes",
            "database nothing measured in the last minutes",
        ]
        or lines[1] == "queue    0 queued, 0 blocked, 0 at workers"
    )


def test_programs_get_numbers(terminal: Terminal, world: World) -> None:
    measured(world, timedelta(0))

    found = terminal.run("top", "--json").json

    assert found["memory"] == 250_000_000
    assert found["operations"] == 1
    assert found["queued"] == {"totalCount": 0}


def test_processes_add_up_but_for_those_that_are_gone(terminal: Terminal, world: World) -> None:
    now = datetime.now(UTC)
    for process, minutes, memory in (("a/1", 0, 10), ("a/1", 1, 99), ("a/2", 1, 20), ("a/3", 3, 40)):
        at = now - timedelta(minutes=minutes)
        row = MetricRow("process.memory.bytes", "By", {"process": process}, at, 0, 1, memory, memory, memory)
        world.database.write(partial(add, rows=[row]))

    assert terminal.run("top", "--json").json["memory"] == 30


class Asked:
    """Answers as `world` does, or raises what is told to come first; the last is the end."""

    def __init__(self, world: World, *troubles: Exception | None) -> None:
        self.world = world
        self.troubles = list(troubles)

    def ask(self, document: str, variables: Mapping[str, Any]) -> Answer:
        trouble = self.troubles.pop(0)
        if trouble is not None:
            raise trouble
        return dict(self.world.ask(document, **variables))


def drawn(client: Asked) -> list[str]:
    """Return what is drawn until whatever is to come has come, and then Ctrl-C."""
    pictures: list[RenderableType] = []

    def pause(_seconds: float) -> None:
        if not client.troubles:
            raise KeyboardInterrupt

    top.show(client, pictures.append, every=1, pause=pause)
    texts = []
    for picture in pictures:
        console = Console(file=io.StringIO(), width=200)
        console.print(picture)
        assert isinstance(console.file, io.StringIO)
        texts.append(console.file.getvalue())
    return texts


def test_a_screen_is_drawn_again_through_troubles_that_pass(world: World) -> None:
    away = Unreachable("http://here", "no answer")

    first, second, third = drawn(Asked(world, None, away, None))

    assert "3 packages" in first
    assert second == f"http://here: no answer\n{first}"
    assert third == first


def test_a_refusal_that_stays_ends_it(world: World) -> None:
    with pytest.raises(Refused):
        drawn(Asked(world, Refused("show a token", "UNAUTHENTICATED")))
