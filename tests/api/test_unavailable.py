"""A database server that goes away and comes back while we serve."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from buildatlas.settings import Settings
from storage.database import Database
from tests.api.processes import ServerProcess, server_process, wait_until
from tests.api.serving import PUBLISH, connected, publish, serving
from tests.postgres import Postgres

FIND = '{ package(name: "a") { name } }'
REACH = '{ path(from: "a", to: "a") { length } }'
SOLVE = '{ resolve(input: { requirements: [{ package: "a" }] }) { ... on Resolution { fingerprint } } }'
EVENTS = "subscription($after: String) { events(after: $after) { ... on Event { cursor version } } }"


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that the test has to itself, and that forgets nothing when it crashes."""
    server = Postgres(durable=True)
    yield server
    server.remove()


@pytest.fixture
def address(postgres: Postgres) -> Iterator[str]:
    with serving(Settings(postgres.url, port=0)) as running:
        yield running


def ask(address: str, query: str, **variables: Any) -> Any:
    body = {"query": query, "variables": variables}
    answer = httpx.post(f"{address}/graphql", json=body, timeout=15)
    assert answer.status_code == 200
    return answer.json()


def refusal(address: str, query: str, **variables: Any) -> tuple[str, str]:
    (error,) = ask(address, query, **variables)["errors"]
    return error["extensions"]["code"], error["message"]


def is_ready(address: str) -> bool:
    return httpx.get(f"{address}/readyz", timeout=15).status_code == 200


def test_while_the_database_is_away_everything_says_so_and_goes_on_once_it_is_back(
    address: str, postgres: Postgres
) -> None:
    publish(address, "a", "1")
    before = [ask(address, query) for query in (FIND, REACH, SOLVE)]

    postgres.stop(signal.SIGQUIT)
    refusals = [refusal(address, query) for query in (FIND, REACH, SOLVE)]
    refusals.append(refusal(address, PUBLISH, input={"package": "a", "version": "2"}))
    ready = httpx.get(f"{address}/readyz", timeout=15)
    alive = httpx.get(f"{address}/healthz")
    headed = httpx.post(
        f"{address}/graphql", json={"query": FIND}, headers={"Buildatlas-After": "999"}, timeout=15
    )
    postgres.start()
    wait_until(lambda: is_ready(address))

    assert set(refusals) == {("UNAVAILABLE", "the database cannot be reached: try again later")}
    assert (ready.status_code, ready.json()["ready"]) == (503, False)
    assert "cannot be reached" in ready.json()["reason"]
    assert alive.status_code == 200
    assert (headed.status_code, headed.headers["retry-after"]) == (503, "1")
    assert headed.json()["errors"][0]["extensions"] == {"code": "UNAVAILABLE"}
    assert [ask(address, query) for query in (FIND, REACH, SOLVE)] == before
    assert int(publish(address, "a", "2")) == 3


def test_a_subscriber_misses_nothing_if_it_begins_again_where_it_was_told_to_end(
    address: str, postgres: Postgres
) -> None:
    with connected(address) as socket:
        socket.subscribe(EVENTS, after="0")
        publish(address, "a", "1")
        seen = [socket.data()["events"] for _ in range(2)]
        postgres.stop(signal.SIGQUIT)
        assert not is_ready(address)
        postgres.start()
        wait_until(lambda: is_ready(address))
        publish(address, "a", "2")
        message = socket.receive()
        # One that has just looked into the log is told that it cannot; one that waits goes on waiting.
        if message["type"] == "error":
            assert message["payload"][0]["extensions"] == {"code": "UNAVAILABLE"}
            socket.subscribe(EVENTS, id="2", after=seen[-1]["cursor"])
            message = socket.receive()
        seen.append(message["payload"]["data"]["events"])

    assert [each["version"] for each in seen] == [None, "1", "2"]


def test_a_subscription_begun_while_the_database_is_away_ends_with_an_error_and_can_be_begun_again(
    address: str, postgres: Postgres
) -> None:
    publish(address, "a", "1")
    with connected(address) as socket:
        postgres.stop(signal.SIGQUIT)
        socket.subscribe(EVENTS, after="1")
        failed = socket.receive()
        postgres.start()
        wait_until(lambda: is_ready(address))
        socket.subscribe(EVENTS, id="2", after="1")

        assert (failed["type"], failed["id"]) == ("error", "1")
        assert failed["payload"][0]["extensions"] == {"code": "UNAVAILABLE"}
        assert socket.data()["events"]["version"] == "1"


def test_a_server_is_not_started_without_its_database(postgres: Postgres) -> None:
    url = postgres.url
    postgres.stop()

    command = [sys.executable, "-m", "buildatlas.cli", "serve", "--port", "0", "--database", url]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 3
    assert ended.stderr.startswith("error: the database postgresql://postgres@/postgres")
    assert "cannot be reached" in ended.stderr
    assert "Traceback" not in ended.stderr


def ends(server: ServerProcess) -> list[datetime]:
    """Return when a worker has ended because it could not start."""
    lines = [json.loads(line) for line in server.said if "has ended with 3" in line]
    return [datetime.fromisoformat(line["at"]) for line in lines]


def test_a_worker_that_cannot_be_replaced_is_tried_again_ever_more_seldom(postgres: Postgres) -> None:
    Database.open(postgres.url).close()
    with server_process(postgres.url, "--workers", "2") as server:
        wait_until(lambda: len(server.workers()) == 2)
        first, second = server.workers()
        postgres.stop(signal.SIGQUIT)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(ends(server)) == 3)
        assert server.workers() == {second}
        assert httpx.get(f"{server.address}/healthz").status_code == 200
        postgres.start()
        wait_until(lambda: len(server.workers()) == 2)

    one, two, three = ends(server)
    assert (two - one).total_seconds() > 1
    assert (three - two).total_seconds() > 2
