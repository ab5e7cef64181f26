"""What takes too long is stopped, wherever it has got to."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import text

from resolvers.deadlines import deadline
from storage import packages
from storage.database import Connection, Database
from storage.errors import OutOfTime
from storage.tables import PackageFields
from storage.time_limits import check_time, is_out_of_time, longest, time_left, time_limit
from tests.storage.world import NOW

# Takes minutes on either kind of database.
_ENDLESS = text(
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000000000) "
    "SELECT count(*) FROM numbers"
)
_SHORT = 0.2

Reading = Callable[[Database], AbstractContextManager[Connection]]


def count_for_minutes(connection: Connection) -> object:
    return connection.execute(_ENDLESS).scalar_one()


@pytest.mark.parametrize("reading", [Database.read, Database.glance])
def test_a_statement_is_stopped_and_the_connection_is_as_good_as_before(
    database: Database, reading: Reading
) -> None:
    for _ in range(3):
        with (
            pytest.raises(OutOfTime, match=r"stopped after 0\.2 s"),
            time_limit(_SHORT),
            reading(database) as connection,
        ):
            count_for_minutes(connection)
    with reading(database) as connection:
        assert connection.execute(text("SELECT 7")).scalar_one() == 7


@pytest.mark.parametrize("reading", [Database.read, Database.glance])
def test_what_has_no_time_left_is_not_begun(database: Database, reading: Reading) -> None:
    with time_limit(0), pytest.raises(OutOfTime), reading(database):
        pytest.fail("it has begun")
    with time_limit(0), pytest.raises(OutOfTime):
        database.write(lambda _: pytest.fail("it has begun"))


def test_what_is_being_written_is_written_to_its_end(database: Database) -> None:
    def write(connection: Connection) -> None:
        while not is_out_of_time():
            time.sleep(0.01)
        id_ = next(packages.ids(connection))
        packages.insert(connection, [(id_, PackageFields(name="late"))], now=NOW)

    with time_limit(_SHORT):
        database.write(write)
    with database.read() as connection:
        assert packages.by_name(connection, "late") is not None


def test_a_thread_has_the_limit_of_whoever_started_it(database: Database) -> None:
    def read() -> object:
        with database.read() as connection:
            return count_for_minutes(connection)

    async def operation() -> None:
        with time_limit(_SHORT):
            await anyio.to_thread.run_sync(read)

    with pytest.raises(OutOfTime):
        asyncio.run(operation())


def test_operations_at_the_same_time_have_each_its_own_limit(database: Database) -> None:
    def read(statement: str) -> object:
        with database.glance() as connection:
            return connection.execute(text(statement)).scalar_one()

    async def operation(seconds: float, statement: str) -> object:
        with time_limit(seconds):
            return await anyio.to_thread.run_sync(read, statement)

    async def both() -> tuple[object, object]:
        stopped = operation(_SHORT, str(_ENDLESS))
        answered = operation(60, str(_ENDLESS).replace("1000000000", "1000000"))
        return await asyncio.gather(stopped, answered, return_exceptions=True)

    stopped, answered = asyncio.run(both())

    assert isinstance(stopped, OutOfTime)
    assert answered == 1_000_000


def test_without_a_limit_there_is_any_amount_of_time() -> None:
    assert (time_left(), longest(), is_out_of_time()) == (None, None, False)
    check_time()


def test_a_limit_ends_with_its_block_and_an_inner_one_counts_by_itself() -> None:
    with time_limit(100):
        with time_limit(0):
            assert (time_left(), longest(), is_out_of_time()) == (0, 0, True)
        assert longest() == 100
        assert not is_out_of_time()
        with time_limit(None):
            assert time_left() is None
    assert time_left() is None


def test_whatever_is_worked_out_ends_with_the_operation_that_it_is_for() -> None:
    with time_limit(0):
        assert deadline(timedelta(hours=1))()
    with time_limit(3_600):
        assert deadline(timedelta(0))()
        assert not deadline(timedelta(hours=1))()
