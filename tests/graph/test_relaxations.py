"""What would work: single changes, each tried."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings

from graph.errors import GaveUp
from graph.relaxations import widened
from graph.resolution import (
    Question,
    Relaxation,
    RelaxationKind,
    Resolution,
)
from graph.solver import solve
from tests.graph.cores import relaxed
from tests.graph.strategies import questions, universes
from tests.graph.universe import Universe, conflict, universe, wants


def offered(index: Universe, question: Question) -> list[str]:
    return [relaxation.description for relaxation in conflict(index, question).relaxations]


@settings(max_examples=300, deadline=None)
@given(universes(), questions())
def test_every_relaxation_solves_the_question(index: Universe, question: Question) -> None:
    result = solve(index, question)
    if isinstance(result, Resolution):
        return

    for relaxation in result.relaxations:
        assert isinstance(solve(index, relaxed(question, relaxation)), Resolution)


def test_a_requirement_is_widened_down_to_the_newest_version_that_works() -> None:
    index = universe("""
        tensor 1 needs special <1
        flux 3 needs special >=2
        flux 2 needs special >=2
        flux 1.5 needs special
        flux 1
        special 0.9
        special 2
    """)

    assert offered(index, Question(wants("tensor", "flux >=2"))) == [
        "widen flux >=2 to >=1.5",
        "drop flux >=2",
        "drop tensor",
    ]


def test_a_requirement_is_widened_up_as_well() -> None:
    index = universe("app 1 needs lib >=2\nlib 1\nlib 3")

    assert offered(index, Question(wants("app", "lib <2")))[0] == "widen lib <2 to <=3"


def test_dropping_does_not_help_where_something_else_is_wrong_too() -> None:
    index = universe("""
        a 1 needs x ==1
        b 1 needs x ==2
        x 1
        x 2
    """)

    assert offered(index, Question(wants("a", "b", "ghost"))) == []


def test_prereleases_are_offered_where_they_help() -> None:
    index = universe("app 1 needs lib >1\nlib 1\nlib 2rc1\nlib 3 yanked")

    assert offered(index, Question(wants("app", "lib"))) == ["allow pre-releases", "drop app"]


def test_the_earliest_moment_that_helps_is_offered() -> None:
    index = universe("""
        app 1 2020-01-01 needs lib >=3
        lib 1 2020-01-01
        lib 2 2021-01-01
        lib 3 2022-01-01
        lib 4 2023-01-01
    """)
    told = conflict(index, Question(wants("app"), as_of=datetime(2020, 6, 1, tzinfo=UTC)))

    assert told.relaxations[0] == Relaxation(
        RelaxationKind.LATER_AS_OF,
        "ask as of 2022-01-01T00:00:00Z or later",
        as_of=datetime(2022, 1, 1, tzinfo=UTC),
    )


def test_a_later_moment_is_not_offered_where_it_does_not_help() -> None:
    index = universe("app 1 2020-01-01 needs lib >=9\nlib 1 2020-01-01\nlib 2 2021-01-01")

    assert offered(index, Question(wants("app"), as_of=datetime(2020, 6, 1, tzinfo=UTC))) == ["drop app"]


def test_what_was_found_before_time_ran_out_is_offered() -> None:
    index = universe("lib 1")
    answers = iter([False] * 6)

    def stops() -> bool:
        return next(answers, True)

    told = solve(index, Question(wants("lib >=2", "lib >=3")), explaining_stops=lambda: stops)

    assert not isinstance(told, Resolution)
    assert told.core


@pytest.mark.parametrize(
    ("constraint", "version", "wider"),
    [
        (">=2", "1.5", ">=1.5"),
        (">=2,<3", "1.5", ">=1.5,<3"),
        (">=2,<3", "4", ">=2,<=4"),
        ("==1.0.0", "2", ">=1,<=2"),
        ("==1.* || ==3.*", "5", ">=1.dev0,<=5,!=2.*"),
        ("==1.* || ==3.*", "2", "==1.* || >=2,<4"),
        ("===1.0", "2", None),
        ("==1 || ===2.0", "1.1", None),
        (">=3", "2+local", ">=2"),
        ("==1.*", "1.5", None),
        # As many specifiers as there may be, and the wider constraint takes one more.
        (" || ".join(f"=={2 * number}.*" for number in range(1, 101)), "500", None),
    ],
)
def test_a_constraint_is_widened_to_a_version_from_its_nearest_bound(
    constraint: str, version: str, wider: str | None
) -> None:
    assert widened(constraint, version) == wider


def test_a_local_version_is_reached_by_its_public_one() -> None:
    index = universe("b 1.9\nb 2+local")

    assert offered(index, Question(wants("b >=3")))[0] == "widen b >=3 to >=2"


def test_giving_up_is_not_an_answer() -> None:
    with pytest.raises(GaveUp):
        solve(universe("lib 1"), Question(wants("lib >=2")), should_stop=lambda: True)
