"""The output of builds, as it is written and read."""

from collections.abc import Mapping
from typing import Any

import pytest

from schema.pagination import cursor
from tests.schema.building import LOG, Shown, claim, held, ids, report, start
from tests.schema.world import World

READ = """query Read($id: ID!, $first: Int! = 1000, $after: String) { build(id: $id) {
    log(first: $first, after: $after) { nodes { sequence attempt at text }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


def running(world: World) -> Shown:
    """Return the claim of a build that runs."""
    world.publish("a", "1")
    start(world, "a")
    (claimed,) = claim(world)
    return claimed


def write(world: World, claimed: Shown, first_line: int, *lines: str) -> None:
    world.ask(LOG, input={**held(claimed), "firstLine": first_line, "lines": list(lines)})


def read(world: World, **wanted: object) -> Mapping[str, Any]:
    log: Mapping[str, Any] = world.ask(READ, id=ids(world)["a"], **wanted)["build"]["log"]
    return log


def texts(log: Mapping[str, Any]) -> list[str]:
    return [line["text"] for line in log["nodes"]]


def test_a_log_is_read_in_pages_from_any_line_on(world: World) -> None:
    claimed = running(world)
    write(world, claimed, 0, "one", "two")
    write(world, claimed, 2, "three", "", "five")

    first = read(world, first=3)
    rest = read(world, after=first["pageInfo"]["endCursor"])
    from_second = read(world, first=1, after=first["nodes"][0]["sequence"])
    none = read(world, after=rest["nodes"][-1]["sequence"])

    assert texts(first) == ["one", "two", "three"]
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["nodes"][0]["sequence"],
        "endCursor": first["nodes"][2]["sequence"],
    }
    assert (texts(rest), rest["pageInfo"]["hasNextPage"]) == (["", "five"], False)
    assert texts(from_second) == ["two"]
    assert (none["nodes"], none["pageInfo"]["endCursor"]) == ([], None)


def test_lines_that_are_sent_again_are_stored_once(world: World) -> None:
    claimed = running(world)
    write(world, claimed, 0, "one", "two")
    write(world, claimed, 1, "two", "three")

    assert texts(read(world)) == ["one", "two", "three"]


def test_a_log_goes_on_with_the_next_attempt(world: World) -> None:
    claimed = running(world)
    write(world, claimed, 0, "one")
    report(world, claimed, conclusion="FAILURE")
    world.ask("mutation($id: ID!) { retryBuild(input: { id: $id }) { cursor } }", id=ids(world)["a"])
    write(world, claim(world)[0], 0, "again")

    log = read(world)

    assert [(line["attempt"], line["text"]) for line in log["nodes"]] == [(1, "one"), (2, "again")]
    assert texts(read(world, after=log["nodes"][0]["sequence"])) == ["again"]
    assert log["nodes"][0]["at"].endswith("Z")


@pytest.mark.parametrize(
    "after",
    ["nonsense", cursor([1]), cursor([1, -1]), cursor([2**31, 0]), cursor([1, 2**31]), cursor(["a", "b"])],
)
def test_what_is_no_line_of_a_log_is_refused(world: World, after: str) -> None:
    running(world)

    assert world.code(READ, id=ids(world)["a"], after=after) == "BAD_USER_INPUT"


def test_what_is_past_every_line_has_nothing_after_it(world: World) -> None:
    write(world, running(world), 0, "one")

    assert texts(read(world, after=cursor([1, 2**31 - 2]))) == []


@pytest.mark.parametrize("first", [0, 1001])
def test_a_number_of_lines_out_of_range_is_refused(world: World, first: int) -> None:
    running(world)

    assert world.code(READ, id=ids(world)["a"], first=first) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"firstLine": -1, "lines": ["x"]}, ["firstLine"]),
        ({"firstLine": 1, "lines": ["x"]}, ["firstLine"]),
        ({"firstLine": 0, "lines": ["x", "y\nz"]}, ["lines", "1"]),
    ],
)
def test_lines_that_cannot_follow_are_refused(
    world: World, fields: Mapping[str, object], path: list[str]
) -> None:
    claimed = running(world)

    _, extensions = world.refusal(LOG, input={**held(claimed), **fields})

    assert (extensions["code"], extensions["path"]) == ("BAD_USER_INPUT", path)
