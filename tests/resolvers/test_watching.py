"""Watching builds: as they are, and each change of those that match."""

import pytest
from sqlalchemy import Connection, text

from resolvers import watching
from resolvers.subscriptions import Progress, Trimmed, read_events
from resolvers.watching import WANTED, BuildWatch, Snapshot
from storage.builds import ALL, BuildFilter
from storage.database import Database
from storage.transitions import BuildConclusion, BuildStatus
from tests.resolvers.build_world import World

QUEUED = BuildFilter(statuses=(BuildStatus.QUEUED,))
FAILED = BuildFilter(conclusions=(BuildConclusion.FAILURE,))


def watch(world: World, filter: BuildFilter = ALL, *, is_resumed: bool = False) -> BuildWatch:
    return BuildWatch(world.database, filter, is_resumed=is_resumed)


def begin(watch: BuildWatch) -> Snapshot:
    """Take a snapshot that is small enough to be one part."""
    found = watch.snapshot(None, None)
    assert found.is_last
    return found


def changes(watch: BuildWatch, after: int) -> Progress | Trimmed:
    """Return what comes after a position, as whoever delivers it does."""
    found = read_events(watch.database, after, selection=watch.selection, wanted=WANTED)
    return found if isinstance(found, Trimmed) else watch.concerning(found)


def told(watch: BuildWatch, after: int) -> tuple[list[tuple[str | None, str]], int]:
    """Return the builds that the next events tell of, as they are now, and where to read on."""
    found = changes(watch, after)
    assert isinstance(found, Progress)
    builds = found.told.builds
    states = [
        (event.package, builds[event.subject_id].status.value if event.subject_id in builds else "gone")
        for event in found.events
    ]
    return states, found.position


def names(world: World, snapshot: Snapshot) -> list[str]:
    known = world.names()
    return [known[row.id] for row in snapshot.builds]


def test_it_begins_with_the_builds_that_match_newest_first(database: Database) -> None:
    world = World.of(database, "a 1\nb 1\nc 1 needs b")
    world.start("a", "b", "c")

    found = begin(watch(world, QUEUED))

    assert names(world, found) == ["b", "a"]
    assert found.position == database.cursor()
    assert names(world, begin(watch(world))) == ["c", "b", "a"]


def test_a_long_beginning_comes_in_parts_with_one_position(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SNAPSHOT", 2)
    world = World.of(database, "a 1\nb 1\nc 1\nd 1")
    world.start("a", "b", "c", "d")
    watched = watch(world)

    first = watched.snapshot(None, None)
    world.end("a")
    second = watched.snapshot(first.position, first.builds[-1].id)

    assert (names(world, first), first.is_last) == (["d", "c"], False)
    assert (names(world, second), second.is_last) == (["b", "a"], True)
    assert second.position == first.position
    # They are told although the second part has shown them already.
    assert told(watched, second.position)[0][-1] == ("a", "COMPLETED")


def test_without_builds_the_beginning_is_over_at_once(database: Database) -> None:
    world = World.of(database, "a 1")

    assert begin(watch(world)).builds == []


def test_changes_of_what_matches_follow_and_of_nothing_else(database: Database) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a", "b")
    watched = watch(world, BuildFilter(worker="w2"))
    at = begin(watched).position

    world.claim("w1", limit=1)
    world.claim("w2", limit=1)
    seen, at = told(watched, at)

    assert seen == [("b", "ASSIGNED")]
    world.tell("a", BuildStatus.RUNNING)
    world.tell("b", BuildStatus.RUNNING)
    assert told(watched, at) == ([("b", "RUNNING")], database.cursor())


def test_new_builds_that_match_are_told_of(database: Database) -> None:
    world = World.of(database, "a 1\nb 1 needs a")
    watched = watch(world, QUEUED)
    at = begin(watched).position

    world.start("a", "b")

    assert told(watched, at)[0] == [("a", "QUEUED")]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (BuildFilter(package="a"), [("a", "COMPLETED")]),
        (BuildFilter(package="a\0"), []),
        (BuildFilter(run_id=2), [("b", "COMPLETED")]),
        (BuildFilter(run_id=3), []),
        (FAILED, [("b", "COMPLETED")]),
        (BuildFilter(worker="w1"), [("a", "COMPLETED")]),
        (BuildFilter(statuses=()), []),
        (BuildFilter(run_id=2, conclusions=(BuildConclusion.SUCCESS,)), []),
    ],
)
def test_all_that_is_asked_for_must_be_so(
    database: Database, chosen: BuildFilter, expected: list[tuple[str, str]]
) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a")
    world.claim("w1", limit=1)
    world.start("b")
    world.claim("w2", limit=1)
    watched = watch(world, chosen)
    at = database.cursor()

    world.end("a")
    world.end("b", BuildConclusion.FAILURE)

    assert told(watched, at)[0] == expected
    assert [(name, "COMPLETED") for name in names(world, begin(watch(world, chosen)))] == expected


