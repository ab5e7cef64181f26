"""The parts of a question that a conflict blames, and the changes that it offers, held against a SAT solver."""

from collections.abc import Callable, Collection
from dataclasses import replace

from graph.resolution import (
    Asked,
    Conflict,
    PrereleasePolicy,
    Question,
    Relaxation,
    RelaxationKind,
    Requirement,
    Source,
)
from tests.graph.sat_oracle import Meaning, admits
from tests.graph.universe import Universe


def check_core(index: Universe, question: Question, told: Conflict) -> None:
    """Fail unless the core has no solution and needs each of its entries.

    What may be picked, and what is overridden at all, is settled by the whole question.
    """
    asked = everything_asked(question)
    assert set(told.core) <= set(asked)
    assert len(set(told.core)) == len(told.core)
    whole = Meaning(index, question)
    assert not Meaning(index, _part(question, told.core), whole=whole).is_solvable(), told.core
    for left_out in told.core:
        rest = _part(question, [entry for entry in told.core if entry != left_out])
        assert Meaning(index, rest, whole=whole).is_solvable(), left_out


def _part(question: Question, kept: Collection[Asked]) -> Question:
    """Return the question with these entries; whatever was overridden besides is free."""
    part = asking_only(question, kept)
    held = {override.package for override in part.overrides}
    freed = {override.package for override in question.overrides} - held
    return replace(part, overrides=(*part.overrides, *map(Requirement, sorted(freed))))


def check_relaxations(index: Universe, question: Question, told: Conflict) -> None:
    """Fail unless each relaxation makes the question solvable, and widens where it says so."""
    assert len(set(told.relaxations)) == len(told.relaxations)
    for relaxation in told.relaxations:
        assert relaxation.description
        assert relaxation.asked is None or relaxation.asked in told.core
        assert Meaning(index, relaxed(question, relaxation)).is_solvable(), relaxation
        if relaxation.kind is RelaxationKind.WIDEN:
            _check_widened(index, relaxation)


def _check_widened(index: Universe, relaxation: Relaxation) -> None:
    assert relaxation.asked is not None
    assert relaxation.constraint is not None
    before, after = [relaxation.asked.requirement.constraint], [relaxation.constraint]
    versions = index.versions_of(relaxation.asked.requirement.package)
    assert {v.text for v in versions if admits(before, v)} < {v.text for v in versions if admits(after, v)}


def relaxed(question: Question, relaxation: Relaxation) -> Question:
    """Return the question as the relaxation changes it."""
    match relaxation.kind:
        case RelaxationKind.WIDEN:
            widened = relaxation.constraint
            assert widened is not None
            return _changed(question, relaxation, lambda r: [replace(r, constraint=widened)])
        case RelaxationKind.DROP:
            return _changed(question, relaxation, lambda _: [])
        case RelaxationKind.ALLOW_PRERELEASES:
            return replace(question, prereleases=PrereleasePolicy.ALLOW)
        case RelaxationKind.LATER_AS_OF:
            assert question.as_of is not None
            assert relaxation.as_of is not None
            assert relaxation.as_of > question.as_of
            return replace(question, as_of=relaxation.as_of)


def _changed(
    question: Question, relaxation: Relaxation, change: Callable[[Requirement], list[Requirement]]
) -> Question:
    assert relaxation.asked is not None
    entries = [
        Asked(entry.source, requirement)
        for entry in everything_asked(question)
        for requirement in (change(entry.requirement) if entry == relaxation.asked else [entry.requirement])
    ]
    return asking_only(question, entries)


def everything_asked(question: Question) -> list[Asked]:
    """Return all entries of a question."""
    return [
        *(Asked(Source.REQUIREMENT, requirement) for requirement in question.requirements),
        *(Asked(Source.CONSTRAINT, requirement) for requirement in question.constraints),
        *(Asked(Source.OVERRIDE, requirement) for requirement in question.overrides),
    ]


def asking_only(question: Question, kept: Collection[Asked]) -> Question:
    """Return the question with these entries; everything else about it stays."""

    def of(source: Source) -> tuple[Requirement, ...]:
        return tuple(entry.requirement for entry in kept if entry.source is source)

    return replace(
        question,
        requirements=of(Source.REQUIREMENT),
        constraints=of(Source.CONSTRAINT),
        overrides=of(Source.OVERRIDE),
    )
