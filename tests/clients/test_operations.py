"""The clients graphql-ws and graphql-sse."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from buildatlas.settings import Settings
from tests.api.serving import publish, serving
from tests.clients.line import line_to
from tests.clients.node import Script, running

EVENTS: Final = "subscription($after: String) { events(after: $after) { ... on Event { cursor version } } }"
REGISTER: Final = 'mutation { registerPackage(input: { name: "a" }) { package { name } } }'
FIND: Final = '{ package(name: "a") { name } }'

each_client = pytest.mark.parametrize("client", ["graphql_ws", "graphql_sse"])


@contextmanager
def subscribed(scripts: Path, client: str, address: str, *, after: str) -> Iterator[Script]:
    with running(scripts / f"{client}.mjs", address) as script:
        script.tell(id="events", query=EVENTS, variables={"after": after})
        yield script


def version(told: Any) -> Any:
    """Return the version of the event that was told."""
    assert told["id"] == "events", told
    return told["next"]["data"]["events"]["version"]


@each_client
def test_queries_and_mutations_are_answered(scripts: Path, client: str, address: str) -> None:
    with running(scripts / f"{client}.mjs", address) as script:
        script.tell(id="1", query=REGISTER)
        registered = [script.hear(), script.hear()]
        script.tell(id="2", query=FIND)
        found = [script.hear(), script.hear()]

        assert script.rest() == []

    package = {"package": {"name": "a"}}
    assert registered == [
        {"id": "1", "next": {"data": {"registerPackage": package}, "extensions": {"cost": 2}}},
        {"id": "1", "complete": True},
    ]
    assert found == [
        {"id": "2", "next": {"data": package, "extensions": {"cost": 1}}},
        {"id": "2", "complete": True},
    ]


@each_client
def test_changes_arrive_as_they_are_made(scripts: Path, client: str, address: str) -> None:
    cursor = publish(address, "a", "1")
    with subscribed(scripts, client, address, after=cursor) as script:
        arrived = []
        for each in "23":
            cursor = publish(address, "a", each)
            arrived.append((cursor, script.hear()))

    assert [told["next"]["data"]["events"] for _, told in arrived] == [
        {"cursor": cursor, "version": each} for (cursor, _), each in zip(arrived, "23", strict=True)
    ]


@each_client
def test_a_subscription_goes_on_after_a_break_without_a_gap_or_a_repeat(
    scripts: Path, client: str, address: str
) -> None:
    cursor = publish(address, "a", "1")
    with line_to(address) as line, subscribed(scripts, client, line.address, after=cursor) as script:
        publish(address, "a", "2")
        seen = [version(script.hear())]
        for missed, live in ("34", "56"):
            with line.broken():
                publish(address, "a", missed)
            seen.append(version(script.hear()))
            publish(address, "a", live)
            seen.append(version(script.hear()))

        assert [each for each in script.rest() if "next" in each] == []

    assert line.asked.count(" /graphql") == 3
    assert seen == list("23456")


@each_client
def test_a_subscription_goes_on_at_a_server_that_is_started_again(
    scripts: Path, client: str, settings: Settings
) -> None:
    with ExitStack() as clients:
        with serving(settings) as first:
            line = clients.enter_context(line_to(first))
            script = clients.enter_context(subscribed(scripts, client, line.address, after="0"))
            publish(first, "a", "1")
            seen = [version(script.hear()) for _ in range(2)]
        with serving(settings) as second:
            publish(second, "a", "2")
            line.server = second
            seen.append(version(script.hear()))
            publish(second, "a", "3")
            seen.append(version(script.hear()))

    assert seen == [None, "1", "2", "3"]


def test_graphql_ws_is_told_what_is_wrong_with_a_document(scripts: Path, address: str) -> None:
    with running(scripts / "graphql_ws.mjs", address) as script:
        script.tell(id="1", query="{ nothing }")
        refused = script.hear()
        script.tell(id="2", query=FIND)

        assert script.hear() == {
            "id": "2",
            "next": {"data": {"package": None}, "extensions": {"cost": 1}},
        }

    (error,) = refused["error"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_graphql_sse_is_told_what_is_wrong_with_a_document(scripts: Path, address: str) -> None:
    with running(scripts / "graphql_sse.mjs", address) as script:
        script.tell(id="1", query="{ nothing }")
        refused, completed = script.hear(), script.hear()

    (error,) = refused["next"]["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert "data" not in refused["next"]
    assert completed == {"id": "1", "complete": True}


@each_client
def test_variables_that_do_not_fit_give_errors_and_no_data(scripts: Path, client: str, address: str) -> None:
    with running(scripts / f"{client}.mjs", address) as script:
        script.tell(id="1", query="query($name: String!) { package(name: $name) { name } }")

        assert "data" not in script.hear().get("next", {})


@each_client
def test_nothing_comes_of_a_subscription_that_was_completed(scripts: Path, client: str, address: str) -> None:
    cursor = publish(address, "a", "1")
    with line_to(address) as line, subscribed(scripts, client, line.address, after=cursor) as script:
        publish(address, "a", "777.1")
        assert version(script.hear()) == "777.1"
        script.tell(id="events", complete=True)
        assert script.hear() == {"id": "events", "complete": True}
        # The server has heard of the end when it answers what is asked after that.
        script.tell(id="2", query=FIND)
        assert [script.hear()["id"], script.hear()["id"]] == ["2", "2"]
        publish(address, "a", "888.1")
        script.tell(id="3", query=FIND)

        assert [each["id"] for each in [script.hear(), script.hear()]] == ["3", "3"]
        assert "777.1" in line.answered
        assert "888.1" not in line.answered
