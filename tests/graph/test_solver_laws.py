"""Laws of the solver, held against trying everything."""

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.constraints import parse_constraint
from graph.problem import Problem
from graph.resolution import Conflict, DerivationKind, Question, Resolution
from graph.solver import solve
from graph.terms import bits
from tests.graph.oracle import every_solution, satisfies, selection_of
from tests.graph.strategies import questions, universes
from tests.graph.universe import Universe


@settings(max_examples=400, deadline=None)
@given(universes(), questions())
def test_an_answer_is_found_exactly_when_trying_everything_finds_one(
    index: Universe, question: Question
) -> None:
    result = solve(index, question)

    assert isinstance(result, Resolution) == any(True for _ in every_solution(index, question))


@settings(max_examples=400, deadline=None)
@given(universes(), questions())
def test_an_answer_satisfies_every_constraint_and_holds_nothing_that_is_not_needed(
    index: Universe, question: Question
) -> None:
    result = solve(index, question)
    if isinstance(result, Conflict):
        return

    selection = selection_of(index, result)
    assert satisfies(index, question, selection)
    assert set(selection) == {edge.dependency for edge in result.edges}


@settings(max_examples=300, deadline=None)
@given(universes(), questions())
def test_no_package_of_an_answer_could_be_better_without_another_being_worse(
    index: Universe, question: Question
) -> None:
    result = solve(index, question)
    if isinstance(result, Conflict):
        return

    ranks = ranks_of(index, question)
    mine = selection_of(index, result)
    for other in every_solution(index, question):
        if other.keys() == mine.keys():
            differing = [name for name in mine if other[name] != mine[name]]
            assert not differing or any(ranks[other[n].id] > ranks[mine[n].id] for n in differing)


def ranks_of(index: Universe, question: Question) -> dict[int, int]:
    """Number the admitted versions of each package, the most preferred with 0."""
    problem = Problem(index, question)
    ranks = {}
    for name in "abcde":
        number = problem.number(name)
        admission = problem.admissions[number]
        left = admission.admitted
        for rank in range(left.bit_count()):
            best = admission.best(left)
            ranks[problem.version(number, bits(best)[0]).id] = rank
            left &= ~best
    return ranks


@settings(max_examples=200, deadline=None)
@given(universes(), questions(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_written_down_changes_nothing(
    index: Universe, question: Question, order: random.Random
) -> None:
    shuffled = Universe()
    versions = [(name, version) for name in "abcde" for version in index.versions_of(name)]
    order.shuffle(versions)
    for name in "abcde":
        if index.candidates([name]):
            shuffled.add_package(name)
    for name, version in versions:
        declared = list(index.declared_by(version))
        order.shuffle(declared)
        shuffled.add(name, version.text, declared, status=version.status)
    requirements = list(question.requirements)
    order.shuffle(requirements)

    assert solve(index, question) == solve(shuffled, replace(question, requirements=tuple(requirements)))


@settings(max_examples=300, deadline=None)
@given(universes(), questions())
def test_every_explanation_rests_on_declared_facts_and_cites_only_earlier_steps(
    index: Universe, question: Question
) -> None:
    result = solve(index, question)
    if isinstance(result, Resolution):
        return

    assert [step.index for step in result.steps] == list(range(len(result.steps)))
    for step in result.steps:
        assert (step.kind is DerivationKind.DERIVED) == bool(step.causes)
        assert all(cause < step.index for cause in step.causes)
        if step.kind is DerivationKind.DEPENDENCY:
            assert _is_declared(index, step.package, step.dependency)
            assert step.constraint is not None
            parse_constraint(step.constraint)
    cited = {cause for step in result.steps for cause in step.causes}
    assert cited == set(range(len(result.steps) - 1)), "every step serves the last one"
    assert result.message


def _is_declared(index: Universe, package: str | None, dependency: str | None) -> bool:
    assert package is not None
    return any(
        declared.package == dependency
        for version in index.versions_of(package)
        for declared in index.declared_by(version)
    )
