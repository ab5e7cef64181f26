"""Looking at runs and builds, canceling them and trying again, as users of the command line do it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from buildatlas import build_documents, local
from tests.buildatlas.terminal import Terminal
from tests.schema.building import LOG, build_next, claim, held, ids, report, start
from tests.schema.world import World


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def world(terminal: Terminal) -> Iterator[World]:
    """The terminal's database, with `app` that needs `lib` that needs `base`."""
    there = World.at(str(terminal.folder / "catalogue.db"))
    with closing(there.database):
        there.publish("base", "1.0")
        there.publish("lib", "2.0", "base >=1")
        there.publish("app", "1.0", "lib >=2")
        yield there


def test_runs_are_listed_with_how_their_builds_stand(terminal: Terminal, world: World) -> None:
    none = terminal.run("runs")
    first = start(world, "base", "lib", "app", labels=[{"key": "by", "value": "ann"}])["id"]
    build_next(world)
    newest = start(world, "base")["id"]

    run, page = terminal.run("runs"), terminal.run("runs", "--first", "1", "--json")

    assert (none.code, none.out) == (0, "no runs\n")
    lines = [line.split() for line in run.out.splitlines()]
    assert lines[1][:2] == [newest, "RUNNING"]
    assert lines[2][:2] == [first, "RUNNING"]
    assert run.out.splitlines()[2].endswith("      3  1 SUCCESS, 1 BLOCKED, 1 QUEUED  by=ann")
    assert run.out.splitlines()[3] == "2 runs"
    assert (page.json["totalCount"], [each["id"] for each in page.json["nodes"]]) == (2, [newest])


def test_builds_are_listed_with_why_each_is_not_running(terminal: Terminal, world: World) -> None:
    none = terminal.run("builds")
    run = start(world, "base", "lib", "app")["id"]
    build_next(world, "FAILURE", message="no\ncompiler")
    of = ids(world)

    failed = terminal.run("builds", "--run", run, "--why", "--conclusion", "DEP_FAILED", "--first", "1")
    base = terminal.run("builds", "--package", "base", "--worker", "w", "--status", "COMPLETED", "--json")

    assert (none.code, none.out) == (0, "no builds\n")
    head, line, why, total = failed.out.splitlines()
    assert head.split() == ["id", "package", "version", "state", "attempt", "worker", "time", "message"]
    assert line.startswith(f"{of['app']}  app      1.0      DEP_FAILED      0/3")
    assert why == "    DEP_FAILED base 1.0 ended as FAILURE: no compiler  app → lib → base"
    assert total == "2 builds, 1 of them not listed: --first tells how many are"
    assert [each["id"] for each in base.json["nodes"]] == [of["base"]]
    assert "blockedBy" not in base.json["nodes"][0]


def test_one_build_is_shown_with_its_attempts_and_its_history(terminal: Terminal, world: World) -> None:
    start(world, "base")
    build_next(world, artifacts=[{"name": "base.whl", "uri": "s3://base", "sizeBytes": 1000}])
    (build,) = ids(world).values()

    run, whole = terminal.run("builds", build), terminal.run("builds", build, "--json")

    assert run.out.startswith(f"base 1.0  SUCCESS\n  build           {build}\n")
    assert "\nartifacts\nname       size  uri        digest\nbase.whl  1,000  s3://base\n" in run.out
    assert "\nhistory\n" in run.out
    assert [each["conclusion"] for each in whole.json["attempts"]] == ["SUCCESS"]
    assert [each["to"] for each in whole.json["transitions"]["nodes"]][-1] == "COMPLETED"


def test_a_log_is_printed_whole_and_as_it_is(terminal: Terminal, world: World) -> None:
    start(world, "base")
    (claimed,) = claim(world)
    lines = [f"line {number}" for number in range(2_500)]
    lines[0] = "[b]\x1b[31mred"
    world.ask(LOG, input={**held(claimed), "firstLine": 0, "lines": lines})
    build = claimed["build"]["id"]

    run, data = terminal.run("builds", build, "--log"), terminal.run("builds", build, "--log", "--json")

    assert run.out.splitlines() == lines
    assert [each["text"] for each in data.json] == lines
    assert data.json[0]["attempt"] == 1


