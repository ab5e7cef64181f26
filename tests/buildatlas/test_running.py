"""`buildatlas run` as its users run it."""

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from buildatlas.client import Refused, Unreachable
from buildatlas.errors import WrongUse
from buildatlas.running import awaited
from buildatlas.settings import Settings
from tests.api.processes import wait_until
from tests.api.serving import serving
from tests.buildatlas.terminal import Terminal
from tests.schema.building import build_next, claim, states
from tests.schema.world import World


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def world(terminal: Terminal) -> Iterator[World]:
    """The terminal's database: `app` needs `lib` needs `base`, `odd` cannot be built, and `x` and `y` need each other."""
    there = World.at(str(terminal.folder / "catalogue.db"))
    with closing(there.database):
        there.publish("base", "1.0")
        there.publish("lib", "2.0", "base >=1")
        there.publish("app", "1.0", "lib >=2")
        there.publish("odd", "1.0", "base >=9")
        there.publish("needs-odd", "1.0", "odd")
        there.publish("x", "1.0", "y")
        there.publish("y", "1.0", "x")
        yield there


def test_a_run_is_started_and_says_how_its_builds_stand(terminal: Terminal, world: World) -> None:
    run = terminal.run("run")

    (started,) = [each["id"] for each in world.ask("{ runs { nodes { id } } }")["runs"]["nodes"]]
    assert (run.code, run.err) == (0, "")
    assert run.out.splitlines() == [
        f"run {started}: RUNNING, 7 builds",
        "  1 DEP_FAILED, 1 UNRESOLVABLE, 3 BLOCKED, 2 QUEUED",
        "1 dependency left out to open cycles: y → x",
    ]


def test_a_dry_run_shows_waves_and_what_cannot_be_built_and_writes_nothing(
    terminal: Terminal, world: World
) -> None:
    terminal.run("run", "base")

    run = terminal.run("run", "base", "--dependents", "--dry-run")

    assert run.code == 0
    assert [line.strip() for line in run.out.splitlines()] == [
        "wave   builds  packages",
        "1        1  base",
        "2        2  lib, odd",
        "3        2  app, needs-odd",
        "5 builds: 1 DEP_FAILED, 1 UNRESOLVABLE, 2 BLOCKED, 1 QUEUED",
        "UNRESOLVABLE odd 1.0: no registered version of base satisfies >=9",
        "1 build of other runs would end as SUPERSEDED",
        "critical path, 3 builds: base → lib → app",
        "nothing was started",
    ]
    assert states(world) == {"base": "QUEUED"}


def test_a_dry_run_as_json_has_every_build(terminal: Terminal, world: World) -> None:
    del world

    run = terminal.run("run", "app", "lib", "--kind", "RUNTIME", "--dry-run", "--json")

    assert [(each["package"], each["version"], each["wave"]) for each in run.json["builds"]] == [
        ("lib", "2.0", 0),
        ("app", "1.0", 1),
    ]


def test_options_tell_how_a_run_is_built_and_a_key_that_there_is_one_of_it(
    terminal: Terminal, world: World
) -> None:
    said = shlex.split(
        "--require app --trigger NEW --priority -7 --max-attempts 5 --timeout 60 --label by=ann "
        "--worker-label arch=arm64 --key nightly --scope LATEST --optional"
    )

    first, second = terminal.run("run", *said, "--json"), terminal.run("run", *said)

    run = first.json["run"]
    assert (first.code, first.json["created"], run["total"]) == (0, True, 3)
    assert run["labels"] == [{"key": "by", "value": "ann"}]
    assert run["workerLabels"] == [{"key": "arch", "value": "arm64"}]
    assert [run[name] for name in ("trigger", "priority", "maxAttempts", "timeoutSeconds")] == [
        "NEW",
        -7,
        5,
        60,
    ]
    assert second.out.splitlines()[:2] == [
        "started before, under the same key",
        f"run {run['id']}: RUNNING, 3 builds",
    ]
    assert claim(world) == []


@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--wait"]])
def test_a_conflict_is_explained_and_exits_with_one(
    terminal: Terminal, world: World, options: list[str]
) -> None:
    run = terminal.run("run", "--require", "lib<2", *options)

    assert run.code == 1
    assert run.out.splitlines()[0] == "No versions satisfy your requirement lib <2."
    assert states(world) == {}


