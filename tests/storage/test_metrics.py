"""Measurements: added up by series and span, rolled up, and let go."""

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import metrics
from storage.database import Connection, Database
from storage.monitoring_rows import BucketRow, MetricRow
from storage.monitoring_tables import MetricFields
from tests.storage.build_world import undone
from tests.storage.world import LATER, NOW

_END = NOW + timedelta(minutes=10)
_PARIS = {"site": "paris"}
_IN_PARIS, _IN_LYON = '{"site":"paris"}', '{"site":"lyon"}'


def sample(seconds: float, value: float, name: str = "load", **labels: str) -> MetricFields:
    """Return a measurement made so many seconds after NOW."""
    return MetricFields(name=name, value=value, unit="1", labels=labels, at=NOW + timedelta(seconds=seconds))


def test_samples_come_back_oldest_first_of_the_window_and_the_labels_asked_for(database: Database) -> None:
    given = [
        sample(3, 3.5, site="paris", host="a"),
        sample(1, 1.5, site="paris"),
        sample(2, 2.5, site="lyon"),
        sample(600, 9, site="paris"),
        sample(-1, 9, site="paris"),
        sample(0, 7, "heat", site="paris"),
    ]
    database.write(lambda connection: metrics.insert(connection, given))

    with database.read() as connection:
        of_paris = metrics.samples(connection, "load", labels=_PARIS, since=NOW, until=_END)
        of_all = metrics.samples(connection, since=NOW, until=_END)
        hourly = metrics.samples(connection, "load", since=NOW, until=_END, resolution=3_600)

    assert of_paris == [
        MetricRow("load", "1", _PARIS, NOW + timedelta(seconds=1), 0, 1, 1.5, 1.5, 1.5),
        MetricRow("load", "1", {**_PARIS, "host": "a"}, NOW + timedelta(seconds=3), 0, 1, 3.5, 3.5, 3.5),
    ]
    assert [row.total for row in of_all] == [7, 1.5, 2.5, 3.5]
    assert hourly == []


def test_samples_are_added_up_by_series_and_span(database: Database) -> None:
    given = [sample(at, value, site="paris") for at, value in ((0, 1), (59.999999, 4), (60, 8), (599, 2))]
    database.write(lambda connection: metrics.insert(connection, [*given, sample(5, 3, site="lyon")]))

    with database.read() as connection:
        found = metrics.buckets(connection, "load", since=NOW, until=_END, seconds=60)
        of_paris = metrics.buckets(connection, "load", labels=_PARIS, since=NOW, until=_END, seconds=86_400)

    assert sorted(found, key=lambda row: (row.labels, row.at)) == [
        BucketRow(_IN_LYON, "1", NOW, 1, 3, 3, 3),
        BucketRow(_IN_PARIS, "1", NOW, 2, 5, 1, 4),
        BucketRow(_IN_PARIS, "1", NOW + timedelta(minutes=1), 1, 8, 8, 8),
        BucketRow(_IN_PARIS, "1", NOW + timedelta(minutes=9), 1, 2, 2, 2),
    ]
    assert of_paris == [BucketRow(_IN_PARIS, "1", NOW, 4, 15, 1, 8)]


def test_roll_ups_come_with_their_sketches_or_without_whichever_is_asked_for(database: Database) -> None:
    first, second = (
        MetricRow("load", "1", labels, at, 300, 3, 9.0, 1.0, 4.0, b"q")
        for at, labels in ((NOW, _PARIS), (NOW + timedelta(minutes=5), {"site": "lyon"}))
    )
    database.write(lambda connection: metrics.roll_up(connection, [second, first]))
    read = partial(metrics.sketches, name="load", since=NOW, until=_END, resolution=300)

    with database.read() as connection:
        sketched = read(connection)
        plain = metrics.buckets(connection, "load", since=NOW, until=_END, seconds=300, resolution=300)
        of_lyon = read(connection, labels={"site": "lyon"})

    assert sketched == [
        BucketRow(_IN_PARIS, "1", first.at, 3, 9.0, 1.0, 4.0, b"q"),
        BucketRow(_IN_LYON, "1", second.at, 3, 9.0, 1.0, 4.0, b"q"),
    ]
    assert plain == [msgspec.structs.replace(row, sketch=None) for row in sketched]
    assert of_lyon == sketched[1:]
    assert [metrics.labels_of(row.labels) for row in sketched] == [_PARIS, {"site": "lyon"}]


