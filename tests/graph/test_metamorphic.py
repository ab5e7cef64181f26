"""What a change to the question or the registry must do to the answer, whatever the answer is."""

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.catalogue import Status
from graph.resolution import Question, Requirement, Resolution
from graph.solver import solve
from tests.graph.registries import Need, Registry, Release, cases

Case = tuple[Registry, Question]
T = TypeVar("T")

few = settings(max_examples=120, deadline=None)
seeds = st.integers(0, 2**32)


def answered(registry: Registry, question: Question) -> dict[str, str] | None:
    """Return the pins, or None when there are none."""
    result = solve(registry.built(), question)
    return {p.package: p.version for p in result.pins} if isinstance(result, Resolution) else None


def shuffled(things: Sequence[T], seed: int) -> list[T]:
    """Return them in another order."""
    return random.Random(seed).sample(things, len(things))


def exactly(pins: Iterable[tuple[str, str]]) -> tuple[Requirement, ...]:
    return tuple(Requirement(package, f"=={version}") for package, version in pins)


def rewritten(case: Case, *, name: Callable[[str], str] = str, version: Callable[[str], str] = str) -> Case:
    """Return the same case under other names, or with other version numbers in versions and constraints alike."""

    def said(requirements: Iterable[Requirement]) -> tuple[Requirement, ...]:
        return tuple(Requirement(name(r.package), in_constraint(version, r.constraint)) for r in requirements)

    registry, question = case
    releases = tuple(
        replace(
            release,
            package=name(release.package),
            version=version(release.version),
            needs=tuple(
                replace(need, package=name(need.package), constraint=in_constraint(version, need.constraint))
                for need in release.needs
            ),
        )
        for release in registry.releases
    )
    return (
        Registry(releases, tuple((name(package), status) for package, status in registry.statuses)),
        replace(
            question,
            requirements=said(question.requirements),
            constraints=said(question.constraints),
            overrides=said(question.overrides),
            locked=tuple((name(package), version(text)) for package, text in question.locked),
        ),
    )


def in_constraint(version: Callable[[str], str], constraint: str) -> str:
    """Replace each version that a constraint speaks of."""
    return re.sub(r"\d[^\s,|]*", lambda match: version(match[0]), constraint)


def test_versions_within_constraints_are_found() -> None:
    assert in_constraint(lambda text: f"1!{text}", ">=1,<2rc1 || ==3.*") == ">=1!1,<1!2rc1 || ==1!3.*"


def names_in(case: Case) -> list[str]:
    registry, question = case
    said = (*question.requirements, *question.constraints, *question.overrides)
    return sorted(
        {
            *(release.package for release in registry.releases),
            *(need.package for release in registry.releases for need in release.needs),
            *(package for package, _ in registry.statuses),
            *(requirement.package for requirement in said),
            *(package for package, _ in question.locked),
        }
    )


@few
@given(cases(), seeds)
def test_other_names_in_the_same_order_give_the_same_answer_under_those_names(case: Case, seed: int) -> None:
    """Only in the same order: of answers that are equally good, the order of names decides which it is."""
    old = names_in(case)
    new = sorted(
        random.Random(seed).sample(
            [f"{letter}{number}" for letter in "aMz" for number in range(100)], len(old)
        )
    )
    renamed = dict(zip(old, new, strict=True))

    result = solve(case[0].built(), case[1])
    other = solve((changed := rewritten(case, name=renamed.__getitem__))[0].built(), changed[1])

    assert type(other) is type(result)
    assert other.statistics == result.statistics
    if isinstance(result, Resolution) and isinstance(other, Resolution):
        assert [(p.package, p.version, p.direct) for p in other.pins] == [
            (renamed[p.package], p.version, p.direct) for p in result.pins
        ]
        assert _edges(other) == {
            (dependent and renamed[dependent], renamed[dependency], constraint)
            for dependent, dependency, constraint in _edges(result)
        }


def _edges(resolution: Resolution) -> set[tuple[str | None, str, str]]:
    return {(edge.dependent, edge.dependency, edge.constraint) for edge in resolution.edges}


@few
@given(cases(), seeds)
def test_other_names_in_any_order_leave_solvable_what_is(case: Case, seed: int) -> None:
    old = names_in(case)
    renamed = dict(zip(old, shuffled(old, seed), strict=True))

    assert (answered(*case) is None) == (answered(*rewritten(case, name=renamed.__getitem__)) is None)


@few
@given(cases(), st.sampled_from([1, 7, 95]))
def test_versions_that_are_all_raised_by_as_much_give_the_answer_raised_by_as_much(
    case: Case, step: int
) -> None:
    def raised(version: str) -> str:
        return re.sub(r"^\d+", lambda match: str(int(match[0]) + step), version)

    check_versions(case, raised)


