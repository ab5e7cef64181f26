"""Measurements on disk: added to by several processes, rolled up, and let go."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resolvers import rollups
from resolvers.measuring import Measurer
from resolvers.metrics import parts
from resolvers.rollups import DAY, FINER, FIVE_MINUTES, HOUR, MINUTE, Ages, add, flush, roll_up, trim
from resolvers.sketches import summary
from storage import metrics
from storage.database import Connection, Database
from storage.errors import Unavailable
from storage.monitoring_rows import MetricRow
from tests.databases import KINDS, url_of
from tests.storage.build_world import undone

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
LABELS = {"site": "paris"}


@pytest.fixture(params=KINDS, scope="module")
def kept_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database that all examples of a test have together."""
    with (
        url_of(request.param, tmp_path_factory.mktemp("kept")) as url,
        closing(Database.open(url)) as opened,
    ):
        yield opened


def sample(at: datetime, value: float, name: str = "load") -> MetricRow:
    return MetricRow(name, "s", LABELS, at, 0, 1, value, value, value)


def given_(database: Database, *rows: MetricRow) -> None:
    database.write(partial(add, rows=rows))


def stored(database: Database, resolution: int) -> list[tuple[datetime, int, float, float, float]]:
    with database.read() as connection:
        return figures(connection, resolution)


def figures(connection: Connection, resolution: int) -> list[tuple[datetime, int, float, float, float]]:
    rows = metrics.samples(
        connection,
        "load",
        since=NOON - timedelta(days=999),
        until=NOON + timedelta(days=999),
        resolution=resolution,
    )
    return [(row.at, row.count, row.total, row.minimum, row.maximum) for row in rows]


def test_what_is_measured_in_a_minute_is_added_to_what_others_measured(database: Database) -> None:
    given_(database, sample(NOON + timedelta(seconds=1), 3), sample(NOON + timedelta(seconds=59), 1))
    given_(database, sample(NOON + timedelta(seconds=30), 5), sample(NOON + timedelta(seconds=60), 7))

    assert stored(database, MINUTE) == [(NOON, 3, 9, 1, 5), (NOON + timedelta(minutes=1), 1, 7, 7, 7)]


