"""Explanations, as a user reads them."""

import re
from datetime import UTC, datetime

import pytest

from graph.message import message as message_of
from graph.problem import Problem
from graph.refutation import Refutation
from graph.resolution import PrereleasePolicy, Question, Requirement, Resolution, Statistics
from graph.solver import solve
from graph.terms import Incompatibility, Needs
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
        "  bar 1.0.0 needs shared >=2.9.0,<4.0.0   → 3.5.0",
        "  foo 1.0.0 needs shared >=2.0.0,<3.0.0   → 2.5.0",
        "shared 2.9.0 up to 3.0.0 would suit both, but none is published (shared has 2.5.0, 3.5.0).",
        "Would work: drop bar ==1.0.0 or drop foo ==1.0.0 (each tried).",
    ]


def test_a_version_that_would_suit_is_named_with_why_it_may_not_be_picked() -> None:
    registry = """
        foo 1 needs shared >=2,<3
        bar 1 needs shared >=2.9
        shared 2.5
        shared 2.9.5 yanked
        shared 3.5
    """
    told = message(registry, Question(wants("foo", "bar")))

    assert "Of shared, 2.9 up to 3 would suit both, but shared 2.9.5 is yanked." in told
    assert not any(line.startswith("Left out beforehand") for line in told)


def test_of_many_versions_only_the_nearest_to_what_would_suit_are_named() -> None:
    shared = "\n".join(f"shared {i}" for i in (1, 2, 3, 7, 8, 9))

    told = message(f"foo 1 needs shared >=4\nbar 1 needs shared <6\n{shared}", Question(wants("foo", "bar")))

    assert "shared 4 up to 6 would suit both, but none is published (the nearest are 3 and 7)." in told


def test_what_would_suit_is_told_as_a_constraint_where_it_is_no_single_interval() -> None:
    registry = """
        foo 1 needs shared ==5 || ==4 || ==3
        bar 1 needs shared ==5 || ==4 || ==2
        shared 2
        shared 3
    """

    told = message(registry + "\nshared 4 draft", Question(wants("foo", "bar")))

    assert "Of shared, ==4 || ==5 would suit both, but shared 4 is a draft." in told


def test_what_nothing_is_left_of_is_not_said_to_suit_nobody() -> None:
    registry = """
        a 1 needs x <2; p
        p 1 needs x >=2
        b 1 needs a
        x 1
        x 2
    """

    assert message(registry, Question(wants("b")))[-2:] == [
        "  b 1 needs a          → 1",
        "Would work: drop b (tried).",
    ]


def test_constraints_that_exclude_each_other_are_told_with_what_each_leaves() -> None:
    registry = """
        a 1 needs b
        b 1 needs c >=2
        c 2 needs d <5
        c 1
        d 4
        d 5
    """

    assert message(registry, Question(wants("a", "d >=5")))[:-1] == [
        "No versions satisfy your requirements a and d >=5.",
        "  a 1 needs b, which needs c >=2, which needs d <5   → 4",
        "  you require d >=5                                  → 5",
        "No version of d suits both.",
    ]


def test_a_long_chain_is_told_without_its_middle() -> None:
    links = "\n".join(f"p{i} 1 needs p{i + 1}" for i in range(20))

    assert (
        "  p0 1 needs p1, which needs p2, which needs p3, which needs p4, which needs … 15 more …, which needs p20"
        in message(links, Question(wants("p0")))
    )


def test_a_package_that_is_not_registered_is_named() -> None:
    assert message("app 1", Question(wants("ghost >=1"))) == [
        "No versions satisfy your requirement ghost >=1.",
        "No package named ghost is registered.",
        "Would work: drop ghost >=1 (tried).",
    ]


def test_a_misspelled_package_is_told_with_what_is_registered() -> None:
    assert "No package named flx is registered (did you mean Flux?)." in message(
        "Flux 1", Question(wants("flx"))
    )


def test_a_dependency_that_is_not_registered_is_named_with_who_needs_it() -> None:
    assert message("app 1 needs ghost", Question(wants("app")))[1:3] == [
        "  app 1 needs ghost",
        "No package named ghost is registered.",
    ]


def test_a_constraint_that_nothing_matches_is_shown_with_the_newest_there_is() -> None:
    assert message("lib 1.0\nlib 2.0", Question(wants("lib >=3")))[1:] == [
        "No version of lib matches >=3 (its newest is 2.0).",
        "Would work: widen lib >=3 to >=2 or drop lib >=3 (each tried).",
    ]


def test_a_package_without_versions_is_said_to_have_none() -> None:
    assert message("package lib active", Question(wants("lib")))[1] == "lib has no versions."


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
    assert message(registry, question)[1] == f"{reason}, and no other version of lib matches."


def test_nothing_of_a_quarantined_package_may_be_picked() -> None:
    assert "no version of lib may be picked" not in message("lib 1", Question(wants("lib >=2")))[1]
    assert "lib 1 is quarantined" in message("package lib quarantined\nlib 1", Question(wants("lib")))[1]
    assert (
        "No version of lib may be picked: lib 1 is quarantined."
        in message("package lib quarantined\nlib 1", Question(wants("lib >=2")))[1]
    )


def test_versions_left_out_beforehand_are_mentioned_at_the_end() -> None:
    registry = """
        app 1 needs lib >=2
        lib 1
        lib 2 yanked
        lib 3 needs app >=2
    """

    assert "Left out beforehand: lib 2 is yanked." in message(registry, Question(wants("app")))


def test_versions_that_fail_for_one_reason_share_a_line() -> None:
    versions = "\n".join(f"a {i} needs b >=2" for i in range(1, 31))

    assert message(f"{versions}\nb 1", Question(wants("a")))[1:3] == [
        "  every version of a needs b >=2",
        "No version of b matches >=2 (its newest is 1).",
    ]


def test_a_conclusion_that_is_cited_twice_gets_a_number_and_no_other_is_cited_by_one() -> None:
    for birds in (4, 5, 6):
        question = Question(wants(*(f"bird{b}" for b in range(1, birds + 1))))
        told = conflict(pigeons(birds, birds - 1), question).message.splitlines()
        given = {match[1] for line in told if (match := re.match(r"\((\d+)\) ", line))}
        cited = {number for line in told for number in re.findall(r"(?<!^)\((\d+)\)", line)}
        assert cited <= given


def test_a_number_stands_where_it_is_given_and_where_it_is_cited() -> None:
    problem = Problem(universe("a 1 needs b; c\nb 1\nc 1"), Question(wants("a")))
    (requires_a,) = problem.requirements()
    a, b, c = map(problem.number, "abc")
    needs = [problem.needs(Needs(a, 0b10, package, 0, 0, (("",),))) for package in (b, c)]
    first = Incompatibility(((b, 0b10),), (needs[0],))
    second = Incompatibility(((c, 0b10),), (first, needs[1]))
    proof = Incompatibility((), (first, second, requires_a))

    told = message_of(Refutation(problem, proof, Statistics(0, 0, 0)), (), ()).splitlines()

    assert told[1].startswith("(1) Because a 1 needs b")
    assert told[2].startswith("And because")


def test_an_explanation_stays_short_where_the_derivation_is_long() -> None:
    told = conflict(pigeons(7, 6), Question(wants(*(f"bird{b}" for b in range(1, 8)))))

    assert len(told.message.splitlines()) <= 14
    assert "conclusions before these, told in the steps" in told.message
    assert "reasons more, told in the steps" in told.message
    assert max(map(len, told.message.splitlines())) < 320
    assert max(len(step.text) for step in told.steps) < 5_000
    assert not any("Because Because" in step.text for step in told.steps)


def test_versions_that_say_the_same_in_other_words_are_told_in_their_own() -> None:
    registry = """
        a 1 needs x ==1
        a 2 needs x <2
        b 1 needs a
        x 1
        x 2
    """

    assert any(
        line.strip().startswith("b 1 needs a, which needs x <2")
        for line in message(registry, Question(wants("b", "x >=2")))
    )


def test_the_parts_of_the_question_are_told_apart() -> None:
    registry = """
        app 1 needs lib >=2
        lib 1
        lib 2
    """
    restricted = message(registry, Question(wants("app"), constraints=wants("lib <2")))
    overridden = message(registry, Question(wants("lib <2"), overrides=wants("lib >=3")))

    assert restricted[:4] == [
        "No versions satisfy your requirement app and your constraint lib <2.",
        "  app 1 needs lib >=2                  → 2",
        "  your constraint allows only lib <2   → 1",
        "No version of lib suits both.",
    ]
    assert overridden[:2] == [
        "No versions satisfy your requirement lib <2 and your override lib >=3.",
        "No version of lib matches >=3 (its newest is 2).",
    ]


def test_an_override_is_told_beside_what_it_overrides() -> None:
    told = message("app 1 needs lib <2\nlib 1", Question(wants("app"), overrides=wants("lib >=9")))

    assert told[:3] == [
        "No versions satisfy your requirement app and your override lib >=9.",
        "  app 1 needs lib <2, which you override to >=9",
        "No version of lib matches >=9 (its newest is 1).",
    ]


def test_versions_that_need_different_things_are_not_told_in_one_breath() -> None:
    registry = """
        mc 1
        mc 2 needs md ==2
        mc 3
        md 1 needs mc <3
        md 2 needs mc ==1
        md 3
    """

    assert message(registry, Question(wants("mc >=2", "md <3")))[1:5] == [
        "  mc 2 needs md ==2, which needs mc ==1   → 1",
        "  md 2 and older need mc <3               → 2 and older",
        "  you require mc >=2                      → 2 and newer",
        "No version of mc suits all 3.",
    ]


def test_many_constraints_are_told_by_the_versions_that_they_allow() -> None:
    needs = "\n".join(f"a {i} needs b >={i},<{i + 1}" for i in range(1, 6))
    versions = "\n".join(f"b {i}" for i in range(1, 8))

    told = message(f"{needs}\n{versions}", Question(wants("a", "b >=7")))

    assert "  every version of a needs b 5 and older   → 5 and older" in told


def test_an_explanation_of_thousands_of_causes_is_built_without_recursion() -> None:
    links = 3_000
    registry = "\n".join(f"p{i} 1 needs p{i + 1} ==1\np{i} 2 needs p{i + 1} ==2" for i in range(links))
    told = conflict(universe(registry + f"\np{links} 3"), Question(wants("p0")))

    assert len(told.steps) > links
    assert len(told.message) < 2_000


def test_a_conclusion_on_the_way_is_told_with_all_it_rests_on() -> None:
    question = Question(wants("a", "ghost"), constraints=wants("b <2"))
    problem = Problem(universe("a 1 needs b >=9\na 2\nb 1\nb 2"), question)
    requires_a, requires_ghost = problem.requirements()
    a, b = problem.number("a"), problem.number("b")
    (restricts_b,) = problem.restrictions(b)
    needs = problem.needs(Needs(a, 0b010, b, 0, 0, ((">=9",),)))
    on_the_way = Incompatibility(((a, 0b010),), (needs, restricts_b, requires_ghost))
    proof = Incompatibility((), (on_the_way, requires_a))

    told = message_of(Refutation(problem, proof, Statistics(0, 0, 0)), (), ())

    assert told.splitlines()[1] == (
        "Because a 1 needs b >=9; no version of b matches >=9 (its newest is 2); you require ghost; "
        "your constraint allows only b <2; and 1 more reason, a 1 cannot be used."
    )


def test_what_would_suit_is_told_as_a_constraint_where_it_does_not_end_before_a_version() -> None:
    registry = """
        foo 1 needs shared ^1.4
        bar 1 needs shared >=1.2,<=1.5
        shared 1.3
        shared 1.6
    """
    told = message(registry, Question(wants("foo", "bar")))

    assert "shared >=1.4,<=1.5 would suit both, but none is published (shared has 1.3, 1.6)." in told


def test_what_very_many_versions_declare_is_told_by_what_comes_of_it() -> None:
    pinning = "\n".join(f"app {i} needs lib =={2 * i}" for i in range(1, 251))
    libs = "\n".join(f"lib {i}" for i in range(1, 502))

    assert message(f"{pinning}\n{libs}", Question(wants("app", "lib ==501")))[1:4] == [
        "  every version of app needs lib 2, 4, 6 or 247 more   → 2, 4, 6 or 247 more",
        "  you require lib ==501                                → 501",
        "No version of lib suits both.",
    ]
    assert message(f"{pinning}\nlib 501", Question(wants("app")))[1:3] == [
        "  every version of app needs lib ==2 or the like",
        "No version of lib matches ==2 or the like (its newest is 501).",
    ]


def test_a_constraint_for_any_version_beside_another_says_nothing() -> None:
    assert message("a 1 needs b *; b >=2\nc 1 needs b <2\nb 1\nb 2", Question(wants("a", "c")))[1:4] == [
        "  a 1 needs b >=2   → 2",
        "  c 1 needs b <2    → 1",
        "No version of b suits both.",
    ]


def test_unions_that_would_be_endless_when_multiplied_out_are_told_side_by_side() -> None:
    unions = tuple(Requirement("a", f">={i} || <{i - 1}") for i in range(2, 40))

    told = message("a 1\na 2", Question(wants("a"), overrides=unions))

    assert told[1].startswith("No version of a matches (>=10 || <9) and (>=11 || <10) and")
    assert told[1].endswith("…")
    assert isinstance(solve(universe("a 1\na 2"), Question(wants("a"), constraints=unions[1:])), Resolution)


def test_published_texts_that_are_compared_have_no_place_between_versions() -> None:
    registry = "a 1 needs b ===1.0\nc 1 needs b >=2\nb 1.0\nb 2"

    assert "No version of b suits both." in message(registry, Question(wants("a", "c")))


def test_an_override_that_meets_a_requirement_is_told_as_what_it_is() -> None:
    registry = "a 1 needs b <2\nb 1\nb 2\nb 3"
    question = Question(wants("a"), overrides=wants("b >=2"), constraints=wants("b <2"))

    assert message(registry, question)[1:4] == [
        "  a 1 needs b <2, which you override to >=2   → 2 and newer",
        "  your constraint allows only b <2            → 1",
        "No version of b suits both.",
    ]
