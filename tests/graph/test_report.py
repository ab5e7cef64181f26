"""The steps of an explanation."""

import pytest
from packaging.version import Version

from graph import phrases
from graph.constraints import parse_constraint
from graph.problem import Problem
from graph.refutation import Refutation
from graph.report import derivation_steps
from graph.resolution import DerivationKind, Question, Statistics
from graph.terms import NOT_SELECTED, Incompatibility, Needs
from graph.versions import sort_key
from tests.graph.universe import conflict, universe, wants


def test_steps_hold_the_same_as_data() -> None:
    told = conflict(universe("app 1 needs lib >=2\nlib 1"), Question(wants("app")))

    assert [(step.kind, step.causes) for step in told.steps] == [
        (DerivationKind.DEPENDENCY, ()),
        (DerivationKind.NO_VERSIONS, ()),
        (DerivationKind.ROOT_REQUIREMENT, ()),
        (DerivationKind.DERIVED, (0, 1, 2)),
    ]
    need = told.steps[0]
    assert (need.package, need.versions, need.dependency, need.constraint) == ("app", "1", "lib", ">=2")
    assert told.steps[-1].text.startswith("Because app 1 needs lib >=2; no version of lib matches >=2")


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ("1 2 3 4 5 6", "every version of a needs b >=9"),
        ("1 2", "a 2 and older need b >=9"),
        ("5 6", "a 5 and newer need b >=9"),
        ("3", "a 3 needs b >=9"),
        ("2 3", "a 2 and 3 need b >=9"),
        ("2 3 4", "a 2 to 4 need b >=9"),
        ("1 3 6", "a 1, 3 or 6 need b >=9"),
    ],
)
def test_sets_of_versions_are_described_by_real_versions(versions: str, said: str) -> None:
    failing = versions.split()
    registry = "\n".join(f"a {i} needs {'b >=9' if i in failing else 'c >=9'}" for i in "123456")

    told = conflict(universe(registry + "\nb 1\nc 1"), Question(wants("a")))

    assert said in {step.text for step in told.steps}


def test_the_constraints_of_steps_can_be_parsed() -> None:
    registry = """
        app 1 needs lib >=1 || ==5; lib <3 || ==7
        lib 4
    """
    told = conflict(universe(registry), Question(wants("app")))

    constraint = told.steps[0].constraint
    assert constraint == "<3,>=1 || <3,==5 || ==7,>=1 || ==7,==5"
    assert not parse_constraint(constraint).admits(sort_key(Version("4")), "4")


def test_the_constraint_of_a_step_is_one_or_none() -> None:
    """What is said in the text of a step, such as "or the like", is no constraint."""
    for versions, constraints in ((60, 60), (150, 150)):
        registry = "\n".join(f"a {i} needs b =={2 * i}" for i in range(1, versions + 1))
        told = conflict(universe(f"{registry}\nb 1"), Question(wants("a")))
        need, absence = told.steps[0], told.steps[1]
        assert (need.kind, absence.kind) == (DerivationKind.DEPENDENCY, DerivationKind.NO_VERSIONS)
        assert need.constraint == absence.constraint
        assert (need.constraint is None) == (constraints > 100)
        if need.constraint is not None:
            assert len(parse_constraint(need.constraint).alternatives) == constraints


def test_a_version_set_in_many_pieces_is_cut_short() -> None:
    registry = "\n".join(f"a {i} needs {'b >=9' if i % 2 else 'c >=9'}" for i in range(1, 12))

    told = conflict(universe(registry + "\nb 1\nc 1"), Question(wants("a")))

    assert "a 1, 3, 5 or 3 more need b >=9" in {step.text for step in told.steps}


def test_constraints_that_nothing_matches_are_told_as_one() -> None:
    registry = "\n".join(f"a {i} needs b >={i}" for i in range(5, 9))

    told = conflict(universe(registry + "\nb 1"), Question(wants("a")))

    assert "every version of a needs b >=5" in {step.text for step in told.steps}


def test_a_need_for_any_version_has_no_constraint() -> None:
    told = conflict(universe("a 1 needs b\na 2 needs b >=1\nb 1 yanked"), Question(wants("a")))

    assert "every version of a needs b" in {step.text for step in told.steps}


def test_a_conclusion_is_worded_after_what_it_forbids_or_demands() -> None:
    problem = Problem(universe("a 1\na 2\nb 1\nb 2"), Question(()))
    a, b = problem.number("a"), problem.number("b")
    one, two, none = 0b010, 0b100, NOT_SELECTED

    assert phrases.conclusion(problem, ()) == "your requirements cannot be met"
    assert phrases.conclusion(problem, ((a, one),)) == "a 1 cannot be used"
    assert phrases.conclusion(problem, ((a, one), (b, two))) == "a 1 and b 2 cannot be used together"
    assert phrases.conclusion(problem, ((a, one), (b, two | none))) == "a 1 needs b 1"
    assert phrases.conclusion(problem, ((a, one), (b, none))) == "a 1 needs b"
    assert phrases.conclusion(problem, ((a, one | two), (b, none))) == "every version of a needs b"
    assert phrases.conclusion(problem, ((a, one), (b, one), (a, none))) == "a 1 and b 1 together need a"
    assert phrases.conclusion(problem, ((a, one | none), (b, one | none))) == "a 2 or b 2 must be used"


def test_what_one_package_needs_of_another_for_the_same_reason_is_told_once() -> None:
    problem = Problem(universe("a 1\na 2\nb 1\nb 2\nb 3"), Question(()))
    a, b = problem.number("a"), problem.number("b")
    needs = [
        problem.needs(Needs(a, 0b010, b, 0b0110, 0b0110, (("<3",),))),
        problem.needs(Needs(a, 0b100, b, 0b0110, 0b0110, (("!=3",),))),
    ]

    steps = derivation_steps(Refutation(problem, Incompatibility((), tuple(needs)), Statistics(0, 0, 0)))

    assert [step.text for step in steps[:-1]] == ["every version of a needs b !=3"]
