"""Leases: extended by who holds them, and found when they run out."""

from datetime import timedelta

import pytest

from storage import leases
from storage.database import Database
from storage.leases import Lease
from storage.transitions import BuildStatus
from tests.storage.build_world import add_build, add_run, add_versions, put_in
from tests.storage.world import NOW

SOON = NOW + timedelta(seconds=10)
LATER = NOW + timedelta(seconds=60)


@pytest.fixture
def build(database: Database) -> int:
    """A build that a worker runs."""
    build = add_build(database, add_run(database), add_versions(database, "a")["a"])
    put_in(database, build, "ASSIGNED", lease_token=3)
    put_in(database, build, "RUNNING", lease_expires_at=SOON)
    return build


def extend(database: Database, build: int, token: int) -> bool:
    return database.write(
        lambda connection: leases.extend(
            connection, build, token, until=LATER, now=NOW + timedelta(seconds=5)
        )
    ).value


def held(database: Database) -> list[Lease]:
    with database.read() as connection:
        return leases.held(connection)


def test_the_one_who_holds_a_build_extends_its_lease(database: Database, build: int) -> None:
    assert [lease.expires_at for lease in held(database)] == [SOON]

    assert extend(database, build, 3)

    (lease,) = held(database)
    assert (lease.build_id, lease.status, lease.token, lease.expires_at, lease.timeout_seconds) == (
        build,
        BuildStatus.RUNNING,
        3,
        LATER,
        3_600,
    )


def test_an_older_lease_is_not_extended(database: Database, build: int) -> None:
    assert not extend(database, build, 2)
    assert [lease.expires_at for lease in held(database)] == [SOON]


def test_what_is_canceled_ends_with_the_lease_it_has(database: Database, build: int) -> None:
    put_in(database, build, "CANCELING")

    assert not extend(database, build, 3)
    assert [lease.status for lease in held(database)] == [BuildStatus.CANCELING]


def test_what_nobody_holds_has_no_lease(database: Database) -> None:
    add_build(database, add_run(database), add_versions(database, "a")["a"])

    assert held(database) == []
