"""Ten thousand versions at once, atomic or not."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

import pytest

from resolvers.batches import Batch, ItemResult, publish_all
from resolvers.drafts import DependencyRequest, PublishRequest
from resolvers.errors import BadConstraint, BadInput, ClosesCycle, LimitExceeded, OtherContent
from storage import counts, packages
from storage.counts import Counts
from storage.database import Database
from storage.tables import Kind
from storage.transitions import VersionStatus
from tests.resolvers.log import told

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _many(count: int) -> list[PublishRequest]:
    return [
        PublishRequest(f"p{number // 10}", f"1.{number % 10}", (DependencyRequest(f"p{number // 20}"),))
        for number in range(count)
    ]


def _counted(database: Database) -> Counts:
    with database.read() as connection:
        return counts.count(connection)


def test_ten_thousand_good_items_are_all_published_and_again_change_nothing(database: Database) -> None:
    items = _many(10_000)

    first = publish_all(database, items, atomic=True, now=NOW)
    again = publish_all(database, items, atomic=True, now=NOW)

    assert (first.published, first.failed, first.cursor) == (10_000, 0, 11_000)
    assert [result.index for result in first.results] == list(range(10_000))
    assert _counted(database) == Counts(packages=1_000, versions=10_000, dependencies=10_000)
    assert again == Batch(first.results, 0, 0, first.cursor)


def test_one_bad_item_of_ten_thousand_stops_an_atomic_batch_and_nothing_is_written(
    database: Database,
) -> None:
    items = _many(10_000)
    items[6_000] = PublishRequest("p600", "1.0", (DependencyRequest("x"), DependencyRequest("y", "=>1")))

    batch = publish_all(database, items, atomic=True, now=NOW)

    assert (batch.published, batch.failed, batch.cursor) == (0, 1, 0)
    assert all(result.version is None for result in batch.results)
    assert [result.index for result in batch.results if result.error] == [6_000]
    error = batch.results[6_000].error
    assert isinstance(error, BadConstraint)
    assert error.path == ("dependencies", "1", "constraint")
    assert _counted(database) == Counts(0, 0, 0)


def test_one_bad_item_of_ten_thousand_is_left_out_of_a_batch_that_is_not_atomic(database: Database) -> None:
    items = _many(10_000)
    items[6_000] = PublishRequest("p 600", "1.0")

    batch = publish_all(database, items, atomic=False, now=NOW)

    assert (batch.published, batch.failed) == (9_999, 1)
    assert isinstance(batch.results[6_000].error, BadInput)
    assert [result.index for result in batch.results if result.version is None] == [6_000]
    assert _counted(database).versions == 9_999


def test_more_than_ten_thousand_items_are_too_many(database: Database) -> None:
    with pytest.raises(LimitExceeded, match="10,001 versions, at most 10,000 are allowed") as refused:
        publish_all(database, _many(10_001), atomic=False, now=NOW)

    assert refused.value.path == ("versions",)


def test_no_items_are_no_work(database: Database) -> None:
    assert publish_all(database, [], atomic=True, now=NOW) == Batch((), 0, 0, 0)


def test_an_item_meets_the_ones_before_it(database: Database) -> None:
    items = [
        PublishRequest("app", "1.0", digest="d"),
        PublishRequest("app", "1.0.0", digest="d"),
        PublishRequest("app", "1", digest="other"),
    ]

    batch = publish_all(database, items, atomic=False, now=NOW)

    assert batch.results[0].version == batch.results[1].version
    assert isinstance(batch.results[2].error, OtherContent)
    assert (batch.published, batch.failed) == (1, 1)
    assert told(database) == ["PACKAGE_CHANGED app", "VERSION_PUBLISHED app 1.0"]


def test_a_cycle_that_a_batch_closes_by_itself_is_refused(database: Database) -> None:
    forbid = Kind.RUNTIME
    items = [
        PublishRequest("a", "1", (DependencyRequest("b"),), forbid_cycles=forbid),
        PublishRequest("b", "1", (DependencyRequest("c"),), forbid_cycles=forbid),
        PublishRequest("c", "2", status=VersionStatus.DRAFT),
        PublishRequest("c", "1", (DependencyRequest("a"),), forbid_cycles=forbid),
        PublishRequest("b", "0.9", (DependencyRequest("x"),)),
        PublishRequest("b", "1.1"),
        PublishRequest("c", "1.1", (DependencyRequest("a"),), forbid_cycles=forbid),
    ]

    batch = publish_all(database, items, atomic=False, now=NOW)

    assert _failures(batch.results) == [(3, ("c", "a", "b", "c"))]
    assert batch.published == 6


def _failures(results: Sequence[ItemResult]) -> list[tuple[int, tuple[str, ...]]]:
    return [(each.index, each.error.cycle) for each in results if isinstance(each.error, ClosesCycle)]


def test_a_refused_cycle_does_not_register_its_package(database: Database) -> None:
    items = [PublishRequest("a", "1", (DependencyRequest("a"),), forbid_cycles=Kind.RUNTIME)]

    batch = publish_all(database, items, atomic=False, now=NOW)

    assert batch.failed == 1
    with database.read() as connection:
        assert packages.names(connection) == []


@pytest.mark.parametrize("size", [10, 1_000])
def test_a_batch_of_any_size_takes_the_same_statements_to_read(database_url: str, size: int) -> None:
    statements: list[str] = []
    with closing(Database.open(database_url, trace=statements.append)) as database:
        publish_all(database, _many(size), atomic=True, now=NOW)
        statements.clear()

        publish_all(database, [*_many(size), PublishRequest("new", "1")], atomic=True, now=NOW)

    # Ids, positions and the ends of transactions are each database's own affair.
    tables = ("packages", "package_versions", "dependencies")
    assert (
        sum(f"FROM {table} " in f"{text.replace(chr(10), ' ')} " for text in statements for table in tables)
        == 4
    )
