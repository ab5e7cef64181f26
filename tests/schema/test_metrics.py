"""Measurements over the API: recorded, and asked for."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.schema.world import World

RECORD = "mutation($metrics: [MetricInput!]!) { recordMetrics(input: { metrics: $metrics }) { recorded } }"
ASK = """query($asked: MetricQuery!) { metrics(query: $asked) {
    name unit labels { key value } points { at value } } }"""


def sample(value: float, site: str, **fields: object) -> dict[str, object]:
    return {
        "name": "load",
        "value": value,
        "unit": "s",
        "labels": [{"key": "site", "value": site}],
        **fields,
    }


def values(world: World, **query: object) -> list[tuple[str, list[float]]]:
    found = world.ask(ASK, asked={"name": "load", "bucketSeconds": 86_400, **query})["metrics"]
    return [(each["labels"][0]["value"], [point["value"] for point in each["points"]]) for each in found]


def test_what_is_recorded_can_be_asked_for_by_name_and_labels(world: World) -> None:
    samples = [sample(1, "paris"), sample(4, "paris"), sample(7, "lyon")]

    assert world.ask(RECORD, metrics=samples) == {"recordMetrics": {"recorded": 3}}

    assert values(world) == [("lyon", [7]), ("paris", [2.5])]
    paris: list[Any] = [{"key": "site", "value": "paris"}]
    for aggregate, value in (("COUNT", 2), ("SUM", 5), ("MIN", 1), ("MAX", 4), ("P50", 2.5)):
        assert values(world, labels=paris, aggregate=aggregate) == [("paris", [value])]


def test_series_are_told_apart_by_the_labels_that_are_named(world: World) -> None:
    rooms = [{**sample(value, "paris"), "labels": [{"key": "room", "value": str(value)}]} for value in (1, 4)]
    world.ask(RECORD, metrics=[*rooms, sample(7, "lyon")])
    asked = {"name": "load", "bucketSeconds": 86_400}

    whole = world.ask(ASK, asked={**asked, "by": []})["metrics"]
    by_site = world.ask(ASK, asked={**asked, "by": ["site"]})["metrics"]

    assert [(each["labels"], each["points"][0]["value"]) for each in whole] == [([], 4)]
    lyon = [{"key": "site", "value": "lyon"}]
    assert [(each["labels"], each["points"][0]["value"]) for each in by_site] == [([], 2.5), (lyon, 7)]


def test_a_series_comes_with_its_unit_and_points_with_their_moments(world: World) -> None:
    at = datetime.now(UTC).replace(second=30, microsecond=0) - timedelta(minutes=5)
    world.ask(RECORD, metrics=[sample(1.5, "paris", at=at.isoformat())])

    (series,) = world.ask(ASK, asked={"name": "load"})["metrics"]

    assert series["name"] == "load"
    assert series["unit"] == "s"
    (point,) = series["points"]
    assert point["value"] == 1.5
    assert datetime.fromisoformat(point["at"]) == at.replace(second=0)


def test_nothing_was_measured_under_an_unknown_name(world: World) -> None:
    assert world.ask(ASK, asked={"name": "loda"}) == {"metrics": []}


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ({"bucketSeconds": 90}, "BAD_USER_INPUT", ["query", "bucketSeconds"]),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "BAD_USER_INPUT", ["query", "since"]),
        (
            {"since": "2026-01-01T00:00:00Z", "until": "2026-03-01T00:00:00Z"},
            "LIMIT_EXCEEDED",
            ["query", "bucketSeconds"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused_with_where_it_is_wrong(
    world: World, query: dict[str, object], code: str, path: list[str]
) -> None:
    _, facts = world.refusal(ASK, asked={"name": "load", **query})

    assert facts["code"] == code
    assert facts["path"] == path


def test_of_bad_measurements_nothing_is_recorded(world: World) -> None:
    _, facts = world.refusal(RECORD, metrics=[sample(1, "paris"), sample(2, "", name="")])
    assert facts["path"] == ["metrics", "1", "name"]

    assert world.code(RECORD, metrics=[sample(1, "paris", at="2020-01-01T00:00:00Z")]) == "BAD_USER_INPUT"
    assert world.code(RECORD, metrics=[sample(1, "paris")] * 1_001) == "LIMIT_EXCEEDED"
    assert values(world) == []