def test_several_processes_that_add_to_the_same_minute_lose_nothing(database_url: str) -> None:
    def add_many(database: Database) -> None:
        for _ in range(25):
            given_(database, sample(NOON, 1))

    with closing(Database.open(database_url)) as one, closing(Database.open(database_url)) as other:
        threads = [
            threading.Thread(target=add_many, args=(database,)) for database in (one, other, one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert stored(one, MINUTE) == [(NOON, 100, 100, 1, 1)]


def test_what_is_over_is_made_of_what_it_had(database: Database) -> None:
    midnight = NOON.replace(hour=0)
    for at, value in ((-25, 1), (-24.5, 2), (-1, 4), (0.5, 8), (11.99, 16), (12.01, 32)):
        given_(database, sample(midnight + timedelta(hours=at), value))

    made = roll_up(database, now=NOON + timedelta(minutes=5))

    hours = [(-25, 1, 1), (-25, 1, 2), (-1, 1, 4), (0, 1, 8), (11, 1, 16)]
    assert [row[1:3] for row in stored(database, HOUR)] == [(2, 3), (1, 4), (1, 8), (1, 16)]
    assert stored(database, DAY) == [
        (midnight - timedelta(days=2), 2, 3, 1, 2),
        (midnight - timedelta(days=1), 1, 4, 4, 4),
    ]
    assert stored(database, FIVE_MINUTES) == [
        (midnight + timedelta(minutes=minutes), 1, value, value, value)
        for minutes, value in ((-1_500, 1), (-1_470, 2), (-60, 4), (30, 8), (715, 16))
    ]
    assert made == len(hours) - 1 + 2 + 5


def test_an_hour_is_left_until_all_have_written_what_they_measured_in_it(database: Database) -> None:
    given_(database, sample(NOON - timedelta(minutes=1), 1))

    assert roll_up(database, now=NOON + timedelta(seconds=59)) == 0
    assert roll_up(database, now=NOON + timedelta(seconds=60)) == 2


def test_so_many_are_made_at_once_and_the_next_time_the_others(database: Database) -> None:
    given_(database, *(sample(NOON - timedelta(minutes=10 * n), 1) for n in range(1, 7)))

    assert [roll_up(database, now=NOON + timedelta(hours=1), most=3) for _ in range(4)] == [3, 3, 1, 0]


def test_to_roll_up_again_changes_nothing(database: Database) -> None:
    given_(database, *(sample(NOON - timedelta(minutes=7 * n), n) for n in range(1, 500)))
    roll_up(database, now=NOON)
    before = [stored(database, resolution) for resolution in FINER]

    assert roll_up(database, now=NOON) == 0
    assert [stored(database, resolution) for resolution in FINER] == before


def test_several_processes_that_roll_up_at_once_make_each_span_once(database_url: str) -> None:
    with closing(Database.open(database_url)) as one, closing(Database.open(database_url)) as other:
        given_(one, *(sample(NOON - timedelta(minutes=7 * n), 1) for n in range(1, 500)))
        made: list[int] = []
        threads = [
            threading.Thread(
                target=lambda database=database: made.append(roll_up(database, now=NOON + timedelta(hours=1)))
            )
            for database in (one, other, one)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        found = [stored(one, resolution) for resolution in FINER]
        assert sum(made) == sum(map(len, found))
        for rows in found[0], found[-1]:
            assert sum(row[1] for row in rows) == 499
            assert [row[0] for row in rows] == sorted({row[0] for row in rows})


def test_what_comes_late_is_part_of_its_five_minutes_hour_and_day_all_the_same(database: Database) -> None:
    late = NOON - timedelta(hours=15)
    given_(database, sample(late, 1), sample(NOON - timedelta(hours=13), 1), sample(NOON, 1))
    roll_up(database, now=NOON + timedelta(hours=2))

    given_(database, sample(late, 4), sample(late - timedelta(hours=2), 8), sample(NOON, 16))

    begins = late.replace(minute=0)
    assert stored(database, HOUR)[:2] == [(begins - timedelta(hours=2), 1, 8, 8, 8), (begins, 2, 5, 1, 4)]
    assert stored(database, HOUR)[-1] == (NOON, 2, 17, 1, 16)
    assert stored(database, DAY) == [(late.replace(hour=0), 4, 14, 1, 8)]
    assert stored(database, FIVE_MINUTES) == [
        (late - timedelta(hours=2), 1, 8, 8, 8),
        (late, 2, 5, 1, 4),
        (late + timedelta(hours=2), 1, 1, 1, 1),
        (NOON, 2, 17, 1, 16),
    ]


def test_a_day_that_was_made_before_its_last_hour_had_anything_is_made_anew(database: Database) -> None:
    day = NOON.replace(hour=0)
    given_(database, sample(day + timedelta(hours=1), 1))
    roll_up(database, now=day + timedelta(hours=25))
    assert stored(database, DAY) == [(day, 1, 1, 1, 1)]

    given_(database, sample(day + timedelta(hours=20), 2))
    roll_up(database, now=day + timedelta(hours=26))

    assert stored(database, DAY) == [(day, 2, 3, 1, 2)]


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(st.integers(0, 6_000), min_size=1, max_size=4)),
        st.tuples(st.just("roll up"), st.integers(0, 7_000)),
        st.tuples(st.just("roll up as of old"), st.integers(0, 7_000)),
    ),
    max_size=12,
)


def take(connection: Connection, action: str, step: list[int] | int) -> None:
    """Add samples, or roll up as a server does or as one did that had no five minutes."""
    if isinstance(step, list):
        add(connection, [sample(NOON + timedelta(minutes=minute), 1) for minute in step])
        return
    for coarse in (HOUR, DAY) if action == "roll up as of old" else FINER:
        while rollups._make_next(connection, coarse=coarse, now=NOON + timedelta(minutes=step)):
            pass


