"""The solver and its explanations held against a SAT solver, where there is too much to try."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.problem import Problem
from graph.resolution import Conflict, Question, Resolution
from graph.solver import solve
from graph.terms import bits
from tests.graph.cores import check_core, check_relaxations
from tests.graph.explanations import (
    Facts,
    check_structure,
    is_cut_short,
    versions_told,
)
from tests.graph.oracle import selection_of
from tests.graph.registries import random_case
from tests.graph.sat_oracle import Meaning
from tests.graph.strategies import questions, universes
from tests.graph.universe import Universe

_BATCH = 50
_BATCHES = 16
_MANY_BATCHES = 100


def check_answer(index: Universe, question: Question) -> Resolution | Conflict:
    """Solve, and fail unless the answer is right, as good as can be, or a proof."""
    result = solve(index, question)
    meaning = Meaning(index, question)
    assert isinstance(result, Resolution) == meaning.is_solvable()
    if isinstance(result, Resolution):
        check_resolution(index, meaning, result)
    else:
        check_structure(result)
        check_core(index, question, result)
        assert Facts(index, question).prove_the_conflict(result), result.message
        check_relaxations(index, question, result)
    return result


def check_resolution(index: Universe, meaning: Meaning, result: Resolution) -> None:
    """Fail unless the pins satisfy everything, are all needed, and none could be better at no other's cost."""
    selection = selection_of(index, result)
    assert meaning.is_satisfied_by(selection)
    assert set(selection) == {edge.dependency for edge in result.edges}
    assert meaning.better_than(selection) is None


@settings(max_examples=300, deadline=None)
@given(universes(), questions())
def test_small_answers_are_right_and_small_conflicts_proven(index: Universe, question: Question) -> None:
    check_answer(index, question)


@settings(max_examples=150, deadline=None)
@given(st.integers(10**6, 10**9))
def test_answers_to_registries_of_any_seed_are_right_and_their_conflicts_proven(seed: int) -> None:
    registry, question = random_case(seed)

    check_answer(registry.built(), question)


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_large_answers_are_right_and_large_conflicts_proven(batch: int) -> None:
    check_batch(batch)


@pytest.mark.long
@pytest.mark.parametrize("batch", range(_BATCHES, _MANY_BATCHES))
def test_very_many_answers_are_right_and_their_conflicts_proven(batch: int) -> None:
    check_batch(batch)


def check_batch(batch: int) -> None:
    """Check a run of seeds, and that it holds what it is meant to hold."""
    results = [check_answer(index, question) for index, question in _batch(batch)]
    conflicts = [result for result in results if isinstance(result, Conflict)]
    assert 0.2 < len(conflicts) / len(results) < 0.8
    assert sum(result.statistics.conflicts > 1 for result in results) > _BATCH / 5


def _batch(number: int) -> Iterator[tuple[Universe, Question]]:
    for seed in range(number * _BATCH, (number + 1) * _BATCH):
        registry, question = random_case(seed)
        yield registry.built(), question


@pytest.mark.parametrize("most_conflicts", [1, 3])
@pytest.mark.parametrize("batch", range(_BATCHES // 4))
def test_answers_are_right_and_conflicts_proven_where_the_search_hands_over_early(
    monkeypatch: pytest.MonkeyPatch, batch: int, most_conflicts: int
) -> None:
    monkeypatch.setattr("graph.solver.MOST_CONFLICTS", most_conflicts)

    results = [check_answer(index, question) for index, question in _batch(-1 - batch)]

    assert any(result.statistics.conflicts == most_conflicts for result in results)
    assert all(result.statistics.conflicts <= most_conflicts for result in results)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9))
def test_what_may_be_picked_and_in_which_order_is_what_the_design_says(seed: int) -> None:
    registry, question = random_case(seed)
    index = registry.built()
    meaning, problem = Meaning(index, question), Problem(index, question)

    for name, _ in registry.statuses:
        assert [version.text for version in meaning.choices(name)] == _by_preference(problem, name)


def _by_preference(problem: Problem, name: str) -> list[str]:
    number = problem.number(name)
    admission = problem.admissions[number]
    left = admission.admitted
    texts = []
    while left:
        best = admission.best(left)
        texts.append(problem.version(number, bits(best)[0]).text)
        left &= ~best
    return texts


@pytest.mark.parametrize(
    ("described", "meant"),
    [
        ("any", ["1", "2", "3", "4", "5", "6"]),
        ("2", ["2"]),
        ("4 and newer", ["4", "5", "6"]),
        ("2 and older", ["1", "2"]),
        ("2 to 4", ["2", "3", "4"]),
        ("2 and 3", ["2", "3"]),
        ("1 or 3", ["1", "3"]),
        ("1, 3 to 5 or 6 and newer", ["1", "3", "4", "5", "6"]),
        ("1, 3 or 2 more", ["1", "3"]),
    ],
)
def test_the_reader_of_described_versions_knows_their_wording(described: str, meant: list[str]) -> None:
    index = Universe()
    for version in "123456":
        index.add("a", version)

    assert [version.text for version in versions_told(index.versions_of("a"), described)] == meant
    assert is_cut_short(described) == described.endswith("more")
