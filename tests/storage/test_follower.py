"""The sequencer of PostgreSQL's event log: one at a time, replaced when it dies or does nothing."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO

import psycopg
import pytest

from storage import events
from storage.database import Database
from storage.engines import follower
from storage.errors import Trouble, Unavailable
from storage.events import Change
from storage.tables import EventKind, SubjectType
from tests.postgres import migrated_database
from tests.storage.world import NOW

_CHANGE = Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, 1, "app")

_SEQUENCER = (
    "import sys, time\n"
    "from storage import events\n"
    "from storage.database import Database\n"
    "from tests.storage.test_follower import _CHANGE, NOW\n"
    "database = Database.open(sys.argv[1])\n"
    "database.write(lambda connection: events.append(connection, [_CHANGE], at=NOW))\n"
    "print('ready', flush=True)\n"
    "time.sleep(600)\n"
)


@pytest.fixture
def url() -> Iterator[str]:
    with migrated_database() as made:
        yield made


def write(database: Database) -> int:
    return database.write(lambda connection: events.append(connection, [_CHANGE], at=NOW)).cursor


@contextmanager
def another_sequencer(url: str) -> Iterator[int]:
    """Give the number of a process that is the sequencer."""
    with subprocess.Popen(
        [sys.executable, "-c", _SEQUENCER, url], stdout=subprocess.PIPE, cwd=os.getcwd(), text=True
    ) as process:
        assert _first_line(process.stdout) == "ready\n"
        try:
            yield process.pid
        finally:
            process.kill()


def _first_line(lines: IO[str] | None) -> str:
    assert lines is not None
    return lines.readline()


def test_an_event_gets_its_place_from_whatever_process_is_the_sequencer(url: str) -> None:
    with another_sequencer(url), closing(Database.open(url)) as database:
        assert [write(database), write(database)] == [2, 3]


def test_a_sequencer_that_is_killed_is_replaced(url: str) -> None:
    with another_sequencer(url) as process, closing(Database.open(url)) as database:
        assert write(database) == 2
        os.kill(process, signal.SIGKILL)

        assert write(database) == 3


def test_a_sequencer_that_does_nothing_is_replaced(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "_FROZEN_SECONDS", 0.2)
    monkeypatch.setattr(follower, "_INTERVAL_SECONDS", 0.1)

    with another_sequencer(url) as process, closing(Database.open(url)) as database:
        assert write(database) == 2
        os.kill(process, signal.SIGSTOP)

        assert write(database) == 3
        # It finds its connection ended, and what it would have done is done.
        os.kill(process, signal.SIGCONT)
        assert write(database) == 4


def test_an_event_that_gets_no_place_in_time_is_written_all_the_same(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_PATIENCE_SECONDS", 0.1)
    with psycopg.connect(url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (follower._LOCK,))
        with closing(Database.open(url)) as database:
            with pytest.raises(Unavailable, match="has written what was asked, but its place") as refused:
                write(database)
            with database.glance() as connection:
                assert events.packages_ahead(connection) == {"app"}
                assert events.newest(connection) == 0
            holder.execute("SELECT pg_advisory_unlock_all()")
            monkeypatch.undo()

            assert write(database) == 2

    assert refused.value.trouble is Trouble.UNPLACED


def test_one_who_watches_is_told_though_every_notification_is_lost(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "_EVENTS", "some_other_channel")
    monkeypatch.setattr(follower, "_INTERVAL_SECONDS", 0.05)
    told = threading.Event()

    with another_sequencer(url), closing(Database.open(url)) as database:
        database.watch(lambda position: told.set() if position == 1 else None)

        assert told.wait(10)


def test_a_log_that_cannot_be_followed_is_followed_again(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(follower, "_INTERVAL_SECONDS", 0.01)
    failures = iter([KeyError("a mistake"), psycopg.OperationalError("not now")])
    stamp = follower._Turn._stamp

    def failing(turn: follower._Turn) -> None:
        for failure in failures:
            raise failure
        stamp(turn)

    monkeypatch.setattr(follower._Turn, "_stamp", failing)

    with closing(Database.open(url)) as database:
        assert write(database) == 1

    assert "following the event log failed" in caplog.text
    assert "the event log cannot be followed: not now" in caplog.text


def test_many_events_at_once_each_get_a_place(url: str) -> None:
    changes = [_CHANGE] * 5_000

    with closing(Database.open(url)) as database:
        written = database.write(lambda connection: events.append(connection, changes, at=NOW))
        with database.read() as connection:
            log = events.after(connection, 0, limit=10_000)

    assert written.cursor == 5_000
    assert [row.seq for row in log] == list(range(1, 5_001))


def test_a_sequencer_that_is_busy_is_not_taken_for_frozen(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr(follower, "_FROZEN_SECONDS", 0.3)
    monkeypatch.setattr(follower, "_INTERVAL_SECONDS", 0.05)
    monkeypatch.setattr(follower, "_END_HOLDER", "SELECT 'ended'")
    monkeypatch.setattr(follower.log, "warning", lambda message, *_: ended.append(message))
    with closing(Database.open(url)) as database, psycopg.connect(url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", (follower._LOCK,))
        database.watch(lambda _: None)
        # Always behind, and always moving: as a log is that gets events faster than positions.
        for number in range(1, 11):
            insert = "INSERT INTO events (at, kind, subject_type, subject_id, seq) VALUES (now(), 'RUN_CHANGED', 'RUN', 1, %s)"
            holder.execute(insert, (number,))
            holder.execute(insert, (None,))
            time.sleep(0.1)
        assert ended == []

        # Behind, and standing still.
        deadline = time.monotonic() + 10
        while not ended:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_write_that_changes_nothing_is_placed_after_all_that_it_could_see(url: str) -> None:
    insert = "INSERT INTO events (id, at, kind, subject_type, subject_id, seq) VALUES (%s, now(), 'RUN_CHANGED', 'RUN', 1, %s)"
    with psycopg.connect(url, autocommit=True) as holder, closing(Database.open(url)) as database:
        holder.execute("SELECT pg_advisory_lock(%s)", (follower._LOCK,))
        # A later number was committed first, and has its place already.
        holder.execute(insert, (2, 1))
        holder.execute(insert, (1, None))
        holder.execute("SELECT pg_advisory_unlock_all()")

        assert database.write(lambda _: None).cursor == 2


def test_the_log_is_followed_through_any_descriptor(url: str) -> None:
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    taken = [os.open("/dev/null", os.O_RDONLY) for _ in range(1_100)]
    try:
        with closing(Database.open(url)) as database:
            assert write(database) == 1
            with another_sequencer(url):
                assert write(database) == 3
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
