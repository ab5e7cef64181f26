import pytest

import resolvers.plans
from graph.dependencies import Kind
from graph.resolution import Question
from resolvers.atlas import Atlas
from resolvers.errors import LimitExceeded, NotFound, NotPinned
from resolvers.loaded_graphs import Selection
from resolvers.plans import Plan, PlanRequest, build_plan
from resolvers.resolutions import Unsolved
from storage.database import Database
from tests.graph.universe import wants
from tests.resolvers.registry import add, stored

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


def test_without_packages_every_active_one_with_a_version_is_planned_at_its_latest(atlas: Atlas) -> None:
    plan = planned(atlas, PlanRequest())

    assert plan.order.waves == (("base", "checker", "lib"), ("tool",), ("app",))
    assert plan.versions == {"app": "1", "base": "1", "checker": "1", "lib": "2", "tool": "1"}
    assert plan.order.critical_path == ("base", "tool", "app")


def test_named_packages_are_planned_and_nothing_else(atlas: Atlas) -> None:
    assert planned(atlas, PlanRequest(packages=("tool", "base"))).order.waves == (("base",), ("tool",))


def test_dependents_are_planned_with_them_when_asked_for(atlas: Atlas) -> None:
    plan = planned(atlas, PlanRequest(packages=("tool",), include_dependents=True))

    assert plan.order.waves == (("tool",), ("app",))


def test_a_package_without_a_published_version_is_planned_without_one(atlas: Atlas) -> None:
    plan = planned(atlas, PlanRequest(packages=("empty",)))

    assert plan.order.waves == (("empty",),)
    assert plan.versions == {}


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
