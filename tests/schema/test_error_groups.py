"""Errors in the API: groups, a page at a time, and each by its id."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from resolvers.failures import failure
from schema.identifiers import global_id
from schema.pagination import cursor
from storage import error_groups
from tests.schema.world import NOW, World

ERRORS = """query Errors($component: String, $first: Int, $after: String) {
    errors(component: $component, first: $first, after: $after) {
        totalCount nodes { message } edges { cursor node { message } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""


@pytest.fixture
def seen(world: World) -> World:
    """Four errors of three kinds: two of `api` that are the same, one of `build`, and a newer one of `api`."""
    errors = [
        failure("INTERNAL_SERVER_ERROR", "api", "row 1 is gone", text="trace 1", request="r-1"),
        failure("FAILURE", "build", "no", text="no"),
        failure("INTERNAL_SERVER_ERROR", "api", "row 2 is gone", text="trace 2", request="r-2"),
        failure("INTERNAL_SERVER_ERROR", "api", "new", text="trace"),
    ]
    for number, error in enumerate(errors):
        seen = partial(error_groups.record, errors=[error], now=NOW + timedelta(hours=number))
        world.database.write(seen, of_catalogue=False)
    return world


def errors(world: World, **variables: object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = world.ask(ERRORS, **variables)["errors"]
    return found


def messages(found: Mapping[str, Any]) -> list[str]:
    return [each["message"] for each in found["nodes"]]


def test_a_group_tells_what_kind_of_error_how_often_and_since_when(seen: World) -> None:
    parts = "id code message count firstSeenAt lastSeenAt component sample"

    group = seen.ask(f"{{ errors(first: 2) {{ nodes {{ {parts} }} }} }}")["errors"]["nodes"][1]

    assert group == {
        "id": group["id"],
        "code": "INTERNAL_SERVER_ERROR",
        "message": "row <number> is gone",
        "count": 2,
        "firstSeenAt": "2026-01-01T00:00:00Z",
        "lastSeenAt": "2026-01-01T02:00:00Z",
        "component": "api",
        "sample": "request: r-2\ntrace 2",
    }
    again = seen.ask(
        f"query($id: ID!) {{ node(id: $id) {{ ... on ErrorGroup {{ {parts} }} }} }}", id=group["id"]
    )
    assert again["node"] == group


def test_a_group_that_is_gone_is_null(seen: World) -> None:
    gone = global_id("ErrorGroup", 999)

    assert seen.ask("query($id: ID!) { node(id: $id) { id } }", id=gone) == {"node": None}


def test_what_was_seen_last_comes_first_a_page_at_a_time(seen: World) -> None:
    first = errors(seen, first=2)
    rest = errors(seen, first=2, after=first["pageInfo"]["endCursor"])

    assert messages(first) == ["new", "row <number> is gone"]
    assert messages(rest) == ["no"]
    assert [edge["node"] for edge in first["edges"]] == first["nodes"]
    assert (first["totalCount"], rest["totalCount"]) == (3, 3)
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][1]["cursor"],
    }
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)


@pytest.mark.parametrize(
    ("component", "expected"), [("build", ["no"]), ("api", ["new", "row <number> is gone"]), ("\0", [])]
)
def test_only_those_of_one_part_are_told_when_that_is_asked(
    seen: World, component: str, expected: list[str]
) -> None:
    found = errors(seen, component=component)

    assert messages(found) == expected
    assert found["totalCount"] == len(expected)


@pytest.mark.parametrize(
    "after",
    [
        "x",
        cursor((1, 2)),
        cursor(("never", 1)),
        cursor(("2026-01-01", 1)),
        cursor(("9999-12-31T23:59:59-10:00", 1)),
    ],
)
def test_what_is_no_cursor_of_this_list_is_refused(seen: World, after: str) -> None:
    message, extensions = seen.refusal(ERRORS, after=after)

    assert "is not a cursor of this list" in message
    assert extensions["code"] == "BAD_USER_INPUT"
