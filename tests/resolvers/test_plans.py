from datetime import timedelta

import pytest

import resolvers.plans
from graph.dependencies import Kind
from graph.resolution import Question
from resolvers.atlas import Atlas
from resolvers.errors import LimitExceeded, NotFound, NotPinned
from resolvers.loaded_graphs import Selection
from resolvers.plans import Plan, PlanRequest, build_plan
from resolvers.resolutions import Unsolved
from storage import packages, versions
from storage.database import Database
from storage.transitions import BuildConclusion
from tests.graph.universe import wants
from tests.resolvers.registry import NOW, add, stored
from tests.storage.build_world import add_build, add_run, put_in

REGISTRY = """
    app 1 needs lib <2; [BUILD] tool; [TEST] checker
    lib 1 needs base
    lib 2
    base 1
    tool 1 needs base
    checker 1
    package empty active
    package old archived
    old 1 needs base
"""


@pytest.fixture
def atlas(database: Database) -> Atlas:
    return stored(database, REGISTRY)


def planned(atlas: Atlas, request: PlanRequest) -> Plan:
    answer = build_plan(atlas, request)
    assert isinstance(answer, Plan)
    return answer


def add_history(atlas: Atlas, plan: Plan, package: str, seconds: float) -> None:
    """Write a build of a planned version that has succeeded after some seconds."""
    database = atlas.database
    version = (plan.package_ids[package], plan.version_ids[package])
    id_ = add_build(database, add_run(database), version)
    put_in(database, id_, "ASSIGNED", "RUNNING", started_at=NOW)
    ended = NOW + timedelta(seconds=seconds)
    put_in(database, id_, "COMPLETED", conclusion=BuildConclusion.SUCCESS, completed_at=ended)


def stored_at(atlas: Atlas, plan: Plan) -> dict[str, tuple[str, str]]:
    """Return the package and the version that are stored where the plan says, by the package that it says it of."""
    with atlas.database.read() as connection:
        rows = versions.by_ids(connection, plan.version_ids.values())
        owners = packages.by_ids(connection, plan.package_ids.values())
    assert all(rows[id_].package_id == plan.package_ids[name] for name, id_ in plan.version_ids.items())
    return {
        name: (owners[plan.package_ids[name]].name, rows[id_].version)
        for name, id_ in plan.version_ids.items()
    }


def test_without_packages_every_active_one_with_a_version_is_planned_at_its_latest(atlas: Atlas) -> None:
    plan = planned(atlas, PlanRequest())

    assert plan.order.waves == (("base", "checker", "lib"), ("tool",), ("app",))
    assert plan.versions == {"app": "1", "base": "1", "checker": "1", "lib": "2", "tool": "1"}
    assert plan.order.critical_path == ("base", "tool", "app")
    assert plan.order.critical_path_seconds is None
    assert plan.order.needs == {
        "app": ("lib", "tool"),
        "base": (),
        "checker": (),
        "lib": (),
        "tool": ("base",),
    }
    assert stored_at(atlas, plan) == {name: (name, version) for name, version in plan.versions.items()}
    assert plan.seconds == {}


def test_named_packages_are_planned_and_nothing_else(atlas: Atlas) -> None:
    assert planned(atlas, PlanRequest(packages=("tool", "base"))).order.waves == (("base",), ("tool",))


def test_dependents_are_planned_with_them_when_asked_for(atlas: Atlas) -> None:
    plan = planned(atlas, PlanRequest(packages=("tool",), include_dependents=True))

    assert plan.order.waves == (("tool",), ("app",))


def test_a_package_without_a_published_version_is_planned_without_one(atlas: Atlas) -> None:
    plan = planned(atlas, PlanRequest(packages=("empty",)))

    assert plan.order.waves == (("empty",),)
    assert (plan.versions, plan.version_ids, plan.package_ids) == ({}, {}, {})


def test_only_the_kinds_asked_for_order_the_builds(atlas: Atlas) -> None:
    request = PlanRequest(packages=("app", "base", "tool"), selection=Selection(kinds=Kind.TEST))

    assert planned(atlas, request).order.waves == (("app", "base", "tool"),)


def test_cycles_are_named_and_cut(atlas: Atlas) -> None:
    add(atlas, "x 1 needs y\ny 1 needs x")

    plan = planned(atlas, PlanRequest(packages=("x", "y")))

    assert [cycle.packages for cycle in plan.order.cycles] == [("x", "y")]
    assert len(plan.order.waves) == 2
    assert len(plan.order.cut_edges) == 1


