"""EventSource, as browsers have it: it knows nothing of GraphQL, and connects again by itself."""

import json
import re
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest

from tests.api.serving import publish
from tests.clients.line import line_to
from tests.clients.node import running

EVENTS: Final = "subscription($after: String) { events(after: $after) { ... on Event { version } } }"

each_source = pytest.mark.parametrize(
    "options", [(), ("--experimental-eventsource",)], ids=["package", "builtin"]
)


def asking(address: str, query: str, **variables: object) -> str:
    return f"{address}/graphql/stream?{urlencode({'query': query, 'variables': json.dumps(variables)})}"


@each_source
def test_a_query_is_answered_once(scripts: Path, options: tuple[str, ...], address: str) -> None:
    place = asking(address, '{ package(name: "a") { name } }')

    with running(scripts / "eventsource.mjs", place, options=options) as source:
        assert source.hear() == {"open": True}
        assert source.hear() == {
            "id": "",
            "next": {"data": {"package": None}, "extensions": {"cost": 1}},
        }
        assert source.hear() == {"complete": True}
        assert source.rest() == []


@each_source
def test_events_go_on_after_a_break_without_a_gap_or_a_repeat(
    scripts: Path, options: tuple[str, ...], address: str
) -> None:
    with (
        line_to(address) as line,
        running(
            scripts / "eventsource.mjs", asking(line.address, EVENTS, after="0"), options=options
        ) as source,
    ):
        assert source.hear() == {"open": True}
        publish(address, "a", "1")
        seen = [source.hear(), source.hear()]
        with line.broken():
            publish(address, "a", "2")
        assert source.hear() == {"open": True}
        publish(address, "a", "3")
        seen += [source.hear(), source.hear()]

        assert source.rest() == []
        assert re.findall(r"last-event-id: *(.*)\r", line.asked, re.IGNORECASE) == ["2"]

    assert [(each["id"], each["next"]["data"]["events"]["version"]) for each in seen] == [
        ("1", None),
        ("2", "1"),
        ("3", "2"),
        ("4", "3"),
    ]
