"""How runs begin, replace each other, and are called off."""

from typing import Any

import pytest

from graph.resolution import Question
from resolvers import runs
from resolvers.errors import BadInput, Gone, NotFound
from resolvers.packages import delete
from resolvers.plans import PlanRequest
from resolvers.preparation import Preparation, StartRequest, prepare
from resolvers.resolutions import Unsolved
from resolvers.runs import NotStarted, RunChange, cancel_run, start
from resolvers.versions import StatusRequest, set_status
from storage import events
from storage.build_tables import BuildTrigger
from storage.builds import ALL, count
from storage.database import Database
from storage.errors import IllegalTransition
from storage.runs import by_ids
from storage.tables import EventKind
from storage.transitions import BuildConclusion, BuildStatus, PackageStatus, VersionStatus
from tests.graph.universe import wants
from tests.resolvers.build_world import World, assert_sound, needs_of

CHAIN = """
    base 1
    lib 1 needs base
    app 1 needs lib
"""


def test_what_waits_for_nothing_is_queued_and_the_rest_is_blocked(database: Database) -> None:
    world = World.of(database, CHAIN + "tool 1 needs base; lib")

    run = world.start("base", "lib", "app", "tool", priority=7, timeout_seconds=60, labels={"why": "test"})

    assert world.states(run) == {"base": "QUEUED", "lib": "BLOCKED", "app": "BLOCKED", "tool": "BLOCKED"}
    assert world.run(run) == "RUNNING"
    tool = world.build("tool")
    assert (tool.waiting_for, tool.priority, tool.timeout_seconds, tool.attempt) == (2, 7, 60, 0)
    names = world.names()
    assert [names[need.id] for need in needs_of(database, [tool.id])[tool.id]] == ["base", "lib"]
    assert_sound(database)


def test_dependencies_that_are_not_part_of_a_run_count_as_built(database: Database) -> None:
    world = World.of(database, CHAIN)

    run = world.start("base", "app")

    assert world.states(run) == {"base": "QUEUED", "app": "QUEUED"}


def test_what_is_named_has_the_trigger_of_the_run_and_what_depends_on_it_another(database: Database) -> None:
    world = World.of(database, CHAIN)

    world.start("base", dependents=True, trigger=BuildTrigger.SOURCE_CHANGE)

    triggers = {package: world.build(package).trigger for package in ("base", "lib", "app")}
    assert triggers == {"base": "SOURCE_CHANGE", "lib": "DEPENDENCY_CHANGE", "app": "DEPENDENCY_CHANGE"}


def test_without_names_every_active_package_has_the_trigger_of_the_run(database: Database) -> None:
    world = World.of(database, CHAIN + "package lib archived")

    run = world.start(trigger=BuildTrigger.NEW)

    assert world.states(run) == {"base": "QUEUED", "app": "QUEUED"}
    assert world.build("app").trigger is BuildTrigger.NEW


def test_a_run_is_started_once_for_a_key_whatever_else_is_asked_with_it(database: Database) -> None:
    world = World.of(database, CHAIN)
    first = world.ask("base", "lib", idempotency_key="nightly")

    again = world.ask("app", idempotency_key="nightly", priority=5)

    assert (first.created, again.created) == (True, False)
    assert again.run == first.run
    with database.read() as connection:
        assert count(connection, ALL) == 2


def test_a_run_of_nothing_is_a_success_at_once(database: Database) -> None:
    world = World.of(database, "package lib active")

    run = world.start()

    assert (world.states(run), world.run(run)) == ({}, "SUCCESS")


def test_what_lacks_something_that_is_not_registered_cannot_be_built_and_fails_the_rest(
    database: Database,
) -> None:
    world = World.of(
        database,
        """
        base 1
        lib 1 needs base; missing; base >=2
        app 1 needs lib; base
        site 1 needs app
        """,
    )

    run = world.start("base", "lib", "app", "site")

    states = {"base": "QUEUED", "lib": "UNRESOLVABLE", "app": "DEP_FAILED", "site": "DEP_FAILED"}
    assert world.states(run) == states
    assert world.causes(run) == {"app": "lib", "site": "lib"}
    assert world.build("lib").status_reason == (
        "no package missing is registered; no registered version of base satisfies >=2"
    )
    assert world.build("site").status_reason == "lib 1 ended as UNRESOLVABLE"
    assert_sound(database)