def test_what_stops_matching_is_told_once_more(database: Database) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a", "b")
    watched = watch(world, QUEUED)
    at = begin(watched).position

    world.claim(limit=1)
    left, at = told(watched, at)
    world.tell("a", BuildStatus.RUNNING)
    after, at = told(watched, at)
    world.tell("a", BuildStatus.COMPLETED, BuildConclusion.INFRA_ERROR)
    back, at = told(watched, at)
    world.cancel("a")
    again, at = told(watched, at)

    assert (left, after) == ([("a", "ASSIGNED")], [])
    assert (back, again) == ([("a", "QUEUED")], [("a", "COMPLETED")])


def test_what_came_to_match_by_a_change_is_told_once_more_too(database: Database) -> None:
    world = World.of(database, "a 1\nb 1 needs a")
    world.start("a", "b")
    world.claim()
    watched = watch(world, QUEUED)
    at = begin(watched).position

    world.end("a")
    came, at = told(watched, at)
    world.claim()
    left, _ = told(watched, at)

    assert (came, left) == ([("b", "QUEUED")], [("b", "ASSIGNED")])


def test_a_subscriber_who_resumes_is_told_what_may_have_matched_before(database: Database) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a")
    world.start("b")
    world.claim(limit=1)
    at = database.cursor()
    watched = watch(world, QUEUED, is_resumed=True)

    world.tell("a", BuildStatus.RUNNING)
    world.claim(limit=1)
    world.tell("b", BuildStatus.RUNNING)

    # Twice it came from somewhere, and once from the queue.
    assert told(watched, at)[0] == [("b", "RUNNING")]


def test_a_subscriber_who_resumes_is_not_told_of_what_began_since_and_does_not_match(
    database: Database,
) -> None:
    world = World.of(database, "a 1\nb 1 needs a")
    at = database.cursor()
    watched = watch(world, QUEUED, is_resumed=True)

    world.start("a", "b")
    world.claim()
    seen, at = told(watched, at)
    world.end("a")

    assert seen == []
    # From here on the watch knows itself who matches.
    came, at = told(watched, at)
    world.claim()
    assert came == [("b", "QUEUED")]
    assert told(watched, at)[0] == [("b", "ASSIGNED")]


def test_what_has_not_ended_cannot_have_matched_a_conclusion_before(database: Database) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a", "b")
    world.claim(limit=1)
    world.end("a", BuildConclusion.FAILURE)
    at = database.cursor()
    watched = watch(world, FAILED, is_resumed=True)

    world.claim()
    world.retry("a")

    assert told(watched, at)[0] == [("a", "QUEUED")]


def end_and_delete(world: World, package: str) -> None:
    """Have the build of a package end, and go with its package."""
    world.end(package)
    world.delete(package)


def test_what_goes_with_its_package_is_told_to_whom_it_matched(database: Database) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a", "b")
    watched = watch(world, QUEUED)
    at = begin(watched).position

    world.claim()
    end_and_delete(world, "a")

    assert told(watched, at)[0] == [("a", "gone"), ("b", "ASSIGNED")]


def test_what_goes_without_having_matched_is_not_told(database: Database) -> None:
    world = World.of(database, "a 1")
    world.start("a")
    world.claim()
    watched = watch(world, QUEUED)
    at = begin(watched).position

    end_and_delete(world, "a")

    assert told(watched, at)[0] == []


def test_what_goes_may_have_matched_for_a_subscriber_who_resumes(database: Database) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a", "b")
    world.claim(limit=1)
    at = database.cursor()
    watched = watch(world, QUEUED, is_resumed=True)

    end_and_delete(world, "a")
    end_and_delete(world, "b")

    assert told(watched, at)[0] == [("b", "gone")]


def test_changes_that_were_trimmed_are_told_to_be(database: Database) -> None:
    world = World.of(database, "a 1")
    world.start("a")
    watched = watch(world)
    at = begin(watched).position
    world.claim()
    world.tell("a", BuildStatus.RUNNING)
    newest = database.cursor()

    def trim(connection: Connection) -> None:
        connection.execute(text(f"DELETE FROM events WHERE seq < {newest}"))

    database.write(trim)

    assert changes(watched, at) == Trimmed(newest - 1)


def test_what_is_of_no_interest_is_not_read_twice(database: Database) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a")
    watched = watch(world, BuildFilter(package="b"))
    at = begin(watched).position

    world.claim()
    world.tell("a", BuildStatus.PREPARING)
    world.tell("a", BuildStatus.RUNNING)

    assert told(watched, at) == ([], database.cursor())
