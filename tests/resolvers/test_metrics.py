"""Answering from what was measured, and taking in what others have measured."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from resolvers import rollups
from resolvers.errors import BadInput, LimitExceeded
from resolvers.metrics import (
    MOST_RECORDED,
    MetricRequest,
    Point,
    Series,
    aggregated,
    query,
    record,
    sample_of,
)
from resolvers.rollups import DAY, FIVE_MINUTES, HOUR, MINUTE, Ages, add, roll_up, trim
from storage.database import Database
from storage.monitoring_rows import MetricRow
from storage.monitoring_tables import MetricAggregate, MetricFields

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
PARIS, LYON = {"site": "paris"}, {"site": "lyon"}


def sample(ago: timedelta, value: float, labels: Mapping[str, str] = PARIS, name: str = "load") -> MetricRow:
    return MetricRow(name, "s", dict(labels), NOW - ago, 0, 1, value, value, value)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def given(database: Database, *rows: MetricRow) -> None:
    database.write(partial(add, rows=rows))


def over(
    database: Database,
    aggregate: MetricAggregate,
    *,
    window: timedelta = timedelta(minutes=10),
    **labels: str,
) -> list[tuple[dict[str, str], float]]:
    with database.read() as connection:
        return aggregated(
            connection, "load", labels=labels, since=NOW - window, until=NOW, aggregate=aggregate
        )


@pytest.mark.parametrize(
    ("aggregate", "paris"),
    [
        (MetricAggregate.COUNT, 4),
        (MetricAggregate.SUM, 10),
        (MetricAggregate.MEAN, 2.5),
        (MetricAggregate.MIN, 1),
        (MetricAggregate.MAX, 4),
        (MetricAggregate.P50, 2.5),
        (MetricAggregate.P95, 3.85),
        (MetricAggregate.P99, 3.97),
    ],
)
def test_each_series_has_one_value_over_the_whole_window(
    database: Database, aggregate: MetricAggregate, paris: float
) -> None:
    values = [sample(minutes(ago), value) for ago, value in ((1, 4), (2, 1), (2, 2), (9.5, 3))]
    given(database, *values, sample(minutes(1), 7, LYON), sample(minutes(11), 99), sample(minutes(-1), 99))

    of_all = over(database, aggregate)
    of_paris = over(database, aggregate, site="paris")

    lyon = 1 if aggregate is MetricAggregate.COUNT else 7
    assert of_all == [(LYON, lyon), (PARIS, pytest.approx(paris))]
    assert of_paris == of_all[1:]


def test_what_was_not_measured_has_no_value(database: Database) -> None:
    given(database, sample(minutes(30), 1))

    assert over(database, MetricAggregate.COUNT) == []
    assert over(database, MetricAggregate.P99) == []


def test_a_series_with_further_labels_is_matched_as_one_of_its_own(database: Database) -> None:
    given(database, sample(minutes(1), 1, {**PARIS, "host": "a"}), sample(minutes(1), 3))

    assert over(database, MetricAggregate.SUM, site="paris") == [({**PARIS, "host": "a"}, 1), (PARIS, 3)]


@pytest.mark.parametrize("days", [2, 90])
def test_long_windows_are_answered_from_what_is_rolled_up_and_what_is_not_yet(
    database: Database, days: int
) -> None:
    given(database, *(sample(timedelta(days=ago, minutes=5), ago) for ago in range(days)))
    roll_up(database, now=NOW)

    assert over(database, MetricAggregate.SUM, window=timedelta(days=days)) == [(PARIS, sum(range(days)))]
    ((labels, median),) = over(database, MetricAggregate.P50, window=timedelta(days=days))
    assert labels == PARIS
    assert median == pytest.approx((days - 1) / 2)


def asked(database: Database, **fields: object) -> list[Series]:
    return query(database, MetricRequest("load", **fields), now=NOW)  # type: ignore[arg-type] # by name


def test_points_are_in_buckets_that_begin_at_multiples_of_their_length(database: Database) -> None:
    given(database, *(sample(minutes(ago), ago) for ago in (1, 4, 6, 7, 59)), sample(minutes(2), 8, LYON))

    found = asked(database, bucket_seconds=300, aggregate=MetricAggregate.SUM)

    assert found == [
        Series("load", "s", LYON, (Point(NOW - minutes(5), 8),)),
        Series(
            "load",
            "s",
            PARIS,
            (Point(NOW - minutes(60), 59), Point(NOW - minutes(10), 13), Point(NOW - minutes(5), 5)),
        ),
    ]


@pytest.mark.parametrize("aggregate", list(MetricAggregate))
@pytest.mark.parametrize("seconds", [FIVE_MINUTES, 15 * MINUTE, HOUR, 3 * HOUR, DAY])
def test_rolled_up_or_not_the_answer_is_the_same(
    database: Database, aggregate: MetricAggregate, seconds: int
) -> None:
    given(database, *(sample(minutes(17 * n), n % 7) for n in range(400)))
    window = {"since": NOW - timedelta(days=4, hours=5), "bucket_seconds": seconds, "aggregate": aggregate}
    before = asked(database, **window)

    assert roll_up(database, now=NOW) > 100

    after = asked(database, **window)
    assert [point.at for point in after[0].points] == [point.at for point in before[0].points]
    assert [point.value for point in after[0].points] == pytest.approx(
        [point.value for point in before[0].points]
    )


@pytest.mark.parametrize("aggregate", [MetricAggregate.SUM, MetricAggregate.P50])
@pytest.mark.parametrize("made", [0, 1, 40, 80])
def test_a_database_without_five_minutes_is_read_all_the_same_while_they_are_made(
    database: Database, monkeypatch: pytest.MonkeyPatch, aggregate: MetricAggregate, made: int
) -> None:
    given(database, *(sample(timedelta(hours=n), n) for n in range(1, 85)))
    with monkeypatch.context() as patch:
        patch.setattr(rollups, "FINER", {HOUR: MINUTE, DAY: HOUR})
        roll_up(database, now=NOW)
        trim(database, Ages(timedelta(days=2), timedelta(days=9), timedelta(days=9)), now=NOW)

    roll_up(database, now=NOW, most=made)

    (found,) = asked(
        database, since=NOW - timedelta(days=4), bucket_seconds=FIVE_MINUTES, aggregate=aggregate
    )
    assert found.points == tuple(Point(NOW - timedelta(hours=n), n) for n in range(84, 0, -1))


@pytest.mark.parametrize(
    ("aggregate", "paris"), [(MetricAggregate.COUNT, 5), (MetricAggregate.MEAN, 3), (MetricAggregate.P50, 3)]
)
def test_series_that_differ_in_other_labels_are_added_up(
    database: Database, aggregate: MetricAggregate, paris: float
) -> None:
    values = [sample(minutes(1), value, PARIS | {"room": str(value)}) for value in (1, 2, 3, 4, 5)]
    given(database, *values, sample(minutes(1), 7, LYON), sample(minutes(1), 9, {"room": "6"}))
    request = MetricRequest("load", bucket_seconds=HOUR, aggregate=aggregate, by=frozenset({"site"}))

    found = query(database, request, now=NOW)

    lyon, unnamed = (1, 1) if aggregate is MetricAggregate.COUNT else (7, 9)
    assert [(series.labels, series.points[0].value) for series in found] == [
        ({}, unnamed),
        (LYON, lyon),
        (PARIS, pytest.approx(paris)),
    ]


def test_what_is_no_longer_kept_by_the_minute_comes_by_the_hour_and_then_by_the_day(
    database: Database,
) -> None:
    given(
        database,
        *(
            sample(timedelta(days=days, hours=hours), 1)
            for days, hours in ((0, 1), (0, 13), (1, 13), (3, 13), (3, 14))
        ),
    )
    roll_up(database, now=NOW)
    ages = Ages(timedelta(days=1), timedelta(days=2), timedelta(days=9))
    trim(database, ages, now=NOW)

    (found,) = asked(
        database, since=NOW - timedelta(days=5), bucket_seconds=HOUR, aggregate=MetricAggregate.SUM
    )
    finer = [
        asked(database, since=NOW - timedelta(days=5), bucket_seconds=seconds, aggregate=MetricAggregate.SUM)
        for seconds in (MINUTE, FIVE_MINUTES)
    ]

    assert finer == [[found], [found]]
    midnight = NOW.replace(hour=0)
    assert found.points == (
        Point(midnight - timedelta(days=4), 2),
        Point(midnight - timedelta(days=2), 1),
        Point(NOW - timedelta(hours=13), 1),
        Point(NOW - timedelta(hours=1), 1),
    )


@pytest.mark.parametrize("seconds", [-60, 0, 59, 90, 31_536_060])
def test_buckets_are_of_whole_minutes_up_to_a_year(database: Database, seconds: int) -> None:
    with pytest.raises(BadInput, match=f"not {seconds}: what is measured is kept by the minute") as raised:
        asked(database, bucket_seconds=seconds)

    assert raised.value.path == ("query", "bucketSeconds")


def test_a_window_has_to_begin_before_it_ends(database: Database) -> None:
    with pytest.raises(BadInput, match="has to be before `until`"):
        asked(database, since=NOW, until=NOW)


def test_a_window_has_only_so_many_points(database: Database) -> None:
    with pytest.raises(LimitExceeded, match="43,200 points, at most 11,000"):
        asked(database, since=NOW - timedelta(days=30))


def test_what_outside_producers_record_is_added_to_what_is_there(database: Database) -> None:
    samples = [
        sample_of(0, "load", 1.5, unit="s", labels=PARIS, at=NOW - minutes(3)),
        sample_of(1, "load", 2.5, unit="s", labels=PARIS, at=NOW - minutes(3)),
    ]

    assert record(database, samples, now=NOW) == 2
    assert record(database, samples[:1], now=NOW) == 1
    assert record(database, [], now=NOW) == 0
    assert over(database, MetricAggregate.SUM) == [(PARIS, 5.5)]
    assert over(database, MetricAggregate.COUNT) == [(PARIS, 3)]


@pytest.mark.parametrize("ago", [timedelta(days=1, seconds=1), -timedelta(minutes=6)])
def test_what_is_long_past_or_yet_to_come_is_refused_and_nothing_recorded(
    database: Database, ago: timedelta
) -> None:
    good, bad = (sample_of(0, "load", 1, unit="", labels={}, at=NOW - each) for each in (minutes(1), ago))

    with pytest.raises(BadInput, match="must be within the last day") as raised:
        record(database, [good, bad], now=NOW)

    assert raised.value.path == ("metrics", "1", "at")
    assert over(database, MetricAggregate.COUNT) == []


def test_only_so_many_are_recorded_at_once(database: Database) -> None:
    many = [MetricFields(name="load", value=1, at=NOW)] * (MOST_RECORDED + 1)

    with pytest.raises(LimitExceeded, match="1,001 metrics, at most 1,000"):
        record(database, many, now=NOW)


def test_a_sample_that_is_no_number_is_refused_by_its_place() -> None:
    with pytest.raises(BadInput) as raised:
        sample_of(3, "load", float("nan"), unit="", labels={}, at=NOW)

    assert raised.value.path == ("metrics", "3", "value")