def test_waiting_tells_how_a_run_gets_on_until_all_is_built(terminal: Terminal, world: World) -> None:
    with terminal.start("run", "lib", "base", "--wait") as process:
        assert process.stdout
        begun = [process.stdout.readline() for _ in range(2)]
        build_next(world)
        seen = process.stdout.readline()
        build_next(world)
        rest, errors = process.communicate(timeout=60)

    assert begun[0].startswith("run ")
    assert begun[1] == "  1 BLOCKED, 1 QUEUED\n"
    assert seen == "1 SUCCESS, 1 QUEUED\n"
    assert rest == f"{begun[0].replace('RUNNING', 'SUCCESS')}  2 SUCCESS\n"
    assert (process.returncode, errors) == (0, "")


def test_waiting_outlives_the_server_and_a_run_that_fails_exits_with_one(
    terminal: Terminal, world: World
) -> None:
    settings = Settings(str(terminal.folder / "catalogue.db"), port=0)
    with ExitStack() as stack:
        with serving(settings) as address:
            asked = ("run", "base", "lib", "--wait", "--json", "--url", address)
            process = stack.enter_context(terminal.start(*asked))
            wait_until(lambda: states(world) == {"base": "QUEUED", "lib": "BLOCKED"})
        assert process.stderr
        complaint = process.stderr.readline()
        build_next(world, "FAILURE")
        with serving(replace(settings, port=int(address.rpartition(":")[2]))):
            out, _ = process.communicate(timeout=60)

    assert address in complaint
    assert process.returncode == 1
    assert json.loads(out)["run"]["conclusion"] == "FAILURE"


def test_a_run_that_has_ended_when_it_is_started_is_told_once(terminal: Terminal, world: World) -> None:
    del world

    run = terminal.run("run", "odd", "--wait")

    assert run.code == 1
    assert run.out.splitlines()[1:] == ["  1 UNRESOLVABLE"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--dry-run", "--wait"], "--dry-run starts nothing that --wait could wait for"),
        (["nope"], "there is no package nope"),
        (["--label", "x"], "'x' is not a label"),
        (["--require", "app>="], "'>=' is not a constraint"),
    ],
)
def test_wrong_use_exits_with_two(
    terminal: Terminal, world: World, arguments: list[str], problem: str
) -> None:
    del world

    run = terminal.run("run", *arguments)

    assert run.code == 2
    assert problem in run.err


@dataclass
class Scripted:
    """Answers with one state of a run after the other, or as an error says."""

    script: list[object]
    told: list[object] = field(default_factory=list)
    complaints: list[Exception] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def ask(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        del document, variables
        following = self.script.pop(0)
        if isinstance(following, Exception):
            raise following
        return {"run": following}

    def wait(self) -> object:
        return awaited(
            self,
            state(1),
            tell=self.told.append,
            complain=self.complaints.append,
            pause=self.pauses.append,
        )


def state(left: int, *, is_ended: bool = False) -> Mapping[str, object]:
    return {"id": "r", "status": "COMPLETED" if is_ended else "RUNNING", "counts": [left]}


AWAY = Unreachable("http://x", "no answer")


def test_a_server_that_comes_back_is_complained_of_once() -> None:
    busy = Refused("later", "UNAVAILABLE")
    server = Scripted([state(1), AWAY, busy, state(0), AWAY, state(0, is_ended=True)])

    assert server.wait() == state(0, is_ended=True)
    assert server.told == [state(0)]
    assert server.complaints == [AWAY, AWAY]
    assert server.pauses == [1.0] * 6


def test_a_server_that_stays_away_is_given_up() -> None:
    server = Scripted([AWAY] * 1_000)

    with pytest.raises(Unreachable):
        server.wait()

    assert len(server.pauses) == 300
    assert server.complaints == [AWAY]


def test_what_is_refused_for_good_ends_the_waiting() -> None:
    with pytest.raises(Refused):
        Scripted([Refused("no", "BAD_USER_INPUT")]).wait()


def test_a_run_that_is_gone_ends_the_waiting() -> None:
    with pytest.raises(WrongUse, match="there is no run r any more"):
        Scripted([None]).wait()
