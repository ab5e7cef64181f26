"""Of two answers that cannot be improved, the one that leaves less behind of what was asked for."""

from functools import partial

import pytest

from graph.errors import GaveUp
from graph.lag import closer
from graph.problem import Problem
from graph.resolution import Question, Resolution, Strategy
from graph.search import Search
from graph.solver import find
from tests.graph.universe import Universe, pins, universe, wants


def seesaw(*, left: int, right: int) -> Universe:
    """Two packages of which only one can be new: `left` gives way in one step, `right` in as many as it has."""
    lines = [f"left {v} needs shared {'==2' if v == left else '>=1'}" for v in range(1, left + 1)]
    lines += [f"right {v} needs shared {'==1' if v > 1 else '>=1'}; deep{v}" for v in range(1, right + 1)]
    lines += [f"deep{v} 1 needs shared >=1" for v in range(1, right + 1)]
    return universe("\n".join([*lines, "shared 1 needs odd", "shared 2", "odd 1"]))


def test_a_requirement_is_not_left_far_behind_for_the_sake_of_another() -> None:
    assert pins(seesaw(left=3, right=9), "left", "right") == {
        "left": "2",
        "right": "9",
        "deep9": "1",
        "shared": "1",
        "odd": "1",
    }


def test_a_small_step_back_is_taken_as_it_comes() -> None:
    assert pins(seesaw(left=3, right=3), "left", "right")["left"] == "3"


def test_what_the_question_itself_shuts_out_is_not_missed() -> None:
    index = universe("\n".join(["tool 1", *(f"lib {v}" for v in range(1, 20))]))
    problem = Problem(index, Question(wants("lib <3", "tool")))
    found = Search(problem, lambda: False, most_conflicts=1).run()
    assert isinstance(found, dict)

    def not_worth_it(package: int) -> None:
        pytest.fail(f"{problem.names[package]} does not lag")

    assert closer(problem, found, not_worth_it) is found


def test_with_one_requirement_there_is_nothing_to_weigh() -> None:
    index = seesaw(left=3, right=9)

    assert pins(universe_with_app(index), "app")["left"] == "3"


def universe_with_app(index: Universe) -> Universe:
    """Let one package need both."""
    app = universe("app 1 needs left; right")
    index.add("app", "1", app.declared_by(app.versions_of("app")[0]))
    return index


def test_the_same_is_weighed_whichever_versions_are_preferred() -> None:
    lines = [f"left {v} needs shared {'==1' if v == 1 else '>=1'}" for v in range(1, 4)]
    lines += [f"right {v} needs shared {'==2' if v < 9 else '>=1'}" for v in range(1, 10)]
    index = universe("\n".join([*lines, "shared 1", "shared 2"]))
    found = find(index, Question(wants("left", "right"), strategy=Strategy.LOWEST))

    assert isinstance(found, Resolution)
    assert {pin.package: pin.version for pin in found.pins} == {"left": "2", "right": "1", "shared": "2"}


def test_an_answer_that_is_there_is_given_when_time_runs_out_for_another() -> None:
    index = seesaw(left=3, right=9)
    question = Question(wants("left", "right"))
    looks = 0

    def counting() -> bool:
        nonlocal looks
        looks += 1
        return False

    find(index, question, should_stop=counting)
    for most in range(looks):
        try:
            found = find(index, question, should_stop=partial(next, iter([False] * most), True))
        except GaveUp:
            continue
        assert isinstance(found, Resolution)
        return
    pytest.fail("time never ran out between the two")


def test_what_is_preferred_over_a_version_that_may_not_be_picked_is_no_question() -> None:
    problem = Problem(universe("a 1\na 2 yanked"), Question(wants("a")))
    admission = problem.admissions[problem.number("a")]

    assert admission.better(0b010) == 0
    with pytest.raises(ValueError, match="not admitted"):
        admission.better(0b100)
    with pytest.raises(ValueError, match="none of these"):
        admission.best(0b100)
