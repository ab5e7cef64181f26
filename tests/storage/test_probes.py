"""What a database tells of how long it is used."""

import pytest

from storage import counts
from storage.database import Connection, Database
from storage.probes import StatementClass


class Told:
    def __init__(self) -> None:
        self.uses: list[StatementClass] = []
        self.seconds: list[float] = []

    def __call__(self, used_for: StatementClass, *, waited: float, ran: float) -> None:
        self.uses.append(used_for)
        self.seconds += [waited, ran]


@pytest.fixture
def told(database: Database) -> Told:
    probe = Told()
    database.observe(probe)
    return probe


def test_each_use_is_told_of_by_what_it_is_for(database: Database, told: Told) -> None:
    with database.read() as connection:
        counts.count(connection)
        counts.count(connection)
    with database.glance() as connection:
        counts.count(connection)
    database.write(counts.count, of_catalogue=False)
    database.write(counts.count, alone=True)

    assert told.uses == [
        StatementClass.READ,
        StatementClass.GLANCE,
        StatementClass.WRITE,
        StatementClass.WRITE,
    ]
    assert all(seconds >= 0 for seconds in told.seconds)


def test_a_use_that_ends_in_an_error_is_told_of_too_and_the_error_raised(
    database: Database, told: Told
) -> None:
    def fail(connection: Connection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write(fail)
    for use in (database.read, database.glance):
        with pytest.raises(ZeroDivisionError), use() as connection:
            fail(connection)

    assert told.uses == [StatementClass.WRITE, StatementClass.READ, StatementClass.GLANCE]


def test_a_database_tells_its_size_and_how_many_connections_are_in_use(database: Database) -> None:
    before = database.in_use()
    with database.read() as connection:
        counts.count(connection)
        assert database.in_use() == before + 1
    assert database.in_use() == before
    assert database.size() > 100_000