def test_a_run_of_which_nothing_can_be_built_fails_at_once(database: Database) -> None:
    world = World.of(database, "lib 1 needs missing\napp 1 needs lib")

    assert world.run(world.start("lib", "app")) == "FAILURE"


@pytest.mark.parametrize("need", ["[optional] missing", "[PEER] missing", "[TEST] missing", "old", "worn"])
def test_some_needs_are_never_lacking(database: Database, need: str) -> None:
    world = World.of(database, f"old 1 yanked\nworn 1 deprecated\nlib 1 needs {need}")

    assert world.states(world.start("lib")) == {"lib": "QUEUED"}


@pytest.mark.parametrize("status", ["draft", "quarantined"])
def test_a_version_that_is_not_published_does_not_satisfy(database: Database, status: str) -> None:
    world = World.of(database, f"base 1 {status}\nlib 1 needs base")

    assert world.states(world.start("lib")) == {"lib": "UNRESOLVABLE"}


def test_what_is_solved_is_built_as_it_is_pinned(database: Database) -> None:
    world = World.of(database, "lib 1\nlib 2\napp 1 needs lib <2")
    question = Question(wants("app"))

    answer = start(world.atlas, StartRequest(PlanRequest(resolve=question)), now=world.tick())

    assert isinstance(answer, RunChange)
    assert world.states(answer.run.id) == {"lib": "QUEUED", "app": "BLOCKED"}
    assert world.build("lib").version_id == 1


def test_what_cannot_be_solved_starts_nothing(database: Database) -> None:
    world = World.of(database, "lib 1\napp 1 needs lib >=2")
    cursor = database.cursor()

    answer = start(world.atlas, StartRequest(PlanRequest(resolve=Question(wants("app")))), now=world.tick())

    assert isinstance(answer, NotStarted)
    assert (answer.cursor, database.cursor()) == (cursor, cursor)


def test_a_cycle_is_built_in_an_order_with_what_was_cut_told(database: Database) -> None:
    world = World.of(database, "egg 1 needs hen\nhen 1 needs egg")

    change = world.ask("egg", "hen")

    assert len(change.run.cut_edges) == 1
    first = change.run.cut_edges[0].dependent
    assert world.states(change.run.id) == {first: "QUEUED", change.run.cut_edges[0].dependency: "BLOCKED"}
    world.end(first)
    world.end(change.run.cut_edges[0].dependency)
    assert world.run(change.run.id) == "SUCCESS"


@pytest.mark.parametrize(
    ("packages", "asked", "refusal", "complaint"),
    [
        (("unknown",), {}, NotFound, "there is no package unknown"),
        (("empty",), {}, BadInput, "plan.packages.0: package empty has no published version to build"),
        (("lib",), {"max_attempts": 0}, BadInput, "max_attempts"),
        (("lib",), {"timeout_seconds": 0}, BadInput, "timeout_seconds"),
        (("lib",), {"worker_labels": {"": "x"}}, BadInput, "worker_labels"),
        (("lib",), {"idempotency_key": ""}, BadInput, "idempotency_key"),
    ],
)
def test_what_makes_no_sense_is_refused(
    database: Database,
    packages: tuple[str, ...],
    asked: dict[str, Any],
    refusal: type[Exception],
    complaint: str,
) -> None:
    world = World.of(database, "lib 1\npackage empty active")

    with pytest.raises(refusal) as caught:
        world.start(*packages, **asked)

    assert complaint.replace("_", "") in str(caught.value).lower().replace("_", "")
    with database.read() as connection:
        assert count(connection, ALL) == 0


