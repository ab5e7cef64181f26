"""Minimal cores: what cannot hold together, and could if any one of it were left out."""

from dataclasses import replace
from functools import partial

from hypothesis import given, settings

from graph.core import Core, entries, limited, minimal_core, only
from graph.errors import GaveUp
from graph.refutation import Refutation
from graph.resolution import Asked, Conflict, Question, Requirement, Resolution, Source
from graph.solver import find, solve
from tests.graph.strategies import questions, universes
from tests.graph.universe import Universe, conflict, pigeons, universe, wants


def core_of(index: Universe, question: Question) -> list[str]:
    return [f"{asked.source} {asked.requirement}" for asked in conflict(index, question).core]


def test_only_the_requirements_that_cannot_hold_together_are_in_the_core() -> None:
    index = universe("""
        a 1 needs x ==1
        b 1 needs x ==2
        c 1 needs x
        x 1
        x 2
    """)

    assert core_of(index, Question(wants("a", "b", "c"))) == ["REQUIREMENT a", "REQUIREMENT b"]


def test_constraints_and_overrides_are_in_the_core_where_they_are_to_blame() -> None:
    index = universe("""
        app 1 needs lib >=2
        lib 1
        lib 2
    """)
    question = Question(wants("app"), constraints=wants("lib <2", "app"), overrides=wants("app"))

    assert core_of(index, question) == ["REQUIREMENT app", "CONSTRAINT lib <2"]
    assert core_of(index, Question(wants("app"), overrides=wants("lib >=9", "app <9"))) == [
        "REQUIREMENT app",
        "OVERRIDE lib >=9",
    ]


def test_a_package_required_twice_is_in_the_core_with_both_or_with_the_one_to_blame() -> None:
    index = universe("lib 1\nlib 2\nlib 3")

    assert core_of(index, Question(wants("lib >=3", "lib <3", "lib"))) == [
        "REQUIREMENT lib <3",
        "REQUIREMENT lib >=3",
    ]
    assert core_of(index, Question(wants("lib >=9", "lib <3"))) == ["REQUIREMENT lib >=9"]


def test_of_every_bird_none_can_be_left_out() -> None:
    question = Question(wants(*(f"bird{b}" for b in range(1, 6))))

    assert len(core_of(pigeons(5, 4), question)) == 5


def test_what_may_be_picked_is_settled_by_the_whole_question() -> None:
    index = universe("""
        app 1 needs lib >1
        tool 1 needs lib <2
        lib 1
        lib 2rc1
    """)

    assert core_of(index, Question(wants("app", "tool", "lib >=1a1"))) == [
        "REQUIREMENT app",
        "REQUIREMENT tool",
    ]


def test_what_is_overridden_stays_so_while_it_is_found_out_what_is_to_blame() -> None:
    index = universe("app 1 needs lib <2\nlib 1 yanked\nlib 3")

    assert core_of(index, Question(wants("app"), overrides=wants("lib ==9"))) == [
        "REQUIREMENT app",
        "OVERRIDE lib ==9",
    ]


@settings(max_examples=300, deadline=None)
@given(universes(), questions())
def test_a_core_has_no_solution_and_each_smaller_one_has(index: Universe, question: Question) -> None:
    result = solve(index, question)
    if isinstance(result, Resolution):
        return

    assert set(result.core) <= set(entries(question))
    assert isinstance(find(index, limited(question, result.core), whole=question), Refutation)
    for asked in result.core:
        rest = [other for other in result.core if other != asked]
        assert isinstance(find(index, limited(question, rest), whole=question), Resolution)


@settings(max_examples=300, deadline=None)
@given(universes(), questions())
def test_without_yanks_and_overrides_a_core_is_one_for_itself(index: Universe, question: Question) -> None:
    plain = Universe()
    for name in index.names():
        plain.add_package(name)
        for version in index.versions_of(name):
            plain.add(name, version.text, index.declared_by(version))
    result = solve(plain, replace(question, overrides=()))
    if isinstance(result, Resolution):
        return

    assert isinstance(solve(plain, only(question, result.core)), Conflict)
    for asked in result.core:
        rest = [other for other in result.core if other != asked]
        assert isinstance(solve(plain, only(question, rest)), Resolution)


def test_a_core_stays_as_it_is_when_time_runs_out() -> None:
    index = universe("a 1 needs x ==1\nb 1 needs x ==2\nx 1\nx 2")
    question = Question(wants("a", "b"))
    refutation = find(index, question)
    assert isinstance(refutation, Refutation)

    def gives_up(question: Question) -> Resolution | Refutation:
        raise GaveUp(len(question.requirements), 0)

    assert minimal_core(gives_up, question, refutation) == Core(
        tuple(entries(question)), refutation, is_minimal=False
    )


def test_what_the_proof_does_not_rest_on_is_left_out_first() -> None:
    index = universe("a 1 needs x ==1\nb 1 needs x ==2\nc 1\nd 1\nx 1\nx 2")
    question = Question(wants("a", "b", "c", "d"))
    refutation = find(index, question)
    assert isinstance(refutation, Refutation)
    asked: list[Question] = []

    def counting(question: Question) -> Resolution | Refutation:
        asked.append(question)
        return find(index, question)

    core = minimal_core(counting, question, refutation)

    assert core.asked == tuple(Asked(Source.REQUIREMENT, Requirement(name)) for name in "ab")
    assert len(asked) == 2


def test_minimising_is_the_same_whatever_finds() -> None:
    question = Question(wants("bird1", "bird2", "bird3"))
    refutation = find(pigeons(3, 2), question)
    assert isinstance(refutation, Refutation)

    assert len(minimal_core(partial(find, pigeons(3, 2)), question, refutation).asked) == 3
