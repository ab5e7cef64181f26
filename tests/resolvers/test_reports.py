"""What workers say of their builds, and what is made of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from resolvers.builds import cancel_build
from resolvers.errors import BadInput, LeaseLost, LimitExceeded, NotFound
from resolvers.policy import Policy
from resolvers.reports import (
    ArtifactRequest,
    LogRequest,
    ReportRequest,
    append_log,
    report,
)
from storage import artifacts, attempts, logs
from storage.build_rows import AttemptRow
from storage.columns import MAX_LOG
from storage.database import Database
from storage.errors import IllegalTransition
from storage.transitions import BuildConclusion, BuildStatus
from tests.resolvers.build_world import World, assert_sound

ASSIGNED, PREPARING, RUNNING = BuildStatus.ASSIGNED, BuildStatus.PREPARING, BuildStatus.RUNNING
FINALIZING, COMPLETED = BuildStatus.FINALIZING, BuildStatus.COMPLETED
SUCCESS, FAILURE, INFRA_ERROR = (
    BuildConclusion.SUCCESS,
    BuildConclusion.FAILURE,
    BuildConclusion.INFRA_ERROR,
)


@pytest.fixture
def world(database: Database) -> World:
    """One build, which a worker holds."""
    begun = World.of(database, "lib 1")
    begun.start("lib")
    begun.claim("w")
    return begun


def attempts_of(world: World) -> list[AttemptRow]:
    build = world.build("lib").id
    with world.database.read() as connection:
        return attempts.of_builds(connection, [build])[build]


def log_of(world: World) -> list[tuple[int, int, str]]:
    build = world.build("lib").id
    with world.database.read() as connection:
        page = logs.pages_of(connection, [build], limit=1000)[build]
    return [(line.attempt, line.number, line.text) for line in page]


def send(world: World, first_line: int, *lines: str, lease: str | None = None, limit: int = 1 << 24) -> None:
    request = LogRequest(world.build("lib").id, lease or world.lease("lib"), first_line, lines)
    append_log(world.database, request, policy=Policy(log_limit=limit), now=world.tick())


# progress


def test_a_build_goes_through_its_states_as_its_worker_says(world: World) -> None:
    assert world.tell("lib", PREPARING).status is PREPARING
    assert world.build("lib").started_at is None
    running = world.tell("lib", RUNNING, message="2 of 3")
    assert (running.status, running.message) == (RUNNING, "2 of 3")
    assert running.started_at is not None
    assert world.tell("lib", FINALIZING).started_at == running.started_at
    ended = world.tell("lib", COMPLETED, SUCCESS, output_digest="sha256:1")

    assert (ended.status, ended.conclusion, ended.output_digest) == (COMPLETED, SUCCESS, "sha256:1")
    assert (ended.message, ended.lease_expires_at, ended.worker) == ("2 of 3", None, "w")
    (attempt,) = attempts_of(world)
    assert (attempt.conclusion, attempt.started_at) == (SUCCESS, running.started_at)
    assert attempt.completed_at is not None
    assert_sound(world.database)


@pytest.mark.parametrize("status", [PREPARING, RUNNING, COMPLETED])
def test_states_on_the_way_may_be_left_out(world: World, status: BuildStatus) -> None:
    conclusion = SUCCESS if status is COMPLETED else None

    assert world.tell("lib", status, conclusion).status is status


def test_a_build_does_not_go_back(world: World) -> None:
    world.tell("lib", RUNNING)

    with pytest.raises(IllegalTransition, match="the build of lib 1 is RUNNING and cannot become PREPARING"):
        world.tell("lib", PREPARING)
    with pytest.raises(IllegalTransition, match="cannot become RUNNING"):
        world.tell("lib", RUNNING, message="said otherwise")


@pytest.mark.parametrize("status", [BuildStatus.BLOCKED, BuildStatus.QUEUED, ASSIGNED, BuildStatus.CANCELING])
def test_where_a_build_is_beside_its_worker_is_not_for_that_to_say(world: World, status: BuildStatus) -> None:
    world.tell("lib", RUNNING)

    with pytest.raises(BadInput, match="status: must be one of PREPARING, RUNNING, FINALIZING, COMPLETED"):
        world.tell("lib", status)


# repeated and late


def test_an_identical_report_changes_nothing(world: World) -> None:
    first = world.tell("lib", RUNNING, message="1")
    cursor = world.database.cursor()

    assert world.tell("lib", RUNNING, message="1") == first
    world.tell("lib", FINALIZING)
    assert world.tell("lib", RUNNING, message="1").status is FINALIZING
    ended = world.tell("lib", COMPLETED, FAILURE)
    assert world.tell("lib", COMPLETED, FAILURE) == ended
    assert world.database.cursor() == cursor + 3


def test_an_identical_end_is_answered_also_when_the_build_has_gone_on(world: World) -> None:
    world.tell("lib", COMPLETED, INFRA_ERROR)
    first = world.lease("lib")
    world.tick(60)
    world.claim("v")

    answer = world.tell("lib", COMPLETED, INFRA_ERROR, lease=first)

    assert (answer.status, answer.worker) == (ASSIGNED, "v")


def test_who_has_said_how_it_ended_cannot_say_otherwise(world: World) -> None:
    world.tell("lib", RUNNING)
    world.tell("lib", COMPLETED, FAILURE)

    for status, conclusion in ((COMPLETED, SUCCESS), (FINALIZING, None), (RUNNING, None)):
        with pytest.raises(IllegalTransition, match="the build of lib 1 is COMPLETED and cannot become"):
            world.tell("lib", status, conclusion)


def test_who_has_lost_its_lease_is_told_so(world: World) -> None:
    first = world.lease("lib")
    world.recover(after=4000)
    for status, conclusion in ((RUNNING, None), (COMPLETED, SUCCESS)):
        with pytest.raises(LeaseLost, match="the build is QUEUED"):
            world.tell("lib", status, conclusion)
    world.claim("v")
    for status, conclusion in ((RUNNING, None), (COMPLETED, SUCCESS)):
        with pytest.raises(LeaseLost, match="the build was given to another since"):
            world.tell("lib", status, conclusion, lease=first)

    assert world.build("lib").status is ASSIGNED


def test_who_let_the_last_attempt_fall_is_told_so(database: Database) -> None:
    world = World.of(database, "lib 1")
    world.start("lib", max_attempts=1)
    world.claim()
    world.recover(after=4000)

    with pytest.raises(LeaseLost, match="the build is COMPLETED, INFRA_ERROR"):
        world.tell("lib", COMPLETED, SUCCESS)


def test_a_report_of_no_build_or_under_no_lease_is_refused(world: World) -> None:
    with pytest.raises(LeaseLost, match="it was never given out"):
        world.tell("lib", RUNNING, lease="2")
    request = ReportRequest(99, "1", RUNNING)
    with pytest.raises(NotFound, match="there is no build of this id"):
        report(world.database, request, policy=Policy(), jitter=0, now=world.tick())


# ends


@pytest.mark.parametrize("conclusion", [FAILURE, BuildConclusion.TIMED_OUT, BuildConclusion.CANCELED])
def test_some_ends_are_final(world: World, conclusion: BuildConclusion) -> None:
    row = world.tell("lib", COMPLETED, conclusion, message="because")

    assert (row.status, row.conclusion, row.message) == (COMPLETED, conclusion, "because")


def test_an_error_that_is_not_the_packages_is_tried_again_after_a_while(world: World) -> None:
    row = world.tell("lib", COMPLETED, INFRA_ERROR, message="no disk", jitter=0)

    assert (row.status, row.conclusion, row.message, row.lease_expires_at) == (
        "QUEUED",
        None,
        "no disk",
        None,
    )
    assert row.not_before is not None
    assert timedelta(seconds=2.5) <= row.not_before - world.now < timedelta(seconds=2.51)
    assert attempts_of(world)[0].conclusion is INFRA_ERROR
    world.tick(3)
    world.claim()
    assert world.build("lib").message is None
    again = world.tell("lib", COMPLETED, INFRA_ERROR, jitter=1)
    assert again.not_before is not None
    assert timedelta(seconds=10) <= again.not_before - world.now < timedelta(seconds=10.01)
    world.tick(11)
    world.claim()

    last = world.tell("lib", COMPLETED, INFRA_ERROR)

    assert (last.status, last.conclusion, last.attempt, last.not_before) == (
        COMPLETED,
        INFRA_ERROR,
        3,
        None,
    )


def test_what_is_done_when_it_is_canceled_is_done(world: World) -> None:
    cancel_build(world.database, world.build("lib").id, reason="stop", now=world.tick())

    with pytest.raises(IllegalTransition, match="is CANCELING and cannot become RUNNING"):
        world.tell("lib", RUNNING)
    assert world.tell("lib", COMPLETED, SUCCESS).conclusion is SUCCESS


@pytest.mark.parametrize("conclusion", [FAILURE, BuildConclusion.TIMED_OUT, INFRA_ERROR])
def test_what_is_canceled_has_not_failed(world: World, conclusion: BuildConclusion) -> None:
    world.cancel("lib")

    assert world.tell("lib", COMPLETED, conclusion).conclusion is BuildConclusion.CANCELED
    assert attempts_of(world)[0].conclusion is BuildConclusion.CANCELED


def test_what_was_produced_is_kept_with_its_attempt(world: World) -> None:
    world.tell("lib", RUNNING, artifacts=(ArtifactRequest("log", "file:///1"),))
    produced = (ArtifactRequest("wheel", "file:///2", "sha256:2", 3.0), ArtifactRequest("log", "file:///3"))
    world.tell("lib", COMPLETED, SUCCESS, artifacts=produced)

    build = world.build("lib").id
    with world.database.read() as connection:
        rows = artifacts.of_builds(connection, [build])[build]
    assert sorted((row.name, row.uri, row.digest, row.size_bytes) for row in rows) == [
        ("log", "file:///3", None, None),
        ("wheel", "file:///2", "sha256:2", 3),
    ]


@pytest.mark.parametrize(
    ("said", "refusal", "complaint"),
    [
        ({"status": COMPLETED}, BadInput, "conclusion: must be one of SUCCESS, FAILURE"),
        ({"status": COMPLETED, "conclusion": BuildConclusion.UNCHANGED}, BadInput, "conclusion: must be"),
        ({"status": RUNNING, "conclusion": SUCCESS}, BadInput, "conclusion: a build has a conclusion"),
        ({"status": RUNNING, "output_digest": "x"}, BadInput, "outputDigest: a build has a conclusion"),
        ({"status": RUNNING, "message": "\0"}, BadInput, "message"),
        ({"status": RUNNING, "artifacts": [("x", "y")] * 1001}, LimitExceeded, "1,001 artifacts"),
        ({"status": RUNNING, "artifacts": [("", "file:///1")]}, BadInput, "artifacts.0.name"),
        (
            {"status": RUNNING, "artifacts": [("x", "file:///1", None, 0.5)]},
            BadInput,
            "artifacts.0.sizeBytes",
        ),
        (
            {"status": RUNNING, "artifacts": [("x", "file:///1", None, float("nan"))]},
            BadInput,
            "artifacts.0.sizeBytes: must be a whole number",
        ),
        ({"status": RUNNING, "artifacts": [("x", "file:///1", None, -1)]}, BadInput, "artifacts.0.sizeBytes"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    world: World, said: Mapping[str, Any], refusal: type[Exception], complaint: str
) -> None:
    before = world.build("lib")
    produced = tuple(ArtifactRequest(*each) for each in said.get("artifacts", ()))

    with pytest.raises(refusal, match=complaint):
        world.tell("lib", **{**said, "artifacts": produced})

    assert world.build("lib") == before


# output


def test_lines_are_kept_in_order_each_once(world: World) -> None:
    send(world, 0, "a", "b")
    send(world, 2, "c")
    send(world, 1, "b", "c", "d")
    send(world, 0, "a")
    send(world, 4)

    assert log_of(world) == [(1, 0, "a"), (1, 1, "b"), (1, 2, "c"), (1, 3, "d")]


def test_each_attempt_has_lines_of_its_own(world: World) -> None:
    send(world, 0, "first")
    world.tell("lib", COMPLETED, INFRA_ERROR)
    world.tick(60)
    world.claim()
    send(world, 0, "second")

    assert log_of(world) == [(1, 0, "first"), (2, 0, "second")]


def test_lines_that_do_not_follow_are_refused(world: World) -> None:
    send(world, 0, "a")

    with pytest.raises(BadInput, match="firstLine: is 2, and the next line of this attempt is 1"):
        send(world, 2, "c")


def test_of_an_attempt_no_more_is_kept_than_the_limit_says(world: World) -> None:
    send(world, 0, "12345", "12345", "12345", limit=12)
    send(world, 3, "more", limit=12)

    cut = "… the log is cut here: no more than 12 characters of it are kept"
    assert log_of(world) == [(1, 0, "12345"), (1, 1, "12345"), (1, 2, cut)]


def test_much_output_is_kept_in_several_rows(world: World) -> None:
    line = "x" * 90_000
    many = MAX_LOG // 90_000 + 2

    send(world, 0, *[line] * many)

    assert [number for _, number, _ in log_of(world)] == list(range(many))


def test_what_no_database_can_hold_is_kept_as_well_as_it_can(world: World) -> None:
    send(world, 0, "a\0b", "\ud800")

    assert [text for _, _, text in log_of(world)] == ["a�b", "?"]


def test_who_holds_the_build_no_more_may_only_repeat_its_lines(world: World) -> None:
    send(world, 0, "a")
    world.tell("lib", COMPLETED, SUCCESS)
    send(world, 0, "a")

    with pytest.raises(LeaseLost, match="the build is COMPLETED, SUCCESS"):
        send(world, 1, "b")
    with pytest.raises(LeaseLost, match="it was never given out"):
        send(world, 0, "a", lease="7")


@pytest.mark.parametrize(
    ("first_line", "lines", "refusal", "complaint"),
    [
        (-1, ("a",), BadInput, "firstLine: must be 0 or more, not -1"),
        (0, ("a\nb",), BadInput, "lines.0: a line holds no line break"),
        (0, ("a", "x" * 100_001), BadInput, "lines.1: a line of 100,001 characters"),
        (0, ("a",) * 10_001, LimitExceeded, "10,001 lines"),
    ],
)
def test_lines_that_make_no_sense_are_refused(
    world: World, first_line: int, lines: tuple[str, ...], refusal: type[Exception], complaint: str
) -> None:
    with pytest.raises(refusal, match=complaint):
        send(world, first_line, *lines)
