"""The command `worker`: its options, what it says, and what it refuses."""

import io
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from buildatlas import cli, client, working
from buildatlas.client import Refused, Unreachable
from tests.buildatlas.worker.clusters import machine, scheduler
from tests.buildatlas.worker.fakes import AWAY, FakeServer, Input, raises

URL = "http://127.0.0.1:8000"


@pytest.fixture
def connections() -> list[tuple[str, float]]:
    """The addresses that were connected to, and with how much patience."""
    return []


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, connections: list[tuple[str, float]]) -> FakeServer:
    """What the worker connects to, whatever the address is."""
    server = FakeServer(["app"])

    @contextmanager
    def connect(url: str, *, patience: float) -> Iterator[FakeServer]:
        connections.append((url, patience))
        yield server

    monkeypatch.setattr(client, "connect", connect)
    return server


def work(*arguments: str) -> Result:
    """Work until all is done."""
    options = ["worker", "--url", URL, "--until-idle", "--poll", "0.05"]
    return CliRunner().invoke(cli.app, [*options, *arguments])


def claimed_by(server: FakeServer) -> Input:
    return server.told("Claim")[0]


def test_a_worker_builds_what_is_queued_and_says_so(server: FakeServer) -> None:
    result = work("--name", "w1", "--", "sh", "-c", "echo $BUILDATLAS_PACKAGE $BUILDATLAS_URL")

    assert (result.exit_code, server.ends()) == (0, {"app": "SUCCESS"})
    assert server.lines("app") == [f"app {URL}"]
    first, second = result.stderr.splitlines()
    assert first == f"worker w1 builds for {URL}"
    assert second.startswith("SUCCESS      app 1.0  ")


@pytest.mark.parametrize(
    ("script", "word"), [("exit 77", "SKIPPED"), ("exit 1", "FAILURE"), ("exit 75", "INFRA_ERROR")]
)
def test_each_end_has_its_line(server: FakeServer, script: str, word: str) -> None:
    assert f"\n{word:12} app 1.0  " in work("--", "sh", "-c", script).stderr


def test_a_build_that_is_lost_has_its_line(server: FakeServer) -> None:
    def lose(operation: str, _given: Input) -> None:
        if operation == "Report":
            server.held.clear()
            raise Refused("lost", "LEASE_LOST")

    server.before = lose

    assert "\nLOST         app 1.0" in work("true").stderr


def test_a_quiet_worker_says_nothing_of_builds(server: FakeServer) -> None:
    result = work("--quiet", "true")

    assert server.ends() == {"app": "SUCCESS"}
    assert len(result.stderr.splitlines()) == 1


def test_a_server_that_is_away_is_told(server: FakeServer) -> None:
    server.before = raises(Unreachable(URL, "no answer [refused]"), "Claim", times=1)

    result = work("true")

    assert f"{URL}: no answer [refused]" in result.stderr
    assert server.ends() == {"app": "SUCCESS"}


def test_options_reach_the_server(server: FakeServer) -> None:
    options = ["--concurrency", "3", "--lease", "90", "--label", "arch=arm64", "--label", "os=linux"]

    work(*options, "true")

    given = claimed_by(server)
    assert (given["limit"], given["leaseSeconds"]) == (3, 90)
    assert given["labels"] == [{"key": "arch", "value": "arm64"}, {"key": "os", "value": "linux"}]


def test_each_worker_has_a_name_of_its_own(server: FakeServer) -> None:
    work("true")
    first = claimed_by(server)["worker"]
    server.calls.clear()
    work("true")

    assert claimed_by(server)["worker"] != first


@pytest.mark.parametrize(("lease", "patience"), [("1", 5.0), ("60", 20.0), ("86400", 30.0)])
@pytest.mark.usefixtures("server")
def test_an_answer_is_waited_for_no_longer_than_the_lease_allows(
    connections: list[tuple[str, float]], lease: str, patience: float
) -> None:
    work("--lease", lease, "true")

    assert connections == [(URL, patience)]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--executor", "slurm", "true"], "--executor slurm: it is local or dask"),
        (["--executor", "dask", "true"], "needs the address of the cluster's scheduler: --scheduler ADDRESS"),
        (["--label", "arm64", "true"], "'arm64' is not a label: write KEY=VALUE"),
        (["no-such-command"], "no-such-command: there is no such command"),
    ],
)
def test_what_makes_no_sense_is_refused(server: FakeServer, arguments: list[str], problem: str) -> None:
    assert problem in str(work(*arguments).exception)
    assert server.calls == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--lease", "0", "true"],
        ["--lease", "86401", "true"],
        ["--concurrency", "0", "true"],
        ["--concurrency", "1001", "true"],
        ["--poll", "0", "true"],
        ["--grace", "-1", "true"],
        ["--kill-after", "-1", "true"],
    ],
)
def test_what_is_out_of_range_is_refused(server: FakeServer, arguments: list[str]) -> None:
    assert work(*arguments).exit_code == 2
    assert server.calls == []


def test_dask_must_be_installed_for_its_clusters(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "buildatlas.worker.cluster", raising=False)
    monkeypatch.delattr("buildatlas.worker.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)

    result = work("--executor", "dask", "--scheduler", "tcp://127.0.0.1:1", "true")

    assert str(result.exception) == (
        "--executor dask needs distributed, which is not installed: install buildatlas[dask]"
    )


def test_commands_run_on_a_dask_cluster(server: FakeServer) -> None:
    with scheduler() as running, machine(running.address):
        result = work("--executor", "dask", "--scheduler", running.address, "--", "echo", "there")

    assert (result.exit_code, server.ends()) == (0, {"app": "SUCCESS"})
    assert server.lines("app") == ["there"]


def test_what_runs_on_a_cluster_need_not_be_here(server: FakeServer) -> None:
    with scheduler() as running, machine(running.address):
        work("--executor", "dask", "--scheduler", running.address, "no-such-command")

    (_, last) = server.told("Report")
    assert last["message"] == "no-such-command: there is no such command"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_worker_in_good_order(server: FakeServer, number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def tell(operation: str, _given: Mapping[str, Any]) -> None:
        if operation == "Left":
            signal.raise_signal(number)

    server.builds, server.held, server.before = [], {"of another"}, tell

    result = work("true")

    assert result.exit_code == 0
    assert len(server.told("Left")) == 1
    assert signal.getsignal(number) is before


class Deaf(io.StringIO):
    """An output that nobody reads any more."""

    def write(self, _text: str) -> int:
        raise self.error

    error: Exception = OSError("gone")


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), BrokenPipeError(32, "Broken pipe")])
def test_a_worker_goes_on_though_nobody_reads_what_it_says(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    server.before = raises(AWAY, "Claim", times=2)

    def deaf(**_options: object) -> Console:
        output = Deaf()
        output.error = error
        return Console(file=output)

    monkeypatch.setattr(working, "Console", deaf)

    assert work("true").exit_code == 0
    assert server.ends() == {"app": "SUCCESS"}
