"""A worker and a server as processes of their own: builds end as their commands do, whatever happens to either."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.processes import is_running, server_process, wait_until
from tests.api.serving import publish

_STOP_SECONDS = 60

START = """mutation Start($input: StartRunInput!) { startRun(input: $input) { run { id } } }"""
BUILDS = """{ builds { nodes { id status conclusion message attempt outputDigest
    packageVersion { package { name } }
    artifacts { name uri digest sizeBytes }
    log(first: 100) { nodes { attempt text } } } } }"""
CANCEL = "mutation Cancel($input: CancelBuildInput!) { cancelBuild(input: $input) { build { status } } }"

# It says where it runs, so that what is killed is known to have begun, and to have ended.
SLEEP = 'echo "$$" > {folder}/$BUILDATLAS_PACKAGE-$BUILDATLAS_ATTEMPT; exec sleep 600'


def ask(address: str, query: str, **variables: object) -> Mapping[str, Any]:
    answer = httpx.post(
        f"{address}/graphql", json={"query": query, "variables": variables}, timeout=60
    ).json()
    assert "errors" not in answer, answer
    data: Mapping[str, Any] = answer["data"]
    return data


def start(address: str, *packages: str, **fields: object) -> None:
    """Publish packages, and start a run of them."""
    for package in packages:
        publish(address, package, "1.0")
    ask(address, START, input={"plan": {"packages": list(packages)}, **fields})


def builds(address: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the build of each package."""
    nodes = ask(address, BUILDS)["builds"]["nodes"]
    return {each["packageVersion"]["package"]["name"]: each for each in nodes}


def build(address: str, package: str) -> Mapping[str, Any]:
    return builds(address)[package]


def end(shown: Mapping[str, Any]) -> tuple[str | None, str | None, int]:
    """Return how a build has ended, why, and in which attempt."""
    return shown["conclusion"], shown["message"], shown["attempt"]


