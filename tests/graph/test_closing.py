"""The same laws where a SAT solver decides whether there is a solution."""

import pytest
from hypothesis import HealthCheck, given, settings

from graph import closing, refutation, solver
from graph.problem import Problem
from graph.refutation import Refutation
from graph.resolution import Conflict, Question, Requirement, Strategy
from graph.satisfier import Stopped, cadical
from graph.solver import find, solve
from graph.terms import Incompatibility
from tests.graph.oracle import every_solution, satisfies
from tests.graph.strategies import questions, universes
from tests.graph.test_solver_laws import ranks_of
from tests.graph.universe import Universe, pigeons, universe, wants


def never() -> bool:
    return False


def decided(index: Universe, question: Question) -> dict[str, str] | None:
    """Let the SAT solver decide from the start."""
    problem = Problem(index, question)
    found = closing.decide(problem, cadical, never)
    if isinstance(found, Incompatibility):
        return None
    return {problem.names[package]: problem.version(package, bit).text for package, bit in found.items()}


@settings(max_examples=300, deadline=None)
@given(universes(), questions())
def test_an_answer_is_found_exactly_when_trying_everything_finds_one(
    index: Universe, question: Question
) -> None:
    pins = decided(index, question)

    solutions = list(every_solution(index, question))
    assert (pins is not None) == bool(solutions)
    if pins is not None:
        mine = {name: next(v for v in index.versions_of(name) if v.text == pins[name]) for name in pins}
        assert satisfies(index, question, mine)
        ranks = ranks_of(index, question)
        for other in solutions:
            if other.keys() == mine.keys():
                differing = [name for name in mine if other[name] != mine[name]]
                assert not differing or any(ranks[other[n].id] > ranks[mine[n].id] for n in differing)


@settings(max_examples=200, deadline=None)
@given(universes(), questions())
def test_facts_that_are_blamed_cannot_hold_together(index: Universe, question: Question) -> None:
    problem = Problem(index, question)
    found = closing.decide(problem, cadical, never)
    if not isinstance(found, Incompatibility):
        return

    assert found.terms == ()
    assert isinstance(found.cause, tuple)
    assert not any(isinstance(cause.cause, tuple) for cause in found.cause), "only declared facts are blamed"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(universes(), questions())
def test_a_question_that_is_handed_over_is_answered_and_explained_like_any_other(
    monkeypatch: pytest.MonkeyPatch, index: Universe, question: Question
) -> None:
    by_search = solve(index, question)
    monkeypatch.setattr(solver, "MOST_CONFLICTS", 1)
    handed_over = solve(index, question)
    monkeypatch.undo()

    assert type(handed_over) is type(by_search)
    if isinstance(by_search, Conflict) and isinstance(handed_over, Conflict):
        assert handed_over.steps[-1].text.endswith("your requirements cannot be met")
        assert {asked.requirement for asked in handed_over.core} <= {
            *question.requirements,
            *question.constraints,
            *question.overrides,
        }


def test_more_birds_than_holes_are_explained_by_a_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "MOST_CONFLICTS", 2)
    question = Question(wants(*(f"bird{b}" for b in range(1, 6))))

    bare = find(pigeons(5, 4), question)
    told = solve(pigeons(5, 4), question)

    assert isinstance(bare, Refutation)
    assert bare.is_bare
    assert isinstance(told, Conflict)
    assert len(told.core) == 5
    assert sum(step.kind.value == "DERIVED" for step in told.steps) > 5


def test_without_time_to_derive_them_the_facts_themselves_are_the_explanation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solver, "MOST_CONFLICTS", 2)
    question = Question(wants(*(f"bird{b}" for b in range(1, 6))))

    told = solve(pigeons(5, 4), question, explaining_stops=lambda: lambda: True)

    assert isinstance(told, Conflict)
    assert [step.kind.value for step in told.steps].count("DERIVED") == 1
    assert told.relaxations == ()
    assert told.message.splitlines()[1].startswith("A SAT solver has ruled out every combination")


def test_the_newest_versions_are_picked_that_go_together() -> None:
    index = universe("""
        app 2 needs left >=2; right >=2
        app 1 needs left; right
        left 1
        left 2 needs shared ==1
        left 3 needs shared ==2
        right 1
        right 2 needs shared ==1
        shared 1
        shared 2
    """)

    assert decided(index, Question(wants("app"))) == {"app": "2", "left": "2", "right": "2", "shared": "1"}
    lowest = Question(wants("app"), strategy=Strategy.LOWEST)
    assert decided(index, lowest) == {"app": "1", "left": "1", "right": "1"}


def test_a_solver_that_is_told_to_stop_gives_up() -> None:
    problem = Problem(universe("a 1"), Question((Requirement("a"),)))
    answers = iter([False])

    with pytest.raises(Stopped):
        closing.decide(problem, cadical, lambda: True)
    with pytest.raises(Stopped):
        closing.decide(problem, cadical, lambda: next(answers, True))


def test_more_facts_than_anyone_reads_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "MOST_CONFLICTS", 2)
    monkeypatch.setattr(refutation, "_MOST_FACTS", 20)
    question = Question(wants(*(f"bird{b}" for b in range(1, 8))))

    told = solve(pigeons(7, 6), question, explaining_stops=lambda: lambda: True)

    assert isinstance(told, Conflict)
    assert told.message.splitlines()[1:] == [
        "A SAT solver has ruled out every combination of the versions of 7 packages that they lead to; no reason "
        "short enough to be told was found in time."
    ]
    assert [step.kind.value for step in told.steps] == ["ROOT_REQUIREMENT"] * 7 + ["DERIVED"]
    assert told.steps[-1].causes == tuple(range(7))
    assert "no combination of the versions of 7 packages" in told.steps[-1].text