@settings(deadline=None, max_examples=60)
@given(_STEPS)
def test_in_whatever_order_all_that_is_made_agrees_with_adding_up_by_hand(
    kept_database: Database, steps: Iterable[tuple[str, list[int] | int]]
) -> None:
    def operation(connection: Connection) -> list[list[tuple[datetime, int, float, float, float]]]:
        for action, step in [*steps, ("roll up", 9_000)]:
            take(connection, action, step)
        return [figures(connection, resolution) for resolution in FINER]

    made = undone(kept_database, operation)

    given = [minute for _, step in steps if isinstance(step, list) for minute in step]
    for found, seconds in zip(made, FINER, strict=True):
        begins = [rollups.beginning(NOON + timedelta(minutes=minute), seconds) for minute in given]
        counts = {at: begins.count(at) for at in begins}
        assert found == [(at, n, n, 1, 1) for at, n in sorted(counts.items())]


@settings(deadline=None, max_examples=60)
@given(_STEPS, st.sampled_from([MINUTE, 2 * MINUTE, FIVE_MINUTES, 15 * MINUTE, 42 * MINUTE, HOUR, DAY]))
def test_however_far_it_is_rolled_up_what_is_read_agrees_with_adding_up_by_hand(
    kept_database: Database, steps: Iterable[tuple[str, list[int] | int]], seconds: int
) -> None:
    until = NOON + timedelta(days=7)

    def operation(connection: Connection) -> list[tuple[datetime, int]]:
        # Where all begins, coarser spans are read: they may be there in part only.
        add(connection, [sample(NOON.replace(hour=0) - timedelta(days=1), 1)])
        for action, step in steps:
            take(connection, action, step)
        return [
            (rollups.beginning(row.at, seconds), row.count)
            for part in parts(connection, rollups.beginning(NOON, seconds), until, seconds)
            for row in metrics.sketches(
                connection, "load", since=part.since, until=part.until, resolution=part.resolution
            )
        ]

    found = undone(kept_database, operation)

    given = [minute for _, step in steps if isinstance(step, list) for minute in step]
    begins = [rollups.beginning(NOON + timedelta(minutes=minute), seconds) for minute in given]
    moments = [at for at, count in found for _ in range(count)]
    assert moments == sorted(begins)


def test_quantiles_of_an_hour_are_those_of_all_its_values(database: Database) -> None:
    values = [float((n * 7_919) % 10_007) for n in range(6_000)]
    given_(database, *(sample(NOON + timedelta(seconds=n * 0.6), value) for n, value in enumerate(values)))
    roll_up(database, now=NOON + timedelta(hours=2))

    with database.read() as connection:
        (hour,) = metrics.samples(connection, since=NOON, until=NOON + timedelta(hours=1), resolution=HOUR)
    exact = sorted(values)
    for rank in (0.5, 0.95, 0.99):
        assert summary(hour).quantile(rank) == pytest.approx(exact[int(rank * len(exact))], rel=0.01)


def test_each_resolution_is_let_go_at_its_own_age_in_whole_spans(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "_CHUNK", 2)
    given_(database, *(sample(NOON - timedelta(hours=6 * n, minutes=1), 1) for n in range(40)))
    roll_up(database, now=NOON + timedelta(minutes=1))
    ages = Ages(minutes=timedelta(days=2), hours=timedelta(days=4), days=timedelta(days=6))

    trimmed = trim(database, ages, now=NOON + timedelta(minutes=30))

    assert stored(database, MINUTE)[0][0] == NOON - timedelta(days=2, minutes=-60 * 6 + 1)
    assert stored(database, FIVE_MINUTES)[0][0] == NOON - timedelta(days=2, minutes=-60 * 6 + 5)
    assert stored(database, HOUR)[0][0] >= NOON.replace(hour=0) - timedelta(days=4)
    assert stored(database, DAY)[0][0] == NOON.replace(hour=0) - timedelta(days=6)
    assert trimmed > 40
    assert trim(database, ages, now=NOON + timedelta(minutes=30)) == 0


def test_what_cannot_be_written_is_written_the_next_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurer = Measurer(clock=NOON.timestamp)
    measurer.record("load", 2, unit="s", **LABELS)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", refuse)
        with pytest.raises(Unavailable):
            flush(measurer, database)
    measurer.record("load", 3, unit="s", **LABELS)

    assert flush(measurer, database) == 2
    assert flush(measurer, database) == 0
    assert stored(database, MINUTE) == [(NOON, 2, 5, 2, 3)]


def refuse(*_: object, **__: object) -> None:
    raise Unavailable("here", "is away", "wait")  # type: ignore[arg-type] # it is only raised
