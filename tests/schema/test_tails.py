"""The newest events are read once for all, and are those that the log holds."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from resolvers.subscriptions import (
    BATCH,
    EventSelection,
    Progress,
    Stretch,
    Trimmed,
    Wanted,
    pick,
    read_events,
)
from schema import tails
from schema.tails import Tail
from storage.database import Database
from storage.events import Change, append
from storage.tables import EventKind, SubjectType
from tests.schema.world import NOW

ALL = EventSelection()
PACKAGES = ("a", "b", "c")
KINDS = (EventKind.PACKAGE_CHANGED, EventKind.VERSION_PUBLISHED, EventKind.BUILD_CHANGED)


def write(database: Database, number: int) -> int:
    """Append so many events of several kinds, packages and runs; return the position of the last."""
    changes = [
        Change(KINDS[each % 3], SubjectType.PACKAGE, each, PACKAGES[each % 2], run_id=each % 4 or None)
        for each in range(number)
    ]
    return database.write(lambda connection: append(connection, changes, at=NOW)).cursor


def count_reads(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows with every read."""
    reads, read = list[int](), database.read

    def counted() -> AbstractContextManager[Connection]:
        reads.append(1)
        return read()

    monkeypatch.setattr(database, "read", counted)
    return reads


def positions(stretch: Stretch | None) -> tuple[list[int], int]:
    assert stretch is not None
    return [row.seq for row in stretch.events], stretch.position


def test_what_is_new_is_read_once_for_all_who_wait_for_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = write(database, 3)
    newest = write(database, 5)
    reads = count_reads(database, monkeypatch)

    async def story() -> Sequence[Stretch | None]:
        tail = Tail(database)
        await tail.after(start, newest=newest)
        return await asyncio.gather(*(tail.after(start + each % 5, newest=newest) for each in range(50)))

    found = asyncio.run(story())

    assert len(reads) == 1
    for each, stretch in enumerate(found):
        assert positions(stretch) == (list(range(start + each % 5 + 1, newest + 1)), newest)


def test_whoever_is_further_behind_than_memory_reads_by_itself(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "_KEPT", 300)
    start = write(database, 400)

    async def story() -> None:
        tail, newest = Tail(database), write(database, 290)
        # Nobody has waited for what was before.
        first = await tail.after(start, newest=newest)
        assert positions(first) == (list(range(start + 1, start + BATCH + 1)), start + BATCH)
        assert await tail.after(start - 1, newest=newest) is None
        rest = await tail.after(start + BATCH, newest=newest)
        assert positions(rest) == (list(range(start + BATCH + 1, newest + 1)), newest)

        last = write(database, 100)
        assert positions(await tail.after(newest, newest=last)) == (list(range(newest + 1, last + 1)), last)
        assert await tail.after(start, newest=last) is None
        kept = last - 300
        assert positions(await tail.after(kept, newest=last))[0] == list(range(kept + 1, kept + BATCH + 1))

    asyncio.run(story())


def test_what_was_trimmed_meanwhile_is_told_by_the_log(database: Database) -> None:
    start = write(database, 5)

    async def story() -> None:
        tail = Tail(database)
        await tail.after(start, newest=write(database, 1))
        newest = write(database, 10)

        def trim(connection: Connection) -> None:
            connection.execute(text(f"DELETE FROM events WHERE seq < {newest - 2}"))

        database.write(trim)
        assert await tail.after(start + 1, newest=newest) is None
        assert read_events(database, start + 1, selection=ALL) == Trimmed(newest - 3)
        assert positions(await tail.after(newest, newest=newest)) == ([], newest)

    asyncio.run(story())


def test_a_failure_to_read_is_told_and_the_next_one_reads_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = write(database, 1)
    newest = write(database, 2)

    async def story() -> None:
        tail = Tail(database)
        with monkeypatch.context() as patch:
            patch.setattr(tail, "_read", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await tail.after(start, newest=newest)
        assert positions(await tail.after(start, newest=newest)) == ([start + 1, start + 2], newest)

    asyncio.run(story())


SELECTIONS = st.builds(
    EventSelection,
    kinds=st.none() | st.frozensets(st.sampled_from(KINDS)),
    packages=st.none() | st.frozensets(st.sampled_from(PACKAGES)),
    run=st.none() | st.integers(1, 4),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(1, 12), back=st.integers(0, 12), selection=SELECTIONS)
def test_what_is_picked_from_memory_is_what_the_database_would_tell(
    database: Database, number: int, back: int, selection: EventSelection
) -> None:
    newest = write(database, number)
    position = newest - min(back, newest)

    async def story() -> Progress:
        stretch = await Tail(database).after(position, newest=newest)
        assert stretch is not None
        return pick(database, stretch, selection=selection, wanted=Wanted())

    assert asyncio.run(story()) == read_events(database, position, selection=selection)