def test_what_was_deleted_while_it_was_being_planned_is_not_built(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World.of(database, CHAIN)

    def prepare_and_delete(*arguments: object) -> Preparation | Unsolved:
        prepared = prepare(*arguments)  # type: ignore[arg-type] # as it was called
        delete(database, "app", force=True, now=world.tick())
        return prepared

    monkeypatch.setattr(runs, "prepare", prepare_and_delete)

    with pytest.raises(Gone, match="app 1 was deleted while this was being planned: ask again"):
        world.start("base", "app")


def test_a_newer_run_replaces_what_nobody_has_claimed(database: Database) -> None:
    world = World.of(database, CHAIN)
    old = world.start("base", "lib", "app")

    new = world.start("base", "lib", "app")

    assert world.states(old) == dict.fromkeys(("base", "lib", "app"), "SUPERSEDED")
    assert world.run(old) == "SUPERSEDED"
    assert world.build("app", old).status_reason == f"run {new} builds it anew"
    assert world.states(new) == {"base": "QUEUED", "lib": "BLOCKED", "app": "BLOCKED"}
    assert_sound(database)


def test_what_a_worker_has_goes_on_beside_the_newer_run(database: Database) -> None:
    world = World.of(database, CHAIN)
    old = world.start("base", "lib")
    world.claim()

    new = world.start("base", "lib")

    assert world.states(old) == {"base": "ASSIGNED", "lib": "SUPERSEDED"}
    assert world.states(new) == {"base": "QUEUED", "lib": "BLOCKED"}
    world.end("base", run=old)
    assert world.run(old) == "SUPERSEDED"
    assert world.states(new) == {"base": "QUEUED", "lib": "BLOCKED"}


def test_who_waits_for_what_is_replaced_waits_for_what_replaces_it(database: Database) -> None:
    world = World.of(database, CHAIN)
    old = world.start("base", "lib", "app")

    new = world.start("base", "lib")
    assert world.states(old) == {"base": "SUPERSEDED", "lib": "SUPERSEDED", "app": "BLOCKED"}
    assert world.run(old) == "RUNNING"
    assert_sound(database)
    world.end("base")
    world.end("lib")

    assert world.run(new) == "SUCCESS"
    assert world.states(old)["app"] == "QUEUED"
    world.end("app")
    assert world.run(old) == "SUPERSEDED"
    assert_sound(database)


def test_who_waits_for_what_is_replaced_fails_when_that_cannot_be_built_any_more(database: Database) -> None:
    world = World.of(database, CHAIN + "site 1 needs app")
    old = world.start("lib", "app", "site")
    withdrawn = StatusRequest("base", "1", VersionStatus.QUARANTINED)
    set_status(database, withdrawn, now=world.tick())

    new = world.start("lib")

    assert world.states(new) == {"lib": "UNRESOLVABLE"}
    assert world.states(old) == {"lib": "SUPERSEDED", "app": "DEP_FAILED", "site": "DEP_FAILED"}
    assert world.build("site").cause_id == world.build("lib", new).id
    assert world.run(old) == "FAILURE"
    assert_sound(database)


def test_a_failure_among_what_was_replaced_is_the_runs(database: Database) -> None:
    world = World.of(database, "lib 1\napp 1")
    old = world.start("lib", "app")
    (claimed,) = world.claim(limit=1)
    world.end(claimed, BuildConclusion.FAILURE)

    world.start("lib", "app")

    assert world.run(old) == "FAILURE"


def test_builds_of_other_versions_are_not_replaced(database: Database) -> None:
    world = World.of(database, "lib 1")
    old = world.start("lib")
    world.publish("lib 2")

    world.start("lib")

    assert world.states(old) == {"lib": "QUEUED"}


def test_a_preparation_tells_what_would_be_and_writes_nothing(database: Database) -> None:
    world = World.of(database, CHAIN + "package app archived\nbroken 1 needs missing; lib")
    world.start("base", "lib")
    cursor = database.cursor()
    request = StartRequest(PlanRequest(("base", "lib", "app", "broken")))

    prepared = prepare(world.atlas, request)

    assert isinstance(prepared, Preparation)
    assert [(build.package, build.wave, build.conclusion or build.status) for build in prepared.builds] == [
        ("base", 0, "QUEUED"),
        ("lib", 1, "BLOCKED"),
        ("app", 2, "BLOCKED"),
        ("broken", 2, "UNRESOLVABLE"),
    ]
    assert [build.needs for build in prepared.builds] == [(), (0,), (1,), (1,)]
    assert prepared.builds[2].reason == "package app is ARCHIVED"
    assert prepared.supersedes == 2
    assert database.cursor() == cursor


def test_a_canceled_run_ends_at_once_what_nobody_has_and_calls_off_the_rest(database: Database) -> None:
    world = World.of(database, CHAIN + "tool 1")
    run = world.start("base", "lib", "app", "tool")
    world.claim(limit=1)

    row = world.cancel_run(run, "not today")

    assert (row.status, row.status_reason) == ("CANCELING", "not today")
    assert world.states(run) == {
        "base": "CANCELING",
        "lib": "CANCELED",
        "app": "CANCELED",
        "tool": "CANCELED",
    }
    assert world.build("app").status_reason == "not today"
    assert world.cancel_run(run, "really") == row
    world.end("base", BuildConclusion.FAILURE)
    assert world.states(run)["base"] == "CANCELED"
    assert world.run(run) == "CANCELED"
    assert_sound(database)


def test_a_run_that_is_canceled_has_failed_for_none_of_its_reasons(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib", "app")
    world.end("base")
    world.end("lib")
    world.claim()
    world.cancel_run(run)

    world.end("app")

    assert world.states(run) == dict.fromkeys(("base", "lib", "app"), "SUCCESS")
    assert world.run(run) == "CANCELED"


def test_a_run_that_nobody_has_begun_is_canceled_at_once_and_stays_so(database: Database) -> None:
    world = World.of(database, CHAIN)
    run = world.start("base", "lib")

    assert world.cancel_run(run).conclusion == "CANCELED"
    assert world.cancel_run(run, "again").status_reason is None


def test_what_has_ended_or_never_was_is_not_canceled(database: Database) -> None:
    world = World.of(database, "lib 1")
    run = world.start("lib")
    world.end("lib")

    with pytest.raises(IllegalTransition, match=f"run {run} is COMPLETED and cannot become CANCELING"):
        world.cancel_run(run)
    with pytest.raises(NotFound, match="there is no run of this id"):
        cancel_run(database, 99, reason=None, now=world.tick())
    with pytest.raises(BadInput, match="reason"):
        world.cancel_run(run, "x" * 100_000)


def test_what_waits_elsewhere_for_builds_of_a_canceled_run_fails(database: Database) -> None:
    world = World.of(database, CHAIN)
    old = world.start("base", "lib", "app")
    new = world.start("base", "lib")

    world.cancel_run(new)

    assert world.states(old)["app"] == "DEP_FAILED"
    assert world.causes(old) == {"app": "lib"}
    assert world.run(old) == "FAILURE"
    assert_sound(database)


def test_each_build_and_the_run_are_told_of_with_their_first_state(database: Database) -> None:
    world = World.of(database, CHAIN + "package app archived")
    cursor = database.cursor()

    change = world.ask("base", "lib", "app")

    with database.read() as connection:
        told = events.after(connection, cursor, limit=100)
    assert change.cursor == told[-1].seq == cursor + 4
    assert [(each.kind, each.package, each.run_id) for each in told] == [
        (EventKind.RUN_CHANGED, None, change.run.id),
        (EventKind.BUILD_CHANGED, "base", change.run.id),
        (EventKind.BUILD_CHANGED, "lib", change.run.id),
        (EventKind.BUILD_CHANGED, "app", change.run.id),
    ]
    assert None not in {each.transition_id for each in told}


def test_packages_out_of_use_begin_blocked_and_are_queued_once_they_are_back(database: Database) -> None:
    world = World.of(database, CHAIN + "package base quarantined\npackage lib archived")
    run = world.start("base", "lib")

    assert world.states(run) == {"base": "BLOCKED", "lib": "BLOCKED"}
    assert world.build("base").status_reason == "package base is QUARANTINED"
    assert world.claim() == []
    world.set_status("lib", PackageStatus.ACTIVE)
    assert world.states(run) == {"base": "BLOCKED", "lib": "BLOCKED"}
    world.set_status("base", PackageStatus.ACTIVE)
    assert world.states(run) == {"base": "QUEUED", "lib": "BLOCKED"}
    assert world.build("base").status_reason is None


def test_the_run_that_is_returned_is_as_it_is_stored(database: Database) -> None:
    world = World.of(database, "lib 1 needs missing")

    change = world.ask("lib", max_attempts=5, worker_labels={"os": "linux"})

    with database.read() as connection:
        assert by_ids(connection, [change.run.id])[change.run.id] == change.run
    assert (change.run.conclusion, change.run.max_attempts) == ("FAILURE", 5)
    assert world.build("lib").worker_labels == {"os": "linux"}
    assert world.build("lib").status is BuildStatus.COMPLETED
