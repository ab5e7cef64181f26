"""Which entries of a question cannot hold together: a set from which none can be left out.

How it works: the entries that the proof at hand rests on are left out one after
the other. Where there is still no solution, the new proof, which rests on fewer,
takes the place of the old one. What may be picked at all is settled by the whole
question throughout, and what it overrides stays overridden, if only to any
version: else a part of the question could fail for reasons that the whole does
not have.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from graph.errors import GaveUp
from graph.refutation import Refutation
from graph.resolution import Asked, Question, Requirement, Resolution, Source
from graph.terms import Needs, Restricted

_Name = tuple[Source, str, str | None]
"""Entries by package and constraint, or all on the package."""

Find = Callable[[Question], Resolution | Refutation]
"""Answers a question from the catalogue at hand. Raises GaveUp."""


@dataclass(frozen=True, slots=True)
class Core:
    """Entries of a question that cannot hold together, by name, and the proof of that."""

    asked: tuple[Asked, ...]
    refutation: Refutation
    is_minimal: bool
    """Whether each entry was found to be needed; there may not have been time for all."""


def minimal_core(find: Find, question: Question, refutation: Refutation) -> Core:
    """Return a core of `question`, which `refutation` proves to have no solution.

    `find` must let be picked what may be for `question`. When it gives up, the core may be larger than need be.
    """
    asked = _used(entries(question), refutation)
    for entry in asked:
        # Without the only entry nothing is required, and that is always solved.
        if entry not in asked or len(asked) == 1:
            continue
        rest = [other for other in asked if other != entry]
        try:
            found = find(limited(question, rest))
        except GaveUp:
            return Core(asked, refutation, is_minimal=False)
        if isinstance(found, Refutation):
            asked, refutation = _used(rest, found), found
    return Core(asked, refutation, is_minimal=True)


def _used(given: Collection[Asked], refutation: Refutation) -> tuple[Asked, ...]:
    """Return those of the entries that the proof rests on."""
    names = refutation.problem.names
    used: set[_Name] = set()
    for fact in refutation.facts:
        if isinstance(fact, Needs):
            used.add((Source.OVERRIDE, names[fact.dependency], None))
        elif isinstance(fact, Restricted):
            used.add((Source.CONSTRAINT, names[fact.package], fact.requirement.constraint))
        elif fact.is_override:
            used |= {(source, names[fact.package], None) for source in (Source.REQUIREMENT, Source.OVERRIDE)}
        else:
            used.add((Source.REQUIREMENT, names[fact.package], fact.requirement.constraint))
    return tuple(asked for asked in given if not used.isdisjoint(_ways_to_name(asked)))


def _ways_to_name(asked: Asked) -> tuple[_Name, _Name]:
    package, constraint = asked.requirement.package, asked.requirement.constraint
    return (asked.source, package, None), (asked.source, package, constraint)


def entries(question: Question) -> list[Asked]:
    """Return what a question asks: its requirements, constraints and overrides, each once and by name."""
    return [
        Asked(source, each)
        for source in Source
        for each in sorted(set(_of(question, source)), key=lambda asked: (asked.package, asked.constraint))
    ]


def _of(question: Question, source: Source) -> Collection[Requirement]:
    by_source = {
        Source.REQUIREMENT: question.requirements,
        Source.CONSTRAINT: question.constraints,
        Source.OVERRIDE: question.overrides,
    }
    return by_source[source]


def only(question: Question, kept: Collection[Asked]) -> Question:
    """Return `question` as if nothing but these entries had been asked."""
    by_source = {
        source: tuple(asked.requirement for asked in kept if asked.source is source) for source in Source
    }
    return replace(
        question,
        requirements=by_source[Source.REQUIREMENT],
        constraints=by_source[Source.CONSTRAINT],
        overrides=by_source[Source.OVERRIDE],
    )


def limited(question: Question, kept: Collection[Asked]) -> Question:
    """Return `question` with these entries only, and what is overridden besides overridden to any version."""
    part = only(question, kept)
    held = {override.package for override in part.overrides}
    loosened = {
        Requirement(override.package) for override in question.overrides if override.package not in held
    }
    return replace(part, overrides=(*part.overrides, *sorted(loosened, key=lambda each: each.package)))
