"""The command `watch`, of a real server."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from resolvers.subscriptions import EventSelection, Trimmed, read_events
from storage.database import Database
from storage.tables import EventKind
from tests.api.processes import server_process
from tests.api.serving import publish
from tests.buildatlas.terminal import Terminal
from tests.schema.building import START, build_next
from tests.schema.world import World

WHOLE_RUN = {"plan": {"packages": ["a", "b", "c"]}}


def ask(address: str, document: str, **variables: object) -> Any:
    answer = httpx.post(f"{address}/graphql", json={"query": document, "variables": variables}, timeout=60)
    return answer.json()["data"]


def start(address: str) -> str:
    """Start a run of three builds, and return its id."""
    for package in ("a", "b", "c"):
        publish(address, package, "1.0")
    return str(ask(address, START, input=WHOLE_RUN)["startRun"]["run"]["id"])


@contextmanager
def watching(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Give a running watch, and the first line that it has printed."""
    with Terminal(folder).start("watch", *options) as process:
        try:
            assert process.stdout is not None
            yield process, [process.stdout.readline()]
        finally:
            process.kill()


def finish(folder: Path, address: str, command: str = "exit 0", *options: str) -> None:
    """Have a worker build whatever there is to build."""
    worker = ["worker", "--url", address, "--until-idle", *options, "--", "sh", "-c", command]
    assert Terminal(folder).run(*worker).code == 0


def build_changes(database_url: str, after: int) -> list[int]:
    """Return the positions of all changes of builds after one."""
    changes = EventSelection(kinds=frozenset({EventKind.BUILD_CHANGED}))
    with closing(Database.open(database_url)) as database:
        found = read_events(database, after, selection=changes)
    assert not isinstance(found, Trimmed)
    return [event.seq for event in found.events]


def test_a_watch_ends_with_its_run(database_url: str, tmp_path: Path) -> None:
    with server_process(database_url) as server:
        run = start(server.address)
        with watching(tmp_path, "--url", server.address, "--run", run) as (process, lines):
            finish(tmp_path, server.address, "[ $BUILDATLAS_PACKAGE = b ] && exit 1; exit 0")
            out, err = process.communicate(timeout=60)

    lines += out.splitlines()
    assert lines[0][9:] == "3 QUEUED\n"
    assert [line[9:14] for line in lines if " FAILURE on " in line] == ["b 1.0"]
    assert sum(" SUCCESS on " in line for line in lines) == 2
    assert lines[-2:] == [f"run {run}: FAILURE, 3 builds", "  2 SUCCESS, 1 FAILURE"]
    assert (process.returncode, err) == (1, "")


def test_a_watch_goes_on_over_a_restart_of_the_server_and_misses_nothing(
    database_url: str, tmp_path: Path
) -> None:
    with server_process(database_url) as server:
        address, run = server.address, start(server.address)
        with watching(tmp_path, "--url", address, "--run", run, "--json") as (process, lines):
            assert process.stderr is not None
            server.stop()
            lost = process.stderr.readline()
            with closing(Database.open(database_url)) as database:
                build_next(World(database))  # While there is nobody to tell of it.
            with server_process(database_url, "--port", str(urlsplit(address).port)):
                found = process.stderr.readline()
                finish(tmp_path, address)
                out, err = process.communicate(timeout=60)

    begun, *events, ended = map(json.loads, [*lines, *out.splitlines()])
    assert lost.endswith("; trying again\n")
    assert (found, err, process.returncode) == ("connected again\n", "", 0)
    assert [each["cursor"] for each in events] == [
        str(seq) for seq in build_changes(database_url, int(begun["cursor"]))
    ]
    assert (ended["__typename"], ended["conclusion"], ended["total"]) == ("BuildRun", "SUCCESS", 3)


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    ended = Terminal(tmp_path).run("watch", "--url", "http://127.0.0.1:1")

    assert ended.code == 3
    assert "no connection" in ended.err
