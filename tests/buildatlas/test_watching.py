"""The command `watch`, of a database; tests/api has it of a server."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from buildatlas.board import Board, Item
from buildatlas.client import Answer, Refused, Unreachable
from buildatlas.errors import WrongUse
from buildatlas.views import JsonLines
from buildatlas.watching import Watch
from schema.identifiers import global_id, read_id
from tests.buildatlas.terminal import Terminal
from tests.buildatlas.watched import build, event, snapshot
from tests.schema.building import build_next, start
from tests.schema.world import World

BUSY = Refused("the database is busy", "UNAVAILABLE")
AWAY = Unreachable("http://here", "no answer")
WRONG = Refused("not yours", "BAD_USER_INPUT")


@contextmanager
def begun(terminal: Terminal, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Give a watch that runs no longer than the block."""
    with terminal.start("watch", *options) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def rest(process: subprocess.Popen[str]) -> list[str]:
    """Return the lines that are still to come, without the times in them and without what time it took."""
    out, err = process.communicate(timeout=60)
    assert err == ""
    return [line[9:].partition(" after ")[0] if line[2] == ":" else line for line in out.splitlines()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World.at(str(tmp_path / "catalogue.db"))
    world.publish("lib", "1.0")
    world.publish("app", "1.0", "lib")
    return world


@pytest.fixture
def terminal(world: World, tmp_path: Path) -> Iterator[Terminal]:
    yield Terminal(tmp_path)
    world.database.close()


def test_a_run_is_watched_to_its_end(world: World, terminal: Terminal) -> None:
    run = start(world, "app", "lib")
    with begun(terminal, "--run", run["id"]) as process:
        first = next_line(process)
        build_next(world)
        build_next(world)

        assert first[9:] == "1 BLOCKED, 1 QUEUED\n"
        assert rest(process) == [
            "lib 1.0 ASSIGNED on w",
            "lib 1.0 RUNNING on w",
            "lib 1.0 SUCCESS on w",
            "app 1.0 QUEUED",
            "app 1.0 ASSIGNED on w",
            "app 1.0 RUNNING on w",
            "app 1.0 SUCCESS on w",
            f"run {run['id']}: SUCCESS, 2 builds",
            "  2 SUCCESS",
        ]
        assert process.returncode == 0


def test_a_run_that_fails_ends_with_1(world: World, terminal: Terminal) -> None:
    run = start(world, "app", "lib")
    build_next(world, "FAILURE")

    ended = terminal.run("watch", "--run", run["id"])

    assert ended.code == 1
    assert "1 FAILURE, 1 DEP_FAILED" in ended.out


def test_on_a_screen_there_is_a_table(
    world: World, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(world, "lib")
    build_next(world)
    monkeypatch.setenv("FORCE_COLOR", "1")

    ended = terminal.run("watch", "--run", run["id"])

    assert ended.code == 0
    assert "ended last" in ended.out
    assert "SUCCESS, 1 build\n" in ended.out


def test_without_a_run_it_is_what_has_not_ended_until_ctrl_c(world: World, terminal: Terminal) -> None:
    start(world, "app", "lib")
    build_next(world)
    with begun(terminal) as process:
        assert next_line(process)[9:] == "1 QUEUED\n"
        build_next(world, "SKIPPED")
        # Of what has ended already no more is told than that.
        while "SKIPPED" not in next_line(process):
            pass
        process.send_signal(signal.SIGINT)

        assert rest(process) == []
        assert process.returncode == 0


def test_a_run_that_is_not_watched_to_its_end_is_no_success(world: World, terminal: Terminal) -> None:
    run = start(world, "lib")
    with begun(terminal, "--run", run["id"]) as process:
        next_line(process)
        process.send_signal(signal.SIGINT)

        assert rest(process) == []
        assert process.returncode == 130


def test_what_is_watched_can_be_chosen(world: World, terminal: Terminal) -> None:
    start(world, "app", "lib")
    choices = [("--package", "app", "--status", "BLOCKED"), ("--worker", "nobody")]
    with ExitStack() as stack:
        processes = [stack.enter_context(begun(terminal, *choice)) for choice in choices]

        assert [next_line(each)[9:] for each in processes] == ["1 BLOCKED\n", "no builds\n"]


def test_it_ends_like_any_tool_when_its_reader_leaves(world: World, terminal: Terminal) -> None:
    start(world, "lib")
    with begun(terminal) as process:
        next_line(process)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        build_next(world)

        assert process.stderr.read() == ""
        assert process.wait(60) == 141


def test_a_run_that_cannot_be_is_wrong_use(terminal: Terminal) -> None:
    ended = terminal.run("watch", "--run", "x")

    assert (ended.code, ended.out) == (2, "")
    assert "not an id" in ended.err


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_run_that_is_not_there_is_told_at_once_and_nothing_is_shown(
    world: World, terminal: Terminal, options: tuple[str, ...]
) -> None:
    newest = read_id(start(world, "lib")["id"])
    run = global_id(newest.type_name, newest.row + 1)

    ended = terminal.run("watch", "--run", run, *options)

    assert (ended.code, ended.out) == (2, "")
    assert f"there is no run {run}" in ended.err


class Made:
    """A client with answers made up for what it is asked."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = iter(answers)

    def ask(self, document: str, variables: Mapping[str, Any]) -> Answer:
        del document, variables
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def until_end(client: Made, *items: Item, error: Exception | None = None, run: str | None = "r") -> Any:
    async def feed(
        document: str, variables: Mapping[str, Any], *, acknowledged: Callable[[], object]
    ) -> AsyncGenerator[Answer, None]:
        del document, variables
        acknowledged()
        for item in items:
            yield {"buildStatus": item}
        if error is not None:
            raise error
        await asyncio.Event().wait()

    return asyncio.run(Watch(client, feed, {}, Board(), JsonLines(), run).until_end())


def told(status: str) -> Answer:
    return {"run": {"status": status}}


def test_a_run_is_asked_for_until_it_has_ended() -> None:
    """Its builds may be retried, and a server may not answer."""
    client = Made(told("RUNNING"), BUSY, AWAY, told("COMPLETED"))

    assert until_end(client, snapshot()) == {"status": "COMPLETED"}


def test_a_run_is_not_asked_for_before_its_builds_have_ended() -> None:
    ending = event(build("a", "COMPLETED", "SUCCESS"), "COMPLETED", "SUCCESS")

    assert until_end(Made(told("COMPLETED")), snapshot(build("a", "RUNNING")), ending)
    with pytest.raises(Refused):
        until_end(Made(), snapshot(build("a", "RUNNING")), error=WRONG)


@pytest.mark.parametrize("run", ["r", None])
def test_what_will_not_pass_ends_it(run: str | None) -> None:
    with pytest.raises(Refused, match="not yours"):
        until_end(Made(WRONG), snapshot(), error=None if run else WRONG, run=run)


def test_a_run_that_is_gone_ends_it() -> None:
    with pytest.raises(WrongUse, match="there is no run r"):
        until_end(Made({"run": None}), snapshot())