def test_a_run_and_a_build_are_canceled_with_a_reason(terminal: Terminal, world: World) -> None:
    first = start(world, "base", "lib")["id"]
    (claimed,) = claim(world)
    report(world, claimed, "RUNNING")
    of = ids(world)

    build = terminal.run("cancel", of["lib"], "--reason", "not needed")
    run = terminal.run("cancel", first, "--reason", "no more", "--json")

    assert (build.code, build.out) == (0, f"build {of['lib']}, lib 2.0: CANCELED: not needed\n")
    assert (run.code, run.json["status"], run.json["reason"]) == (0, "CANCELING", "no more")
    assert terminal.run("runs").out.splitlines()[1].split()[:2] == [first, "CANCELING"]


def test_history_tells_who_canceled_a_build_of_this_machine(
    terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(world, "base")
    (build,) = ids(world).values()
    monkeypatch.setenv("LOGNAME", "ann")

    terminal.run("cancel", build)

    history = terminal.run("builds", build, "--json").json["transitions"]["nodes"]
    assert [each["actor"] for each in history] == [None, "ann"]


def test_history_tells_nobody_where_the_system_knows_no_name(
    terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(world, "base")["id"]

    def unknown() -> str:
        raise KeyError("uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", unknown)
    with local.connect(str(terminal.folder / "catalogue.db"), version="0") as client:
        client.ask(build_documents.CANCEL_RUN, {"input": {"id": run}})
        (build,) = ids(world).values()
        history = client.ask(build_documents.BUILD, {"id": build})["build"]["transitions"]["nodes"]

    assert [(each["conclusion"], each["actor"]) for each in history] == [(None, None), ("CANCELED", None)]


def test_a_build_that_failed_is_tried_again_with_what_waits_for_it(terminal: Terminal, world: World) -> None:
    start(world, "base", "lib")
    build_next(world, "FAILURE", message="no compiler")
    base = ids(world)["base"]

    run = terminal.run("retry", base)
    again = terminal.run("retry", base)

    assert (run.code, run.out) == (0, f"build {base}, base 1.0: QUEUED\n")
    assert again.code == 2
    assert "cannot" in again.err


def test_blockers_are_what_to_fix_first(terminal: Terminal, world: World) -> None:
    none = terminal.run("blockers")
    run = start(world, "base", "lib", "app")["id"]
    build_next(world, "FAILURE", message="no compiler")

    found, data = terminal.run("blockers", "--run", run, "--first", "1"), terminal.run("blockers", "--json")

    assert (none.code, none.out) == (0, "nothing to fix\n")
    assert found.code == 0
    assert found.out.splitlines()[1].split() == [
        *("DEP_FAILED", "base", ids(world)["base"], "2", "3.0", "s"),
        *("base", "1.0", "ended", "as", "FAILURE:", "no", "compiler"),
    ]
    assert [each["blockedBuilds"] for each in data.json] == [2]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["builds", "QnVpbGQ6OTk"], "there is no build QnVpbGQ6OTk"),
        (["builds", "QnVpbGQ6OTk", "--log"], "there is no build QnVpbGQ6OTk"),
        (["builds", "QnVpbGQ6OTk", "--package", "app"], "one build is shown whatever it is"),
        (["builds", "--log"], "name its ID"),
        (["cancel", "QnVpbGQ6OTk"], "there is no run or build QnVpbGQ6OTk"),
        (["cancel", "nonsense"], "not an id"),
        (["retry", "QnVpbGRSdW46MQ"], "has to be that of a Build"),
    ],
)
def test_wrong_use_exits_with_two_and_says_what_is_wrong(
    terminal: Terminal, world: World, arguments: list[str], problem: str
) -> None:
    del world

    run = terminal.run(*arguments)

    assert run.code == 2
    assert problem in run.err
