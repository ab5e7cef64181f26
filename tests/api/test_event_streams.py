"""GraphQL over server-sent events."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from buildatlas import event_streams
from buildatlas.settings import Settings
from tests.api.serving import WIDE_EVENTS, publish, publish_many, serving

EVENTS = "subscription($after: String) { events(after: $after) { ... on Event { cursor version } } }"
HEADERS = {"Accept": "text/event-stream"}

Event = Mapping[str, str]


@contextmanager
def streaming(
    address: str,
    query: str,
    *,
    method: str = "POST",
    headers: Mapping[str, str] = HEADERS,
    **variables: object,
) -> Iterator[Iterator[Event]]:
    """Give the events of an operation, comments among them."""
    place = f"{address}/graphql/stream"
    given: dict[str, Any] = (
        {"json": {"query": query, "variables": variables}}
        if method == "POST"
        else {"params": {"query": query, "variables": json.dumps(variables)}}
    )
    with httpx.stream(method, place, headers=headers, timeout=20, **given) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        yield _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[Event]:
    event: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, text = line.partition(":")
            event[name] = text.removeprefix(" ")
        elif event:
            yield event
            event = {}


def told(events: Iterator[Event]) -> Event:
    """Return the next that is more than a sign of life."""
    return next(event for event in events if "event" in event)


def version(event: Event) -> Any:
    return json.loads(event["data"])["data"]["events"]["version"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_changes_arrive_with_their_positions(address: str, method: str) -> None:
    publish(address, "a", "1")
    with streaming(address, EVENTS, method=method, after="1") as events:
        first = told(events)
        publish(address, "a", "2")
        second = told(events)

    assert [first["event"], first["id"], version(first)] == ["next", "2", "1"]
    assert [second["event"], second["id"], version(second)] == ["next", "3", "2"]


def test_a_client_that_connects_again_goes_on_after_what_it_has(address: str) -> None:
    for each in "123":
        publish(address, "a", each)

    with streaming(address, EVENTS, headers={**HEADERS, "Last-Event-ID": "2"}, after="0") as events:
        assert [told(events)["id"], told(events)["id"]] == ["3", "4"]


def test_a_query_is_answered_and_complete(address: str) -> None:
    with streaming(address, "{ server { version } }") as events:
        assert next(events) == {"": ""}
        answer = told(events)
        assert "version" in json.loads(answer["data"])["data"]["server"]
        assert next(events) == {"event": "complete", "data": ""}
        assert list(events) == []


def test_an_operation_that_is_refused_says_why_and_is_complete(address: str) -> None:
    with streaming(address, "subscription { nothing }") as events:
        (error,) = json.loads(told(events)["data"])["errors"]
        assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert told(events)["event"] == "complete"


def test_silence_is_interrupted_by_signs_of_life(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "_KEEP_ALIVE_SECONDS", 0.05)

    with streaming(address, EVENTS) as events:
        assert [next(events) for _ in range(3)] == [{"": ""}] * 3
        publish(address, "a", "1")
        assert told(events)["id"] == "1"


@pytest.mark.parametrize(
    ("method", "headers", "given", "status"),
    [
        ("POST", {"Accept": "application/json"}, {"json": {"query": EVENTS}}, 406),
        ("PUT", HEADERS, {"json": {"query": EVENTS}}, 405),
        ("POST", HEADERS, {"content": b"{}"}, 415),
        ("POST", HEADERS, {"json": []}, 400),
        ("GET", HEADERS, {"params": {"query": "mutation { nothing }"}}, 405),
    ],
)
def test_a_request_of_the_wrong_form_is_refused(
    address: str, method: str, headers: Mapping[str, str], given: Mapping[str, Any], status: int
) -> None:
    response = httpx.request(method, f"{address}/graphql/stream", headers=headers, **given)

    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


def test_a_server_that_stops_does_not_wait_for_subscribers(settings: Settings) -> None:
    with serving(settings) as address, streaming(address, EVENTS) as events:
        assert next(events) == {"": ""}
        stack = httpx.get(f"{address}/healthz")
        assert stack.status_code == 200


def test_a_reader_that_does_not_read_is_cut_off_and_may_resume(settings: Settings) -> None:
    with serving(replace(settings, queue_limit=4), send_buffer=4_096) as address:
        publish(address, "a", "0")
        with streaming(address, WIDE_EVENTS) as events:
            assert next(events) == {"": ""}
            publish_many(address, "a", 600)
            ids = [int(event["id"]) for event in events if "id" in event]
        with streaming(address, EVENTS, headers={**HEADERS, "Last-Event-ID": str(ids[-1])}) as events:
            resumed = int(told(events)["id"])

    assert ids == list(range(3, 3 + len(ids)))
    assert len(ids) < 600
    assert resumed == ids[-1] + 1
