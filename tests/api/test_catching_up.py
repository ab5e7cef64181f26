"""Read what one has written, of whatever process it is asked."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from buildatlas.settings import Settings
from tests.api.processes import server_process
from tests.api.serving import publish, serving

PUBLISH = """mutation($version: String!, $needs: [DependencyInput!]!) {
    publishVersion(input: { package: "app", version: $version, dependencies: $needs }) { cursor } }"""
ASK = """query($lib: String!) {
    package(name: "app") { latestVersion { version dependencies { packageName } } }
    lib: package(name: $lib) { dependents { nodes { name } } }
    resolve(input: { requirements: [{ package: "app" }] }) { ... on Resolution { pins { package version } } } }"""
FIND = '{ package(name: "a") { name } }'


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[str, str]]:
    """The addresses of two server processes on one database."""
    with server_process(database_url) as first, server_process(database_url) as second:
        yield first.address, second.address


@pytest.mark.parametrize("times", [100, pytest.param(1_000, marks=pytest.mark.long)])
def test_what_was_written_by_one_process_is_never_missing_from_another(
    pair: tuple[str, str], times: int
) -> None:
    stale: list[Any] = []
    libraries = ("x", "y", "z")
    with httpx.Client(timeout=30) as client:
        for library in libraries:
            publish(pair[0], library, "1")
        for number in range(times):
            here, there = pair if number % 2 else reversed(pair)
            library = libraries[number % 3]
            wrote = _ask(client, here, PUBLISH, version=str(number), needs=[{"package": library}])
            cursor = wrote["publishVersion"]["cursor"]

            found = _ask(client, there, ASK, after=cursor, lib=library)

            if found != _expected(str(number), library):
                stale.append((number, found))

    assert stale == []


def _ask(client: httpx.Client, address: str, query: str, after: str | None = None, **variables: Any) -> Any:
    headers = {} if after is None else {"Buildatlas-After": after}
    body = {"query": query, "variables": variables}
    answer = client.post(f"{address}/graphql", json=body, headers=headers).json()
    assert "errors" not in answer, answer
    return answer["data"]


def _expected(version: str, library: str) -> Any:
    return {
        "package": {"latestVersion": {"version": version, "dependencies": [{"packageName": library}]}},
        "lib": {"dependents": {"nodes": [{"name": "app"}]}},
        "resolve": {"pins": [{"package": "app", "version": version}, {"package": library, "version": "1"}]},
    }


@pytest.fixture
def hasty(settings: Settings) -> Iterator[str]:
    """A server that does not wait long."""
    object.__setattr__(settings, "catch_up_seconds", 1)
    with serving(settings) as running:
        yield running


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_position_that_is_not_reached_in_time_is_unavailable(hasty: str, method: str) -> None:
    publish(hasty, "a", "1")
    asked: dict[str, Any] = {"params" if method == "GET" else "json": {"query": FIND}}
    started = time.monotonic()

    answer = httpx.request(method, f"{hasty}/graphql", headers={"Buildatlas-After": "7"}, **asked)

    assert 1 <= time.monotonic() - started < 5
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE"}
    assert error["message"] == (
        "position 7 has not been reached within 1 s: the newest event is 2. Try again, or see whether the position is "
        "from another database"
    )


def test_a_position_that_is_reached_meanwhile_is_waited_for(settings: Settings) -> None:
    with serving(settings) as address, ThreadPoolExecutor() as pool:
        publish(address, "b", "1")
        asked = pool.submit(
            httpx.post, f"{address}/graphql", json={"query": FIND}, headers={"Buildatlas-After": "4"}
        )
        time.sleep(0.1)  # So that it waits; were it late, it would find what it asks for at once.
        publish(address, "a", "1")

    assert asked.result().json()["data"] == {"package": {"name": "a"}}


@pytest.mark.parametrize("position", ["soon", "-1", "1.0", "1" * 30, ""])
def test_what_is_no_position_is_a_bad_request(hasty: str, position: str) -> None:
    answer = httpx.post(f"{hasty}/graphql", json={"query": FIND}, headers={"Buildatlas-After": position})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["message"].startswith("`Buildatlas-After` is not a cursor of the event log")
    assert error["extensions"] == {"code": "BAD_USER_INPUT"}


@pytest.mark.parametrize("position", ["0", "2"])
def test_a_position_that_has_been_reached_is_answered_at_once(hasty: str, position: str) -> None:
    publish(hasty, "a", "1")

    answer = httpx.post(f"{hasty}/graphql", json={"query": FIND}, headers={"Buildatlas-After": position})

    assert answer.json()["data"] == {"package": {"name": "a"}}
