"""Measuring: from any thread, within bounds, off the path of what is measured."""

import math
import threading
from datetime import UTC, datetime

import pytest

from resolvers.measurements import BUILD, BUILD_FAILED, LOST, MEMORY, OTHER, OVERFLOWED, RESOLVE
from resolvers.measuring import _FOLDED_AT, SILENT, Measurer
from resolvers.sketches import summary
from storage.monitoring_rows import MetricRow

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON.timestamp()

    def __call__(self) -> float:
        return self.now


def figures(rows: list[MetricRow]) -> dict[tuple[str, tuple[str, ...], datetime], tuple[int, float]]:
    return {(row.name, tuple(row.labels.values()), row.at): (row.count, row.total) for row in rows}


def test_values_are_added_up_by_series_and_minute() -> None:
    clock = Clock()
    measurer = Measurer(clock=clock)
    for value in (3, 1, 2):
        measurer.record("load", value, unit="s", site="paris")
    measurer.record("load", 7, unit="s", site="lyon")
    clock.now += 60
    measurer.record("load", 9, unit="s", site="paris")

    rows = measurer.take()

    first = rows[0]
    assert (first.name, first.unit, first.labels, first.at) == ("load", "s", {"site": "paris"}, NOON)
    assert (first.bucket_seconds, first.count, first.total, first.minimum, first.maximum) == (60, 3, 6, 1, 3)
    assert summary(first).quantile(0.5) == 2
    assert [(row.labels["site"], row.at.minute, row.total) for row in rows[1:]] == [
        ("lyon", 0, 7),
        ("paris", 1, 9),
    ]
    assert measurer.take() == []


def test_many_values_are_folded_as_they_come_and_none_is_lost() -> None:
    measurer = Measurer(clock=Clock())
    number = 3 * _FOLDED_AT + 5

    def record() -> None:
        for value in range(number):
            measurer.record("load", value, unit="s")

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (row,) = measurer.take()
    assert (row.count, row.total) == (4 * number, 4 * sum(range(number)))
    assert summary(row).quantile(0.95) == pytest.approx(0.95 * number, rel=0.01)


def test_the_unit_of_what_the_product_measures_is_known() -> None:
    measurer = Measurer()
    measurer.record(RESOLVE, 1.5)

    assert [row.unit for row in measurer.take()] == ["s"]
    with pytest.raises(KeyError):
        measurer.record("resolve.secnods", 1)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_finite_number_is_left_out(value: float) -> None:
    measurer = Measurer()
    measurer.record("load", value, unit="s")
    measurer.record("load", 1, unit="s")
    measurer.record("heat", value, unit="s")

    assert [(row.name, row.count) for row in measurer.take()] == [("load", 1)]


def test_beyond_so_many_series_the_rest_is_one_of_its_name_and_a_counter_says_so() -> None:
    measurer = Measurer(most_series=3, clock=Clock())
    for number in range(6):
        measurer.record("load", number, unit="s", host=str(number))
    measurer.record("heat", 8, unit="K")
    measurer.record("cold", 9, unit="K")

    assert figures(measurer.take()) == {
        ("load", ("0",), NOON): (1, 0),
        ("load", ("1",), NOON): (1, 1),
        ("load", ("2",), NOON): (1, 2),
        ("load", ("true",), NOON): (3, 12),
        (OTHER, (), NOON): (2, 17),
        (OVERFLOWED, (), NOON): (5, 5),
    }


def test_what_has_few_series_always_has_room() -> None:
    """Or a storm of builds would hide what tells of the storm."""
    measurer = Measurer(most_series=1, clock=Clock())
    for package in ("a", "b"):
        measurer.record(BUILD, 1, package=package)
    measurer.record(BUILD_FAILED, 1)
    measurer.record(MEMORY, 1, process="here")

    found = figures(measurer.take())
    assert (BUILD_FAILED, (), NOON) in found
    assert (MEMORY, ("here",), NOON) in found


def test_series_are_counted_by_the_hour() -> None:
    clock = Clock()
    measurer = Measurer(most_series=1, clock=clock)
    measurer.record("load", 1, unit="s", host="a")
    clock.now += 3_600
    measurer.record("load", 2, unit="s", host="b")

    assert [row.labels for row in measurer.take()] == [{"host": "a"}, {"host": "b"}]


@pytest.mark.parametrize("value", ["x" * 2_000, "a\0b", "\ud800"])
def test_labels_that_no_database_takes_go_into_the_other_series(value: str) -> None:
    measurer = Measurer(clock=Clock())
    measurer.record("load", 1, unit="s", host="a")
    measurer.record("load", 2, unit="s", host=value)

    assert [row.labels for row in measurer.take()] == [{"host": "a"}, {}, {"other": "true"}]


def test_what_is_given_back_is_taken_again_up_to_a_bound() -> None:
    measurer = Measurer(most_series=2, clock=Clock())
    rows = [MetricRow("load", "s", {}, NOON, 60, 2, n, n, n) for n in range(5)]
    measurer.give_back(rows)

    taken = measurer.take()

    assert taken[:4] == rows[1:]
    assert figures(taken[4:]) == {(LOST, (), NOON): (1, 2)}


def test_a_block_is_timed_with_how_it_ended() -> None:
    measurer = Measurer()
    with measurer.timing(RESOLVE):
        pass
    with pytest.raises(ZeroDivisionError):
        measurer.timed(RESOLVE, lambda number: 1 // number)(0)

    rows = measurer.take()
    assert [row.labels for row in rows] == [{"outcome": "OK"}, {"outcome": "ZeroDivisionError"}]
    assert all(row.minimum >= 0 for row in rows)


def test_who_is_silent_records_nothing() -> None:
    SILENT.record("load", 1, unit="s")

    assert SILENT.timed(RESOLVE, lambda: 5)() == 5
    assert SILENT.take() == []
