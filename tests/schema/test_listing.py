"""Lists of packages and versions: filtered, ordered, and paged by Relay's rules."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import pytest

from schema.pagination import cursor
from tests.schema.world import World

PAGE = """query Page($filter: PackageFilter, $orderBy: PackageOrder, $first: Int, $after: String, $last: Int, $before: String) {
    packages(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
        totalCount truncated edges { cursor node { name } } nodes { name }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

VERSIONS = """query Page($status: [VersionStatus!], $first: Int, $after: String, $last: Int, $before: String) {
    package(name: "a") { versions(status: $status, first: $first, after: $after, last: $last, before: $before) {
        totalCount edges { cursor node { version } } nodes { version }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


def names(connection: Mapping[str, Any]) -> list[str]:
    return [node.get("name") or node.get("version") for node in connection["nodes"]]


@pytest.fixture
def alphabet(world: World) -> World:
    for letter in "dbeca":
        world.publish(letter, "1")
    return world


def test_a_page_forwards_tells_that_more_follows(alphabet: World) -> None:
    page = alphabet.ask(PAGE, first=2)["packages"]

    assert names(page) == ["a", "b"]
    assert page["totalCount"] == 5
    assert page["truncated"] is False
    assert [edge["node"]["name"] for edge in page["edges"]] == ["a", "b"]
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": page["edges"][0]["cursor"],
        "endCursor": page["edges"][1]["cursor"],
    }


@pytest.mark.parametrize("field", ["NAME", "CREATED_AT", "UPDATED_AT"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_forwards_and_backwards_give_the_same_list(alphabet: World, field: str, direction: str) -> None:
    order = {"field": field, "direction": direction}
    whole = names(alphabet.ask(PAGE, orderBy=order)["packages"])

    forwards = follow(alphabet, ("first", "after", "endCursor", "hasNextPage"), order)
    backwards = follow(alphabet, ("last", "before", "startCursor", "hasPreviousPage"), order)

    assert sorted(whole) == list("abcde")
    assert forwards == [whole[:2], whole[2:4], whole[4:]]
    assert backwards == [whole[3:], whole[1:3], whole[:1]]


def follow(world: World, way: tuple[str, str, str, str], order: Mapping[str, str]) -> list[list[str]]:
    """Return the pages that a client gets who asks for one after the other."""
    size, place, end, more = way
    pages: list[list[str]] = []
    arguments: dict[str, object] = {size: 2, "orderBy": order}
    while True:
        page = world.ask(PAGE, **arguments)["packages"]
        pages.append(names(page))
        if not page["pageInfo"][more]:
            return pages
        arguments[place] = page["pageInfo"][end]


def test_what_is_registered_between_two_pages_moves_nothing(alphabet: World) -> None:
    first = alphabet.ask(PAGE, first=2)["packages"]
    alphabet.publish("aa", "1")
    alphabet.publish("bb", "1")

    second = alphabet.ask(PAGE, first=2, after=first["pageInfo"]["endCursor"])["packages"]

    assert names(second) == ["bb", "c"]
    assert second["pageInfo"]["hasPreviousPage"] is True


def test_a_page_goes_on_although_the_package_at_its_cursor_was_deleted(alphabet: World) -> None:
    end = alphabet.ask(PAGE, first=2)["packages"]["pageInfo"]["endCursor"]
    alphabet.ask('mutation { deletePackage(input: { name: "b" }) { cursor } }')

    assert names(alphabet.ask(PAGE, first=2, after=end)["packages"]) == ["c", "d"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, ["Alpha", "beta", "x%y_z"]),
        ({"nameContains": "ET"}, ["beta"]),
        ({"nameContains": "%"}, []),
        ({"nameContains": "a"}, ["Alpha", "beta"]),
        ({"nameStartsWith": "al"}, ["Alpha"]),
        ({"nameStartsWith": "a", "nameContains": "b"}, []),
        ({"status": ["DEPRECATED"]}, ["beta"]),
        ({"status": ["DEPRECATED", "ACTIVE"], "nameContains": "a"}, ["Alpha", "beta"]),
        ({"status": []}, []),
    ],
)
def test_a_filter_lets_through_what_fits(
    world: World, wanted: Mapping[str, object], expected: list[str]
) -> None:
    for name in ("Alpha", "beta", "x+y_z"):
        world.publish(name, "1")
    world.ask('mutation { updatePackage(input: { name: "beta", status: DEPRECATED }) { cursor } }')
    expected = [name.replace("%", "+") for name in expected]

    page = world.ask(PAGE, filter=wanted)["packages"]

    assert names(page) == expected
    assert page["totalCount"] == len(expected)


def test_a_cursor_of_a_list_in_another_order_is_refused(alphabet: World) -> None:
    end = alphabet.ask(PAGE, first=2)["packages"]["pageInfo"]["endCursor"]
    order = {"field": "CREATED_AT", "direction": "ASC"}

    message, extensions = alphabet.refusal(PAGE, after=end, orderBy=order)

    assert message == "`after` is from a list ordered by NAME, and this one is by CREATED_AT"
    assert extensions == {"code": "BAD_USER_INPUT", "argument": "after"}


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2026-01-01T00:00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_made_up_cursor_is_refused(alphabet: World, value: str) -> None:
    made_up = cursor(["CREATED_AT", value, 1])
    order = {"field": "CREATED_AT", "direction": "ASC"}

    assert alphabet.code(PAGE, before=made_up, orderBy=order) == "BAD_USER_INPUT"


def test_a_cursor_with_a_name_that_nothing_can_have_is_refused(alphabet: World) -> None:
    assert alphabet.code(PAGE, after=cursor(["NAME", "a\0b", 1])) == "BAD_USER_INPUT"


@pytest.mark.parametrize("field", ["NAME", "CREATED_AT"])
@pytest.mark.parametrize("row", [-1, 2**63, 2**64, 10**30])
def test_a_cursor_with_a_number_that_no_row_has_is_refused(alphabet: World, field: str, row: int) -> None:
    value = "a" if field == "NAME" else "2026-01-01T00:00:00+00:00"
    made_up = place(field, value, row)
    order = {"field": field, "direction": "ASC"}

    message, extensions = alphabet.refusal(PAGE, after=made_up, orderBy=order)

    assert message == "`after` is not a cursor of this list: pass on what a field `cursor` gave"
    assert extensions == {"code": "BAD_USER_INPUT", "argument": "after"}


def test_a_cursor_with_the_largest_number_of_a_row_is_a_place(alphabet: World) -> None:
    end = place("NAME", "c", 2**63 - 1)

    assert names(alphabet.ask(PAGE, after=end)["packages"]) == ["d", "e"]


def place(*parts: object) -> str:
    """Return a cursor as a client could make it up; a server's own encoder refuses huge numbers."""
    return urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize("made_up", [["a", 2**63], -5, "not base64!", "x" * 4097, [[]]])
def test_a_made_up_cursor_of_versions_is_refused(alphabet: World, made_up: object) -> None:
    assert alphabet.code(VERSIONS, after=cursor(made_up)) == "BAD_USER_INPUT"


@pytest.mark.parametrize("key", [b"", b"\0", b"\xff" * 5000])
def test_any_bytes_are_a_place_among_versions(alphabet: World, key: bytes) -> None:
    found = names(alphabet.ask(VERSIONS, before=cursor(key))["package"]["versions"])

    assert found == ([] if key[:1] == b"\xff" else ["1"])


@pytest.mark.parametrize("arguments", [{"first": 0}, {"last": 1001}, {"first": 1, "last": 1}, {"after": "x"}])
def test_arguments_that_name_no_page_are_refused(alphabet: World, arguments: Mapping[str, object]) -> None:
    assert alphabet.code(PAGE, **arguments) == "BAD_USER_INPUT"


def test_versions_come_newest_first_and_can_be_paged_both_ways(world: World) -> None:
    for version in ("1.0", "1.10", "1.9", "2.0rc1", "2.0"):
        world.publish("a", version)

    first = world.ask(VERSIONS, first=2)["package"]["versions"]
    second = world.ask(VERSIONS, first=2, after=first["pageInfo"]["endCursor"])["package"]["versions"]
    last = world.ask(VERSIONS, last=2)["package"]["versions"]
    previous = world.ask(VERSIONS, last=2, before=last["pageInfo"]["startCursor"])["package"]["versions"]

    assert [names(page) for page in (first, second, last, previous)] == [
        ["2.0", "2.0rc1"],
        ["1.10", "1.9"],
        ["1.9", "1.0"],
        ["2.0rc1", "1.10"],
    ]
    assert first["totalCount"] == 5
    assert [edge["node"]["version"] for edge in first["edges"]] == ["2.0", "2.0rc1"]
    assert [page["pageInfo"]["hasNextPage"] for page in (first, second, last)] == [True, True, False]


def test_versions_can_be_narrowed_to_states(world: World) -> None:
    for version in ("1", "2", "3"):
        world.publish("a", version)
    world.ask(
        'mutation { setVersionStatus(input: { package: "a", version: "2", status: YANKED }) { cursor } }'
    )

    yanked = world.ask(VERSIONS, status=["YANKED"])["package"]["versions"]
    others = world.ask(VERSIONS, status=["PUBLISHED", "DRAFT"])["package"]["versions"]
    none = world.ask(VERSIONS, status=[])["package"]["versions"]

    assert [(names(page), page["totalCount"]) for page in (yanked, others, none)] == [
        (["2"], 1),
        (["3", "1"], 2),
        ([], 0),
    ]
    assert none["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }
