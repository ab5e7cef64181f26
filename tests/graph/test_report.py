"""Explanations, as a user reads them."""

import re
from datetime import UTC, datetime

import pytest
from packaging.version import Version

from graph import phrases
from graph.constraints import parse_constraint
from graph.problem import Problem
from graph.report import explain
from graph.resolution import DerivationKind, PrereleasePolicy, Question, Statistics
from graph.terms import NOT_SELECTED, Incompatibility, Needs
from graph.versions import sort_key
from tests.graph.universe import conflict, pigeons, universe, wants


def message(registry: str, question: Question) -> list[str]:
    return conflict(universe(registry), question).message.splitlines()


def test_two_requirements_that_need_different_versions_of_a_third_package() -> None:
    registry = """
        foo 1.0.0 needs shared >=2.0.0,<3.0.0
        bar 1.0.0 needs shared >=2.9.0,<4.0.0
        shared 2.5.0
        shared 3.5.0
    """

    assert message(registry, Question(wants("foo ==1.0.0", "bar ==1.0.0"))) == [
        "No versions satisfy your requirements bar ==1.0.0 and foo ==1.0.0.",
        "Because bar 1.0.0 needs shared >=2.9.0,<4.0.0; foo 1.0.0 needs shared >=2.0.0,<3.0.0; and you require "
        "bar ==1.0.0 and foo ==1.0.0, your requirements cannot be met.",
    ]


def test_a_package_that_is_not_registered_is_named() -> None:
    assert message("app 1", Question(wants("ghost >=1"))) == [
        "No versions satisfy your requirement ghost >=1.",
        "Because you require ghost >=1 and no package named ghost is registered, your requirements cannot be met.",
    ]


def test_a_misspelled_package_is_told_with_what_is_registered() -> None:
    assert (
        "no package named flx is registered (did you mean Flux?)"
        in message("Flux 1", Question(wants("flx")))[1]
    )


def test_a_dependency_that_is_not_registered_is_named_with_who_needs_it() -> None:
    assert message("app 1 needs ghost", Question(wants("app")))[1] == (
        "Because app 1 needs ghost; no package named ghost is registered; and you require app, "
        "your requirements cannot be met."
    )


def test_a_constraint_that_nothing_matches_is_shown_with_the_newest_there_is() -> None:
    assert message("lib 1.0\nlib 2.0", Question(wants("lib >=3")))[1] == (
        "Because you require lib >=3 and no version of lib matches >=3 (its newest is 2.0), "
        "your requirements cannot be met."
    )


def test_a_package_without_versions_is_said_to_have_none() -> None:
    assert message("package lib active", Question(wants("lib")))[1] == (
        "Because you require lib and lib has no versions, your requirements cannot be met."
    )


@pytest.mark.parametrize(
    ("registry", "question", "reason"),
    [
        ("lib 1\nlib 2 yanked", Question(wants("lib >=2")), "lib 2 is yanked"),
        ("lib 1\nlib 2 draft", Question(wants("lib >=2")), "lib 2 is a draft"),
        ("lib 1\nlib 2 quarantined", Question(wants("lib >=2")), "lib 2 is quarantined"),
        (
            "lib 1\nlib 2rc1",
            Question(wants("lib >1"), prereleases=PrereleasePolicy.DISALLOW),
            "lib 2rc1 is a pre-release",
        ),
        (
            "lib 1\nlib 2 2024-06-01",
            Question(wants("lib >=2"), as_of=datetime(2024, 1, 1, tzinfo=UTC)),
            "lib 2 is released after the moment asked about",
        ),
    ],
)
def test_versions_that_may_not_be_picked_are_named_with_the_reason(
    registry: str, question: Question, reason: str
) -> None:
    assert f"{reason}, and no other version of lib matches" in message(registry, question)[1]


def test_nothing_of_a_quarantined_package_may_be_picked() -> None:
    assert "no version of lib may be picked" not in message("lib 1", Question(wants("lib >=2")))[1]
    assert "lib 1 is quarantined" in message("package lib quarantined\nlib 1", Question(wants("lib")))[1]
    assert (
        "no version of lib may be picked: lib 1 is quarantined"
        in message("package lib quarantined\nlib 1", Question(wants("lib >=2")))[1]
    )


def test_versions_left_out_beforehand_are_mentioned_at_the_end() -> None:
    registry = """
        app 1 needs lib >=2
        lib 1
        lib 2 yanked
        lib 3 needs app >=2
    """

    assert message(registry, Question(wants("app")))[-1] == "Left out beforehand: lib 2 is yanked."


def test_a_chain_of_needs_is_told_as_a_chain() -> None:
    registry = """
        a 1 needs b
        b 1 needs c >=2
        c 2 needs d <5
        c 1
        d 4
        d 5
    """

    assert message(registry, Question(wants("a", "d >=5")))[1] == (
        "Because a 1 needs b, which needs c >=2, which needs d <5 and you require a and d >=5, "
        "your requirements cannot be met."
    )


def test_versions_that_fail_for_one_reason_share_a_line() -> None:
    versions = "\n".join(f"a {i} needs b >=2" for i in range(1, 31))

    assert message(f"{versions}\nb 1", Question(wants("a")))[1] == (
        "Because every version of a needs b >=2; no version of b matches >=2 (its newest is 1); and you require a, "
        "your requirements cannot be met."
    )


def test_a_conclusion_that_is_needed_again_later_gets_a_number() -> None:
    told = conflict(pigeons(4, 3), Question(wants("bird1", "bird2", "bird3", "bird4"))).message

    assert "\n(1) Because" in told
    assert re.search(r"\(1\)[,; ]", told.split("\n(1) ")[1].split("\n", 1)[1])


def test_an_explanation_stays_short_where_the_derivation_is_long() -> None:
    told = conflict(pigeons(7, 6), Question(wants(*(f"bird{b}" for b in range(1, 8)))))

    assert len(told.message.splitlines()) <= 15
    assert "conclusions that lead to these are told in the steps" in told.message
    assert max(len(step.text) for step in told.steps) < 5_000
    assert not any("Because Because" in step.text for step in told.steps)


def test_versions_that_say_the_same_in_other_words_are_told_in_their_own() -> None:
    registry = """
        a 1 needs x ==1; p
        a 2 needs x <2; p
        p 1 needs x >=2
        b 1 needs a
        x 1
        x 2
    """
    told = conflict(universe(registry), Question(wants("b", "x >=2")))

    assert "b 1 needs a, which needs x <2 and you require" in told.message


def test_the_parts_of_the_question_are_told_apart() -> None:
    registry = """
        app 1 needs lib >=2
        lib 1
        lib 2
    """
    restricted = message(registry, Question(wants("app"), constraints=wants("lib <2")))
    overridden = message(registry, Question(wants("lib <2"), overrides=wants("lib >=3")))

    assert restricted == [
        "No versions satisfy your requirement app and your constraint lib <2.",
        "Because app 1 needs lib >=2; you require app; and your constraint allows only lib <2, "
        "your requirements cannot be met.",
    ]
    assert "Because you override to lib >=3 and no version of lib matches >=3" in overridden[1]


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


def test_an_explanation_of_thousands_of_causes_is_built_without_recursion() -> None:
    links = 3_000
    registry = "\n".join(f"p{i} 1 needs p{i + 1} ==1\np{i} 2 needs p{i + 1} ==2" for i in range(links))
    told = conflict(
        universe(registry + f"\np{links} 3"),
        Question(wants("p0")),
    )

    assert told.message.endswith("your requirements cannot be met.")


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


def test_versions_that_need_different_things_are_not_told_in_one_breath() -> None:
    registry = """
        mc 1
        mc 2 needs md ==2
        mc 3
        md 1 needs mc <3
        md 2 needs mc ==1
        md 3
    """
    told = message(registry, Question(wants("mc >=2", "md <3")))

    assert "which needs mc ==1; md 2 and older need mc <3; and" in told[1]


def test_an_override_is_told_beside_what_it_overrides() -> None:
    told = message("app 1 needs lib <2\nlib 1", Question(wants("app"), overrides=wants("lib >=9")))

    assert told[1] == (
        "Because app 1 needs lib <2, which you override to >=9; no version of lib matches >=9 (its newest is 1); "
        "and you require app, your requirements cannot be met."
    )


def test_the_constraints_of_steps_can_be_parsed() -> None:
    registry = """
        app 1 needs lib >=1 || ==5; lib <3 || ==7
        lib 4
    """
    told = conflict(universe(registry), Question(wants("app")))

    constraint = told.steps[0].constraint
    assert constraint == "<3,>=1 || <3,==5 || ==7,>=1 || ==7,==5"
    assert not parse_constraint(constraint).admits(sort_key(Version("4")), "4")


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


def test_many_constraints_are_told_by_the_versions_that_they_allow() -> None:
    needs = "\n".join(f"a {i} needs b >={i},<{i + 1}" for i in range(1, 6))
    versions = "\n".join(f"b {i}" for i in range(1, 8))

    told = conflict(universe(f"{needs}\n{versions}"), Question(wants("a", "b >=7")))

    assert "every version of a needs b 5 and older" in told.message


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

    told = explain(problem, Incompatibility((), tuple(needs)), Statistics(0, 0, 0))

    assert [step.text for step in told.steps[:-1]] == ["every version of a needs b !=3"]