@few
@given(cases(), st.integers(1, 3))
def test_versions_of_another_epoch_give_the_answer_in_that_epoch(case: Case, epoch: int) -> None:
    check_versions(case, lambda version: f"{epoch}!{version}")


def check_versions(case: Case, change: Callable[[str], str]) -> None:
    before, after = answered(*case), answered(*rewritten(case, version=change))

    assert after == (before and {package: change(version) for package, version in before.items()})


@few
@given(cases(), st.sampled_from(["aaa-unrelated", "zzz-unrelated"]))
def test_a_package_that_nobody_needs_changes_nothing(case: Case, name: str) -> None:
    registry, question = case
    some = registry.releases[0].package if registry.releases else name
    unrelated = (
        Release(name, "1"),
        Release(name, "2", (Need(some), Need("nowhere"))),
        Release(name, "3", status=Status.YANKED),
    )

    result = solve(Registry((*registry.releases, *unrelated), registry.statuses).built(), question)

    assert result == solve(registry.built(), question)


@few
@given(cases(), seeds)
def test_the_order_in_which_anything_is_written_down_changes_nothing(case: Case, seed: int) -> None:
    registry, question = case
    other = replace(
        question,
        requirements=shuffled(question.requirements, seed),
        constraints=shuffled(question.constraints, seed),
        overrides=shuffled(question.overrides, seed),
        locked=shuffled(question.locked, seed),
    )

    assert solve(registry.shuffled(random.Random(seed)).built(), other) == solve(registry.built(), question)


@few
@given(cases(), seeds)
def test_the_order_changes_nothing_either_where_the_search_hands_over_early(case: Case, seed: int) -> None:
    registry, question = case
    other = replace(question, requirements=shuffled(question.requirements, seed))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("graph.solver.MOST_CONFLICTS", 1)

        assert solve(registry.shuffled(random.Random(seed)).built(), other) == solve(
            registry.built(), question
        )


@few
@given(cases(), seeds)
def test_saying_anything_twice_changes_nothing(case: Case, seed: int) -> None:
    registry, question = case
    requirements = shuffled([*question.requirements, *question.requirements[:1]], seed)
    other = replace(question, requirements=requirements, constraints=(*question.constraints,) * 2)

    assert answered(registry, other) == answered(registry, question)


@few
@given(cases())
def test_an_answer_that_is_pinned_altogether_stays(case: Case) -> None:
    registry, question = case
    pins = answered(registry, replace(question, overrides=()))
    if pins is None:
        return
    everything = exactly(pins.items())
    question = replace(question, overrides=())

    assert answered(registry, replace(question, requirements=(*question.requirements, *everything))) == pins
    assert answered(registry, replace(question, constraints=(*question.constraints, *everything))) == pins


@few
@given(cases())
def test_an_answer_that_is_locked_stays(case: Case) -> None:
    registry, question = case
    pins = answered(registry, question)

    if pins is not None:
        assert answered(registry, replace(question, locked=tuple(pins.items()))) == pins


@few
@given(cases(), seeds)
def test_a_pin_of_the_answer_can_be_required_exactly(case: Case, seed: int) -> None:
    """The other pins may change to others that are as good: what is required directly is decided earlier."""
    registry, question = case
    question = replace(question, overrides=())
    pins = answered(registry, question)
    if not pins:
        return
    package, version = random.Random(seed).choice(sorted(pins.items()))

    pinned = replace(question, requirements=(*question.requirements, *exactly([(package, version)])))

    other = answered(registry, pinned)
    assert other is not None
    assert other[package] == version


@few
@given(cases(), seeds)
def test_requiring_more_never_makes_an_unsolvable_question_solvable(case: Case, seed: int) -> None:
    registry, question = case
    more = Requirement(random.Random(seed).choice(names_in(case)))

    if answered(registry, question) is None:
        assert answered(registry, replace(question, requirements=(*question.requirements, more))) is None


@few
@given(cases())
def test_what_may_never_be_picked_might_as_well_not_be_there(case: Case) -> None:
    registry, question = case
    hidden = {package for package, status in registry.statuses if status is Status.QUARANTINED}
    left = [
        release
        for release in registry.releases
        if release.package not in hidden
        and release.status not in {Status.DRAFT, Status.QUARANTINED}
        and (question.as_of is None or release.released_at is None or release.released_at <= question.as_of)
    ]

    without = Registry(left, registry.statuses)

    assert answered(without, replace(question, as_of=None)) == answered(registry, question)
