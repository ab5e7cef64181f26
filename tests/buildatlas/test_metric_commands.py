"""Looking at measurements, as users of the command line do it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from buildatlas.errors import WrongUse
from buildatlas.metric_commands import figure
from buildatlas.spans import parse_span
from resolvers.measurements import IMPORT, IMPORTED
from resolvers.rollups import add
from storage.monitoring_rows import MetricRow
from tests.buildatlas.terminal import CATALOGUE, Terminal
from tests.schema.world import World


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def world(terminal: Terminal) -> Iterator[World]:
    """The terminal's database."""
    there = World.at(str(terminal.folder / "catalogue.db"))
    with closing(there.database):
        yield there


def measured(world: World, *values: float, ago: timedelta = timedelta(minutes=10), **labels: str) -> datetime:
    at = datetime.now(UTC).replace(second=0, microsecond=0) - ago
    rows = [MetricRow("load", "s", labels, at, 0, 1, value, value, value) for value in values]
    world.database.write(partial(add, rows=rows))
    return at


def test_series_are_shown_with_their_points(terminal: Terminal, world: World) -> None:
    at = measured(world, 1.5, 2.25, site="paris")
    measured(world, 1_234, site="ly\x1bon")

    run = terminal.run("metrics", "load", "--aggregate", "max")

    assert run.code == 0
    moment = f"{at:%Y-%m-%d %H:%M}:00"
    assert run.out == (
        "load (s) site=ly on\n"
        "time (UTC)           value\n"
        f"{moment}  1,234\n"
        "\n"
        "load (s) site=paris\n"
        "time (UTC)           value\n"
        f"{moment}  2.250\n"
        "2 series\n"
    )


def test_a_window_a_bucket_and_labels_can_be_chosen(terminal: Terminal, world: World) -> None:
    measured(world, 1, ago=timedelta(hours=30), site="paris")
    measured(world, 2, site="paris")
    measured(world, 4, site="lyon")

    narrow = terminal.run("metrics", "load", "--label", "site=paris", "--json")
    wide = terminal.run(
        "metrics", "load", "--label", "site=paris", "--since", "2d", "--bucket", "345600", "--aggregate", "SUM", "--json"
    )  # fmt: skip
    suiting = terminal.run("metrics", "load", "--since", "2d", "--aggregate", "count", "--json")

    assert [point["value"] for point in narrow.json[0]["points"]] == [2]
    assert sum(point["value"] for point in wide.json[0]["points"]) == 3
    assert {point["at"][14:19] for each in suiting.json for point in each["points"]} == {"00:00"}


def test_what_was_not_measured_is_said_so_and_what_is_wrong_refused(terminal: Terminal, world: World) -> None:
    assert terminal.run("metrics", "loda").out == "nothing was measured as loda\n"
    for wrong, said in (
        (("--bucket", "90"), "must be a multiple of 60"),
        (("--since", "3x"), "--since 3x: give a number of"),
        (("--label", "site"), "is not a label"),
    ):
        run = terminal.run("metrics", "load", *wrong)
        assert run.code == 2
        assert said in run.err


def test_an_import_is_measured(terminal: Terminal) -> None:
    terminal.run("import", terminal.write("catalogue.jsonl", CATALOGUE))

    took = terminal.run("metrics", IMPORT, "--aggregate", "count", "--json")
    versions = terminal.run("metrics", IMPORTED, "--aggregate", "sum", "--json")

    assert took.json[0]["labels"] == [{"key": "outcome", "value": "OK"}]
    assert took.json[0]["points"][0]["value"] == 1
    assert versions.json[0]["points"][0]["value"] == 5


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1h", timedelta(hours=1)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
    ],
)
def test_spans_are_read(text: str, span: timedelta) -> None:
    assert parse_span("--since", text) == span


@pytest.mark.parametrize("text", ["", "0h", "h", "1", "1y", "-1h", "1.5h", "1h30m", "\u0661h"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="--since"):
        parse_span("--since", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1_234_567, "1,234,567"), (2.5, "2.500"), (0.0123456, "0.01235"), (-1.25, "-1.250")],
)
def test_figures_have_as_many_digits_as_tell_something(value: float, text: str) -> None:
    assert figure(value) == text