def test_what_is_solved_first_is_planned_by_the_needs_of_its_pins(atlas: Atlas) -> None:
    plan = planned(atlas, PlanRequest(resolve=Question(wants("app"), kinds=Kind.RUNTIME | Kind.BUILD)))

    assert plan.order.waves == (("base",), ("lib", "tool"), ("app",))
    assert plan.versions == {"app": "1", "base": "1", "lib": "1", "tool": "1"}
    assert stored_at(atlas, plan) == {name: (name, "1") for name in plan.versions}


def test_how_long_builds_took_says_which_chain_is_the_longest(atlas: Atlas) -> None:
    first = planned(atlas, PlanRequest())
    for package, seconds in (("base", 2.0), ("lib", 60.0), ("tool", 1.0)):
        add_history(atlas, first, package, seconds)

    plan = planned(atlas, PlanRequest())

    assert plan.seconds == {"base": 2.0, "lib": 60.0, "tool": 1.0}
    assert plan.order.critical_path == ("lib", "app")
    assert plan.order.critical_path_seconds == 81.0
    assert plan.order.remaining == {"app": 21.0, "base": 24.0, "checker": 21.0, "lib": 81.0, "tool": 22.0}


def test_only_the_history_of_what_is_planned_counts(atlas: Atlas) -> None:
    first = planned(atlas, PlanRequest())
    add_history(atlas, first, "lib", 60.0)
    add_history(atlas, first, "tool", 4.0)

    plan = planned(atlas, PlanRequest(packages=("app", "tool")))

    assert plan.seconds == {"tool": 4.0}
    assert plan.order.remaining == {"app": 4.0, "tool": 8.0}


def test_pins_take_as_long_as_other_versions_of_their_packages_took(atlas: Atlas) -> None:
    latest = planned(atlas, PlanRequest())
    assert latest.versions["lib"] == "2"
    add_history(atlas, latest, "lib", 30.0)

    plan = planned(atlas, PlanRequest(resolve=Question(wants("app"))))

    assert plan.versions["lib"] == "1"
    assert plan.seconds == {"lib": 30.0}
    assert plan.order.critical_path_seconds == 90.0


def test_a_plan_over_pins_is_narrowed_to_the_packages_named(atlas: Atlas) -> None:
    question = Question(wants("app"), kinds=Kind.RUNTIME | Kind.BUILD)

    narrowed = planned(atlas, PlanRequest(packages=("lib",), resolve=question))
    widened = planned(atlas, PlanRequest(packages=("lib",), resolve=question, include_dependents=True))

    assert narrowed.order.waves == (("lib",),)
    assert widened.order.waves == (("lib",), ("app",))


def test_a_plan_over_nothing_is_empty(atlas: Atlas) -> None:
    assert planned(atlas, PlanRequest(resolve=Question(()))).order.waves == ()


def test_what_cannot_be_solved_cannot_be_planned(atlas: Atlas) -> None:
    assert isinstance(build_plan(atlas, PlanRequest(resolve=Question(wants("app", "lib >=2")))), Unsolved)


def test_a_name_that_is_not_registered_is_refused_with_close_ones(atlas: Atlas) -> None:
    with pytest.raises(NotFound, match="there is no package tol; did you mean tool"):
        build_plan(atlas, PlanRequest(packages=("tol",)))


def test_a_name_that_is_only_required_is_no_package_to_build(atlas: Atlas) -> None:
    add(atlas, "user 1 needs ghost")

    with pytest.raises(NotFound, match="there is no package ghost"):
        build_plan(atlas, PlanRequest(packages=("ghost",)))


def test_a_package_that_is_not_among_the_pins_is_refused_as_such(atlas: Atlas) -> None:
    with pytest.raises(NotPinned, match="'old' is not among the pins"):
        build_plan(atlas, PlanRequest(packages=("old",), resolve=Question(wants("app"))))


def test_what_cannot_be_a_name_is_refused_and_not_echoed_whole(atlas: Atlas) -> None:
    with pytest.raises(NotFound) as refused:
        build_plan(atlas, PlanRequest(packages=("tool " * 200_000,)))

    assert len(str(refused.value)) < 500
    assert (refused.value.path, refused.value.suggestions) == (("packages",), ())


def test_a_plan_of_too_many_builds_is_refused(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolvers.plans, "MOST_BUILDS", 2)

    with pytest.raises(LimitExceeded, match="5 builds, at most 2"):
        build_plan(atlas, PlanRequest())
