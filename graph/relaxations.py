"""Single changes to a question that make it solvable, each tried before it is offered.

Only what is in a core can help, so only that is changed. The order is that of
the loss: an entry is better widened than dropped, and the rules about
pre-releases or the moment asked about are changed in between.
"""

from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from graph.admitted import Reason
from graph.constraints import is_constraint, parse_constraint
from graph.core import Core, Find, entries, only
from graph.errors import GaveUp
from graph.moments import rfc_3339
from graph.ranges import Ranges, at_least, at_most
from graph.resolution import (
    Asked,
    PrereleasePolicy,
    Question,
    Relaxation,
    RelaxationKind,
    Requirement,
    Resolution,
    Source,
)
from graph.terms import bits
from graph.versions import parse_version, sort_key


def relaxations(find: Find, question: Question, core: Core) -> list[Relaxation]:
    """Return changes to `question` that solve it, the best first. When `find` gives up, those found until then."""
    found: list[Relaxation] = []
    with suppress(GaveUp):
        found.extend(_Attempts(find, question, core).all())
    return found


class _Attempts:
    """What is tried for one question."""

    def __init__(self, find: Find, question: Question, core: Core) -> None:
        self._find = find
        self._question = question
        self._core = core

    def all(self) -> Iterator[Relaxation]:
        for asked in self._core.asked:
            yield from self._widened(asked)
        yield from self._with_prereleases()
        yield from self._later()
        for asked in self._core.asked:
            dropped = Relaxation(RelaxationKind.DROP, f"drop {_named(asked)}", asked)
            yield from self._tried(self._without(asked), dropped)

    def _tried(self, changed: Question, relaxation: Relaxation) -> Iterator[Relaxation]:
        if isinstance(self._find(changed), Resolution):
            yield relaxation

    def _widened(self, asked: Asked) -> Iterator[Relaxation]:
        """Ask for any version at all; what is picked then is how far the constraint must be widened."""
        requirement = asked.requirement
        if asked.source is Source.OVERRIDE or not requirement.constraint.strip(" *"):
            return
        picked = self._picked(self._replaced(asked, ""), requirement.package)
        constraint = None if picked is None else widened(requirement.constraint, picked)
        if constraint is not None:
            description = f"widen {_named(asked)} to {constraint}"
            wider = Relaxation(RelaxationKind.WIDEN, description, asked, constraint)
            yield from self._tried(self._replaced(asked, constraint), wider)

    def _picked(self, question: Question, package: str) -> str | None:
        found = self._find(question)
        pins = found.pins if isinstance(found, Resolution) else ()
        return next((pin.version for pin in pins if pin.package == package), None)

    def _with_prereleases(self) -> Iterator[Relaxation]:
        if self._question.prereleases is PrereleasePolicy.ALLOW or not self._hidden(Reason.PRERELEASE):
            return
        allowed = replace(self._question, prereleases=PrereleasePolicy.ALLOW)
        yield from self._tried(allowed, Relaxation(RelaxationKind.ALLOW_PRERELEASES, "allow pre-releases"))

    def _later(self) -> Iterator[Relaxation]:
        """Find the earliest of the moments at which a hidden version was released that solves it, by halving."""
        moments = self._hidden_moments()
        earliest = bisect_left(moments, True, key=self._solves_as_of)
        for moment in moments[earliest : earliest + 1]:
            description = f"ask as of {rfc_3339(moment)} or later"
            yield Relaxation(RelaxationKind.LATER_AS_OF, description, as_of=moment)

    def _solves_as_of(self, moment: datetime) -> bool:
        return isinstance(self._find(replace(self._question, as_of=moment)), Resolution)

    def _hidden(self, reason: Reason) -> bool:
        """Whether versions were left out for this reason among the packages that the proof has met."""
        return any(reason in admission.excluded for admission in self._core.refutation.problem.admissions)

    def _hidden_moments(self) -> list[datetime]:
        problem = self._core.refutation.problem
        hidden = (
            problem.version(package, bit).released_at
            for package, admission in enumerate(problem.admissions)
            for bit in bits(admission.excluded.get(Reason.TOO_LATE, 0))
        )
        return sorted({moment for moment in hidden if moment is not None})

    def _without(self, asked: Asked) -> Question:
        return only(self._question, [other for other in entries(self._question) if other != asked])

    def _replaced(self, asked: Asked, constraint: str) -> Question:
        changed = Asked(asked.source, Requirement(asked.requirement.package, constraint))
        return only(self._question, [changed if each == asked else each for each in entries(self._question)])


def _named(asked: Asked) -> str:
    noun = "" if asked.source is Source.REQUIREMENT else f"the {asked.source.lower()} "
    return f"{noun}{asked.requirement}"


def widened(constraint: str, version: str) -> str | None:
    """Return the constraint that also admits all from its nearest bound to `version`.

    None where there is no such constraint: it admits it already, or compares texts, or there are no words for it.
    """
    declared = parse_constraint(constraint)
    # Only `==` can name a local version, and a constraint that admits one admits all of the same public version.
    point = parse_version(parse_version(version).public)
    ranges = declared.ranges
    if declared.compares_texts or not ranges or sort_key(point) in ranges:
        return None
    above, below = ranges & at_least(point), ranges & at_most(point)
    up, down = at_least(point) & ~Ranges(above.points[:1]), at_most(point) & Ranges(below.points[-1:])
    text = (ranges | (up if above else down)).text()
    return text if text is not None and is_constraint(text) else None
