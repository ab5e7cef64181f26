"""How builds are handed to workers, and what workers hear of those that they hold."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from resolvers.claims import Beat, ClaimRequest, claim, heartbeat
from resolvers.errors import BadInput, LeaseLost, NotFound
from storage import attempts, workers
from storage.database import Database
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus
from tests.resolvers.build_world import World

LINUX = {"os": "linux"}


def beat(world: World, package: str, *, lease: str | None = None, seconds: int = 60) -> Beat:
    build = world.build(package)
    held = world.lease(package) if lease is None else lease
    return heartbeat(world.database, build.id, held, lease_seconds=seconds, now=world.tick())


def test_the_most_urgent_comes_first(database: Database) -> None:
    world = World.of(
        database,
        """
        a 1
        b 1
        c 1 needs b
        d 1
        z 1
        """,
    )
    world.start("a", "b", "c")
    world.start("z", priority=1)
    world.start("d", priority=-1)

    assert world.claim(limit=1) == ["z"]
    assert world.claim(limit=2) == ["b", "a"]
    assert world.claim() == ["d"]
    assert world.claim() == []


def test_among_equals_the_oldest_comes_first(database: Database) -> None:
    world = World.of(database, "b 1\na 1")
    world.start("b")
    world.start("a")

    assert world.claim() == ["b", "a"]


def test_what_is_claimed_is_held_under_a_new_lease_for_its_next_attempt(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")

    world.claim("w", lease=timedelta(seconds=30))

    build = world.build("lib")
    assert (build.status, build.worker, build.attempt, build.lease_token) == ("ASSIGNED", "w", 1, 1)
    assert build.lease_expires_at == world.now + timedelta(seconds=30)
    with database.read() as connection:
        (attempt,) = attempts.of_builds(connection, [build.id])[build.id]
    assert (attempt.number, attempt.worker, attempt.lease_token, attempt.conclusion) == (1, "w", 1, None)


@pytest.mark.parametrize(
    ("wanted", "offered", "is_given"),
    [
        ({}, {}, True),
        ({}, LINUX, True),
        (LINUX, LINUX, True),
        (LINUX, {**LINUX, "cpu": "arm"}, True),
        (LINUX, {}, False),
        (LINUX, {"os": "mac"}, False),
        ({**LINUX, "cpu": "arm"}, LINUX, False),
    ],
)
def test_a_worker_gets_only_what_wants_no_more_than_it_offers(
    database: Database, wanted: Mapping[str, str], offered: Mapping[str, str], is_given: bool
) -> None:
    world = World.of(database, "lib 1")
    world.start("lib", worker_labels=wanted)

    assert world.claim(labels=offered) == (["lib"] if is_given else [])


def test_builds_that_want_different_workers_are_ordered_together(database: Database) -> None:
    world = World.of(database, "a 1\nb 1\nc 1")
    world.start("a", worker_labels=LINUX, priority=1)
    world.start("b", priority=2)
    world.start("c", worker_labels=LINUX, priority=3)

    assert world.claim(labels=LINUX, limit=2) == ["c", "b"]


def test_what_is_to_wait_before_its_next_attempt_is_not_given_before(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    world.end("lib", BuildConclusion.INFRA_ERROR)
    assert world.build("lib").not_before is not None

    assert world.claim() == []
    world.tick(5)
    assert world.claim() == ["lib"]
    assert world.build("lib").not_before is None


def test_what_is_out_of_use_is_not_given(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    world.set_status("lib", PackageStatus.ARCHIVED)

    assert world.claim() == []


def test_the_same_request_is_answered_with_the_same_builds(database: Database) -> None:
    world = World.of(database, "a 1\nb 1\nc 1")
    world.start("a", "b", "c")
    first = world.claim("w", limit=2, request_id="r")
    leases = [world.lease(package) for package in first]

    assert world.claim("w", limit=2, request_id="r") == first
    assert [world.lease(package) for package in first] == leases
    world.end(first[0])
    assert world.claim("w", request_id="r") == first
    assert world.claim("w", request_id="other") == ["c"]


def test_requests_of_different_workers_are_different(database: Database) -> None:
    world = World.of(database, "a 1\nb 1")
    world.start("a", "b")

    assert world.claim("w", limit=1, request_id="r") == ["a"]
    assert world.claim("v", limit=1, request_id="r") == ["b"]


def test_a_request_that_was_answered_with_nothing_may_be_answered_with_something(database: Database) -> None:
    world = World.of(database, "lib 1")
    assert world.claim("w", request_id="r") == []
    world.start("lib")

    assert world.claim("w", request_id="r") == ["lib"]


def test_where_there_is_nothing_to_do_nothing_is_written(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.claim("w")
    cursor = database.cursor()
    with database.read() as connection:
        before = workers.by_names(connection, ["w"])

    assert world.claim("w") == []

    with database.read() as connection:
        assert workers.by_names(connection, ["w"]) == before
    assert database.cursor() == cursor


def test_who_asks_is_noted_with_what_it_offers(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.claim("w")
    world.claim("w", labels=LINUX)
    seen = world.now
    world.tick(120)
    world.claim("w", labels=LINUX)

    with database.read() as connection:
        row = workers.by_names(connection, ["w"])["w"]
    assert row.labels == LINUX
    assert row.last_seen_at == world.now > seen


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (ClaimRequest("w", limit=0), "limit: must be between 1 and 100, not 0"),
        (ClaimRequest("w", limit=101), "limit: must be between 1 and 100, not 101"),
        (ClaimRequest("w", lease_seconds=0), "leaseSeconds: must be between 1 and 86400, not 0"),
        (ClaimRequest("w", lease_seconds=86_401), "leaseSeconds: must be between 1 and 86400, not 86401"),
        (ClaimRequest("w", request_id=""), "requestId: must have 1 to"),
        (ClaimRequest("w", request_id="\0"), "requestId: must have 1 to"),
        (ClaimRequest(""), "name"),
        (ClaimRequest("w", labels={"": "x"}), "labels"),
    ],
)
def test_what_makes_no_sense_is_refused(database: Database, request_: ClaimRequest, complaint: str) -> None:
    world = World.of(database, "lib 1")

    with pytest.raises(BadInput, match=complaint):
        claim(database, request_, now=world.tick())


def test_a_heartbeat_has_the_lease_run_out_later(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    world.claim(lease=timedelta(seconds=10))

    answer = beat(world, "lib", seconds=60)

    assert answer == Beat(world.now + timedelta(seconds=60), cancel_requested=False)
    assert world.build("lib").lease_expires_at == answer.lease_expires_at
    assert world.recover(after=59) == 0


def test_a_heartbeat_tells_that_a_build_is_to_end_and_does_not_keep_it(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    world.claim(lease=timedelta(seconds=10))
    expires = world.build("lib").lease_expires_at
    world.cancel("lib")

    answer = beat(world, "lib")

    assert expires is not None
    assert answer == Beat(expires, cancel_requested=True)
    assert world.build("lib").lease_expires_at == expires


def test_a_heartbeat_of_one_who_holds_nothing_is_refused(database: Database) -> None:
    world = World.of(database, "lib 1\napp 1")
    world.start("lib", "app")
    world.claim(lease=timedelta(seconds=10))
    first = world.lease("lib")
    world.end("app")

    world.recover(after=10)
    with pytest.raises(
        LeaseLost, match="the build of lib 1 is not held under this lease: the build is QUEUED"
    ):
        beat(world, "lib")
    world.claim()
    with pytest.raises(LeaseLost, match="the build was given to another since"):
        beat(world, "lib", lease=first)
    with pytest.raises(LeaseLost, match="the build is COMPLETED, SUCCESS"):
        beat(world, "app")
    for lease in ("99", "", "0", "-1", "x", "9" * 30, "²"):
        with pytest.raises(LeaseLost, match="it was never given out"):
            beat(world, "lib", lease=lease)
    assert world.build("lib").status is BuildStatus.ASSIGNED


def test_a_heartbeat_that_makes_no_sense_is_refused(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    world.claim()

    with pytest.raises(BadInput, match="leaseSeconds: must be between 1 and 86400, not 0"):
        beat(world, "lib", seconds=0)
    with pytest.raises(NotFound, match="there is no build of this id"):
        heartbeat(database, 99, "1", lease_seconds=1, now=world.tick())


def test_who_is_heard_of_a_build_is_noted_once_a_minute(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib")
    world.claim("w")
    claimed = world.now

    beat(world, "lib")
    with database.read() as connection:
        assert workers.by_names(connection, ["w"])["w"].last_seen_at == claimed
    world.tick(90)
    beat(world, "lib")
    with database.read() as connection:
        assert workers.by_names(connection, ["w"])["w"].last_seen_at == world.now