@contextmanager
def worker(address: str, folder: Path, script: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Work for a server as long as the block runs. What it says is in a file of the folder."""
    command = [
        *(sys.executable, "-m", "buildatlas.cli", "worker", "--url", address, "--poll", "0.1"),
        *(*options, "--", "sh", "-c", script),
    ]
    with (folder / "worker.log").open("ab") as said, subprocess.Popen(command, stderr=said) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.terminate()


def work(address: str, folder: Path, script: str, *options: str) -> None:
    """Work until nothing is left to do."""
    with worker(address, folder, script, "--until-idle", *options) as process:
        assert process.wait(_STOP_SECONDS) == 0, (folder / "worker.log").read_text()


@contextmanager
def served(database: str, *options: str) -> Iterator[str]:
    """Give where a server answers that does not wait between attempts and looks for lost builds often."""
    environment = {"BUILDATLAS_BACKOFF_SECONDS": "0", "BUILDATLAS_RECOVERY_SECONDS": "1"}
    with server_process(database, *options, **environment) as running:
        yield running.address


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(str(tmp_path_factory.mktemp("server") / "atlas.db")) as running:
        yield running


@pytest.fixture
def address(server: str) -> Iterator[str]:
    """Where a server answers that has nothing to do yet."""
    yield server
    for each in builds(server).values():
        if each["status"] != "COMPLETED":
            ask(server, CANCEL, input={"id": each["id"]})
    wait_until(lambda: all(each["status"] == "COMPLETED" for each in builds(server).values()))


def process_of(folder: Path, build: str) -> int:
    """Wait until a command that sleeps has begun, and return its process."""
    place = folder / build
    wait_until(lambda: place.exists() and place.read_text().endswith("\n"))
    return int(place.read_text())


RESULT: Mapping[str, object] = {
    "outputDigest": "sha256:0123",
    "message": "built in one go",
    "artifacts": [{"name": "app.tar", "uri": "s3://bucket/app.tar", "digest": "sha256:4567", "sizeBytes": 7}],
}


def test_a_build_that_succeeds_shows_its_log_and_what_it_produced(address: str, tmp_path: Path) -> None:
    start(address, "app")

    work(
        address,
        tmp_path,
        f"""
        echo "builds $BUILDATLAS_PACKAGE $BUILDATLAS_VERSION, attempt $BUILDATLAS_ATTEMPT of $BUILDATLAS_MAX_ATTEMPTS"
        printf 'a\\000b\\r\\n\\377 done' >&2
        echo '{json.dumps(RESULT)}' > "$BUILDATLAS_RESULT"
        """,
    )

    shown = build(address, "app")
    assert end(shown) == ("SUCCESS", "built in one go", 1)
    assert shown["outputDigest"] == "sha256:0123"
    assert shown["artifacts"] == RESULT["artifacts"]
    assert [line["text"] for line in shown["log"]["nodes"]] == [
        "builds app 1.0, attempt 1 of 3",
        "a\ufffdb",
        "\ufffd done",
    ]


def test_a_build_that_fails_shows_the_last_that_it_said(address: str, tmp_path: Path) -> None:
    start(address, "broken")

    work(address, tmp_path, "echo compiling; echo 'does not compile' >&2; exit 2")

    assert end(build(address, "broken")) == ("FAILURE", "exit code 2: does not compile", 1)


def test_a_build_that_meets_an_error_not_its_own_is_tried_again(address: str, tmp_path: Path) -> None:
    start(address, "unlucky")

    work(address, tmp_path, "echo hello; test $BUILDATLAS_ATTEMPT = 3 || exit 75")

    shown = build(address, "unlucky")
    assert end(shown)[::2] == ("SUCCESS", 3)
    assert [(line["attempt"], line["text"]) for line in shown["log"]["nodes"]] == [
        (attempt, "hello") for attempt in (1, 2, 3)
    ]


def test_a_result_that_cannot_be_taken_in_fails_the_build(address: str, tmp_path: Path) -> None:
    results = {
        "nonsense": "nonsense",
        "nameless": '{"artifacts": [{"name": "", "uri": "u"}]}',
        "long": json.dumps({"message": "x" * 20_000}),
    }
    for package, result in results.items():
        (tmp_path / package).write_text(result)
    start(address, *results)

    work(address, tmp_path, f"cp {tmp_path}/$BUILDATLAS_PACKAGE $BUILDATLAS_RESULT")

    for package in results:
        conclusion, message, attempt = end(build(address, package))
        assert (conclusion, attempt) == ("FAILURE", 1)
        assert message is not None
        assert "result file" in message


def test_several_builds_run_at_once(address: str, tmp_path: Path) -> None:
    names = [f"p{number}" for number in range(12)]
    start(address, *names)

    work(address, tmp_path, "exit 0", "--concurrency", "4")

    assert {name: build(address, name)["conclusion"] for name in names} == dict.fromkeys(names, "SUCCESS")


def test_a_running_build_that_is_called_off_ends_soon(address: str, tmp_path: Path) -> None:
    start(address, "unwanted")
    with worker(address, tmp_path, SLEEP.format(folder=tmp_path), "--lease", "2"):
        command = process_of(tmp_path, "unwanted-1")

        ask(address, CANCEL, input={"id": build(address, "unwanted")["id"]})

        wait_until(lambda: build(address, "unwanted")["status"] == "COMPLETED")
    assert end(build(address, "unwanted")) == ("CANCELED", None, 1)
    assert not is_running(command)


def test_a_worker_that_is_told_to_stop_gives_its_build_back(address: str, tmp_path: Path) -> None:
    start(address, "returned")
    with worker(address, tmp_path, SLEEP.format(folder=tmp_path), "--grace", "0.1") as first:
        command = process_of(tmp_path, "returned-1")

        first.send_signal(signal.SIGTERM)

        assert first.wait(_STOP_SECONDS) == 0
    assert not is_running(command)
    assert build(address, "returned")["status"] == "QUEUED"

    work(address, tmp_path, "exit 0")
    assert end(build(address, "returned"))[::2] == ("SUCCESS", 2)


def test_a_worker_that_is_told_to_stop_lets_its_build_end(address: str, tmp_path: Path) -> None:
    start(address, "one", "other")
    go, begun = tmp_path / "go", tmp_path / "begun"
    script = f"touch {begun}; while ! test -e {go}; do sleep 0.05; done"
    with worker(address, tmp_path, script) as process:
        wait_until(begun.exists)

        process.send_signal(signal.SIGTERM)
        go.touch()

        assert process.wait(_STOP_SECONDS) == 0
    assert {build(address, name)["conclusion"] for name in ("one", "other")} == {None, "SUCCESS"}


def test_what_a_killed_worker_held_is_finished_by_another(address: str, tmp_path: Path) -> None:
    start(address, "orphan")
    with worker(address, tmp_path, SLEEP.format(folder=tmp_path), "--lease", "2") as first:
        command = process_of(tmp_path, "orphan-1")
        first.kill()
        first.wait()

    work(address, tmp_path, "exit 0")

    assert end(build(address, "orphan"))[::2] == ("SUCCESS", 2)
    wait_until(lambda: not is_running(command))


def test_a_command_goes_on_while_the_server_is_started_anew(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    go, begun = tmp_path / "go", tmp_path / "begun"
    script = f"echo begun; touch {begun}; while ! test -e {go}; do sleep 0.05; done; echo ended"
    database = str(tmp_path / "atlas.db")
    with server_process(database, "--port", port) as first:
        address = first.address
        start(address, "steady")
        with worker(address, tmp_path, script, "--until-idle") as process:
            wait_until(begun.exists)
            first.stop(signal.SIGKILL)
            go.touch()
            wait_until(lambda: "no answer" in (tmp_path / "worker.log").read_text())
            with served(database, "--port", port) as again:
                assert process.wait(_STOP_SECONDS) == 0
                shown = build(again, "steady")

    assert end(shown) == ("SUCCESS", None, 1)
    assert [line["text"] for line in shown["log"]["nodes"]] == ["begun", "ended"]


def test_a_worker_that_is_not_wanted_says_why(address: str, tmp_path: Path) -> None:
    with worker(address, tmp_path, "exit 0", "--label", f"{'k' * 1_000}=v") as process:
        assert process.wait(_STOP_SECONDS) == 2

    assert "error: labels" in (tmp_path / "worker.log").read_text()