_MOMENTS = st.datetimes(datetime(1960, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(deadline=None)  # a busy machine takes its time
@given(st.lists(st.tuples(_MOMENTS, st.integers(-9, 9)), max_size=9), st.sampled_from([1, 7, 60, 3_600]))
def test_spans_agree_with_adding_up_by_hand(
    kept_database: Database, measured: list[tuple[datetime, int]], seconds: int
) -> None:
    by_hand: dict[int, list[float]] = defaultdict(list)
    for at, value in measured:
        by_hand[math.floor(at.timestamp() / seconds) * seconds].append(value)
    since, until = datetime(1950, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)

    def operation(connection: Connection) -> list[BucketRow]:
        metrics.insert(connection, [MetricFields(name="m", value=value, at=at) for at, value in measured])
        return metrics.buckets(connection, "m", since=since, until=until, seconds=seconds)

    assert undone(kept_database, operation) == [
        BucketRow(
            "{}", "", datetime.fromtimestamp(begins, UTC), len(values), sum(values), min(values), max(values)
        )
        for begins, values in sorted(by_hand.items())
    ]


def test_a_roll_up_takes_the_place_of_the_one_before(database: Database) -> None:
    first = MetricRow("load", "1", _PARIS, NOW, 60, 2, 5.0, 1.0, 4.0, b"\0q")
    better = MetricRow("load", "1", _PARIS, NOW, 60, 3, 9.0, 1.0, 4.0, None)
    hourly = MetricRow("load", "1", _PARIS, NOW, 3_600, 3, 9.0, 1.0, 4.0, b"q")

    def operation(connection: Connection) -> None:
        metrics.roll_up(connection, [first])
        metrics.roll_up(connection, [better, hourly])
        metrics.roll_up(connection, [])

    database.write(operation)

    with database.read() as connection:
        assert metrics.samples(connection, since=NOW, until=_END, resolution=60) == [better]
        assert metrics.samples(connection, since=NOW, until=_END, resolution=3_600) == [hourly]


def test_what_is_old_goes_a_few_rows_at_a_time(database: Database) -> None:
    database.write(lambda connection: metrics.insert(connection, [sample(n, n) for n in range(5)]))
    before = NOW + timedelta(seconds=3)

    trimmed = [
        database.write(
            lambda connection: metrics.trim(connection, resolution=0, before=before, limit=2)
        ).value
        for _ in range(3)
    ]

    with database.read() as connection:
        left = metrics.samples(connection, since=NOW, until=LATER)
    assert trimmed == [2, 1, 0]
    assert [row.total for row in left] == [3, 4]


def test_the_oldest_and_the_newest_of_a_resolution_are_known(database: Database) -> None:
    at = [NOW + timedelta(minutes=minutes) for minutes in (0, 5, 60)]
    rows = [MetricRow("load", "1", {}, each, 60, 1, 1.0, 1.0, 1.0) for each in at]

    def operation(connection: Connection) -> None:
        metrics.hold(connection)
        metrics.roll_up(connection, rows)

    with database.read() as connection:
        assert metrics.extent(connection, 60) is None
        assert metrics.next_after(connection, 60, NOW) is None
    database.write(operation)

    with database.read() as connection:
        assert metrics.extent(connection, 60) == (at[0], at[2])
        assert metrics.extent(connection, 3_600) is None
        assert metrics.next_after(connection, 60, at[1]) == at[1]
        assert metrics.next_after(connection, 60, at[1] + timedelta(microseconds=1)) == at[2]
        assert metrics.next_after(connection, 60, LATER) is None
