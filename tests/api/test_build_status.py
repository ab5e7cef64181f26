"""Builds, watched over a WebSocket while clients and workers bring them on over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

from buildatlas.settings import Settings
from tests.api.serving import Socket, connected, publish, serving

STATUS: Final = """subscription Status($filter: BuildFilter, $after: String) {
    buildStatus(filter: $filter, after: $after) { __typename
        ... on BuildSnapshot { cursor complete builds { status packageVersion { package { name } } } }
        ... on Event { cursor package transition { from to } build { status conclusion } run { status } } } }"""
START: Final = "mutation($input: StartRunInput!) { startRun(input: $input) { cursor run { id } } }"
CLAIM: Final = (
    "mutation($input: ClaimBuildsInput!) { claimBuilds(input: $input) { claims { lease build { id } } } }"
)
REPORT: Final = "mutation($input: ReportBuildInput!) { reportBuild(input: $input) { cursor } }"

Shown = Mapping[str, Any]


def ask(address: str, query: str, **input: object) -> Shown:
    """Return the one answer of a mutation over HTTP."""
    body = {"query": query, "variables": {"input": input}}
    answer = httpx.post(f"{address}/graphql", json=body, timeout=60).json()
    assert "errors" not in answer, answer
    (found,) = answer["data"].values()
    assert isinstance(found, Mapping)
    return found


def start(address: str, *packages: str) -> Shown:
    for package in packages:
        publish(address, package, "1")
    return ask(address, START, plan={"packages": list(packages)})


def claim(address: str) -> Shown:
    """Have a worker claim the next build, and return what it holds it by."""
    (claimed,) = ask(address, CLAIM, worker="w1")["claims"]
    return {"build": claimed["build"]["id"], "lease": claimed["lease"]}


def status(socket: Socket) -> Shown:
    """Return the next message of a subscription."""
    found: Shown = socket.data()["buildStatus"]
    return found


def ways(events: Sequence[Shown]) -> list[tuple[str, str, str]]:
    return [(each["package"], each["transition"]["from"], each["transition"]["to"]) for each in events]


def test_a_build_is_watched_from_the_queue_to_its_end(address: str) -> None:
    start(address, "a")
    with connected(address) as socket:
        socket.subscribe(STATUS)
        beginning = status(socket)
        held = claim(address)
        events = [status(socket)]
        ask(address, REPORT, **held, status="RUNNING")
        events.append(status(socket))
        ask(address, REPORT, **held, status="COMPLETED", conclusion="SUCCESS")
        events.append(status(socket))

    assert beginning["complete"]
    assert beginning["builds"] == [{"status": "QUEUED", "packageVersion": {"package": {"name": "a"}}}]
    assert ways(events) == [
        ("a", "QUEUED", "ASSIGNED"),
        ("a", "ASSIGNED", "RUNNING"),
        ("a", "RUNNING", "COMPLETED"),
    ]
    assert [(each["build"], each["run"]["status"]) for each in events] == [
        ({"status": "ASSIGNED", "conclusion": None}, "RUNNING"),
        ({"status": "RUNNING", "conclusion": None}, "RUNNING"),
        ({"status": "COMPLETED", "conclusion": "SUCCESS"}, "COMPLETED"),
    ]


def test_a_run_that_is_started_while_it_is_watched_is_seen_to_begin(address: str) -> None:
    with connected(address) as socket:
        socket.subscribe(STATUS, filter={"status": ["QUEUED"]})
        beginning = status(socket)
        start(address, "a", "b")
        events = [status(socket), status(socket)]

    assert (beginning["builds"], beginning["complete"]) == ([], True)
    assert [(each["package"], each["transition"]["to"]) for each in events] == [
        ("a", "QUEUED"),
        ("b", "QUEUED"),
    ]


def test_a_watcher_resumes_after_a_restart_without_a_gap_or_a_repeat(settings: Settings) -> None:
    with serving(settings) as address, connected(address) as socket:
        start(address, "a")
        socket.subscribe(STATUS)
        status(socket)
        held = claim(address)
        events = [status(socket)]
        # Written, and perhaps delivered, but not read before the server goes.
        ask(address, REPORT, **held, status="RUNNING")
    with serving(settings) as address, connected(address) as socket:
        socket.subscribe(STATUS, after=events[-1]["cursor"])
        ask(address, REPORT, **held, status="COMPLETED", conclusion="SUCCESS")
        events += [status(socket), status(socket)]

    assert [each["transition"]["to"] for each in events] == ["ASSIGNED", "RUNNING", "COMPLETED"]


def test_one_socket_watches_several_builds_apart(address: str) -> None:
    start(address, "a", "b")
    with connected(address) as socket:
        for package in ("a", "b"):
            socket.subscribe(STATUS, id=package, filter={"package": package})
            assert socket.receive()["id"] == package
        claim(address)
        claim(address)
        seen = {}
        for message in (socket.receive(), socket.receive()):
            seen[message["id"]] = message["payload"]["data"]["buildStatus"]["package"]

    assert seen == {"a": "a", "b": "b"}
