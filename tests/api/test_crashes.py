"""What was acknowledged is there, whole, after the server or its database was killed at any moment."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from resolvers import doctor
from storage.database import Database
from tests import crashes
from tests.crashes import Server, Told
from tests.databases import KINDS
from tests.postgres import Postgres, new_database


@contextmanager
def durable(kind: str, folder: Path) -> Iterator[tuple[str, Postgres | None]]:
    """Give the URL of a database that flushes what it commits, and its server if it has one."""
    if kind == "sqlite":
        yield str(folder / "atlas.db"), None
        return
    server = Postgres(durable=True)
    try:
        with new_database(server.url) as url:
            yield url, server
    finally:
        server.remove()


def check(url: str, told: Told) -> None:
    found = crashes.look(url, told)
    assert (found.lost, found.half) == (0, 0)
    assert found.whole >= len(told.published) > 0
    # Positions are given once, and in the order in which each was told.
    assert len(set(told.cursors)) == len(told.cursors)
    with closing(Database.open(url)) as database:
        assert doctor.examine(database).is_content


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_server_that_is_killed_loses_nothing_it_acknowledged(
    kind: str, workers: int, tmp_path: Path
) -> None:
    with durable(kind, tmp_path) as (url, _):
        told = crashes.kill_again_and_again(
            url, Server.kill, kills=3, longest=0.3, options=("--workers", str(workers))
        )

        check(url, told)


def test_a_database_server_that_is_killed_loses_nothing_either(tmp_path: Path) -> None:
    with durable("postgresql", tmp_path) as (url, postgres):
        assert postgres is not None

        def kill(server: Server) -> None:
            postgres.stop(signal.SIGKILL)
            server.kill()
            postgres.start()

        told = crashes.kill_again_and_again(url, kill, kills=2, longest=0.3)

        check(url, told)
