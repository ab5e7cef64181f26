"""A conflict as a short text: what cannot hold together, where it meets, and what would work.

How it works: the last conclusion is told as rows, one a chain of needs, each
with the versions that it leaves of the package at its end; where all of them end
at one package, a sentence says why nothing suits all. Conclusions that it rests
on stand before it as prose, numbered when they are cited more than once. Nobody
reads on after a screen: the steps hold everything.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import and_

from graph import phrases
from graph.constraints import parse_constraint
from graph.derivation import causes_first, derived_causes, facts_of, is_hopeless
from graph.problem import Problem
from graph.ranges import EVERYTHING, Ranges
from graph.refutation import Refutation
from graph.resolution import Asked, Relaxation, Source
from graph.terms import NOT_SELECTED, Fact, Incompatibility, Needs, Required, Restricted
from graph.versions import Side, locate, parse_version

_MOST_CONCLUSIONS = 2
_MOST_REASONS = 4
_MOST_ABSENCES = 2
_LONGEST_ROW = 200
_MOST_ROWS = 5
_MOST_RELAXATIONS = 3

# Arrows stand below each other only where that keeps them on the screen.
_WIDEST = 80

# A version without a wildcard behind it, wherever it stands in a constraint.
_VERSION = re.compile(r"[0-9][0-9A-Za-z.!+-]*(?<![.])(?![.*0-9A-Za-z])")


def message(refutation: Refutation, core: Sequence[Asked], relaxations: Sequence[Relaxation]) -> str:
    """Return the text: a verdict, what it rests on, what was left out beforehand, and what would work."""
    reasons = [_untold(refutation)] if refutation.is_beyond_telling else _reasons_told(refutation)
    return "\n".join([_verdict(core), *reasons, *_would_work(relaxations)])


def _untold(refutation: Refutation) -> str:
    return (
        f"A SAT solver has ruled out every combination of the versions of {len(refutation.needing):,} packages that they "
        "lead to; no reason short enough to be told was found in time."
    )


def _reasons_told(refutation: Refutation) -> list[str]:
    problem = refutation.problem
    derived = list(causes_first(refutation.proof))
    ending = list(_Ending(problem, derived[-1]).lines())
    near = [reason for reason in _left_out(problem, refutation.facts) if reason not in ending[-1]]
    return [
        *_Conclusions(problem, derived).lines(),
        *ending,
        *([f"Left out beforehand: {phrases.listed(phrases.few(near))}."] if near else []),
    ]


def _verdict(core: Sequence[Asked]) -> str:
    nouns = (
        (Source.REQUIREMENT, "requirement"),
        (Source.CONSTRAINT, "constraint"),
        (Source.OVERRIDE, "override"),
    )
    parts = []
    for source, noun in nouns:
        asked = sorted(str(each.requirement) for each in core if each.source is source)
        if asked:
            parts.append(f"your {noun}{'' if len(asked) == 1 else 's'} {phrases.listed(phrases.few(asked))}")
    return f"No versions satisfy {phrases.listed(parts)}."


def _would_work(relaxations: Sequence[Relaxation]) -> Iterator[str]:
    if relaxations:
        told = [relaxation.description for relaxation in relaxations[:_MOST_RELAXATIONS]]
        yield f"Would work: {phrases.listed(told, 'or')} ({'each tried' if len(told) > 1 else 'tried'})."


def _left_out(problem: Problem, facts: Sequence[Fact]) -> Iterator[str]:
    """Name versions that constraints in the derivation would allow, were they not ruled out beforehand."""
    near: dict[int, int] = {}
    for fact in facts:
        if not isinstance(fact, Restricted) and fact.admitted & ~NOT_SELECTED:
            package = fact.dependency if isinstance(fact, Needs) else fact.package
            near[package] = near.get(package, 0) | fact.matching
    for package, mask in sorted(near.items(), key=lambda item: problem.names[item[0]]):
        yield from phrases.exclusions(problem, package, mask)


class _Conclusions:
    """What has to be concluded first, a line each."""

    def __init__(self, problem: Problem, derived: Sequence[Incompatibility]) -> None:
        self._problem = problem
        self._derived = derived
        self._numbers = _numbered(derived)

    def lines(self) -> Iterator[str]:
        earlier = self._derived[:-1]
        left = len(earlier) - _MOST_CONCLUSIONS
        if left > 0:
            yield f"… {left:,} conclusions that lead to these are told in the steps."
        previous: Incompatibility | None = None
        for incompatibility in earlier[-_MOST_CONCLUSIONS:]:
            yield self._line(incompatibility, previous)
            previous = incompatibility

    def _line(self, incompatibility: Incompatibility, previous: Incompatibility | None) -> str:
        causes = derived_causes(incompatibility)
        goes_on = previous is not None and any(cause is previous for cause in causes)
        reasons = [self._cited(cause) for cause in causes if cause is not previous]
        reasons.extend(_reasons(self._problem, facts_of(incompatibility)))
        concluded = phrases.conclusion(self._problem, incompatibility.terms)
        opening = "And because" if goes_on else "Because"
        sentence = (
            f"{opening} {phrases.reasons(reasons, most=_MOST_REASONS)}, {concluded}."
            if reasons
            else f"So {concluded}."
        )
        number = self._numbers.get(id(incompatibility))
        return sentence if number is None else f"({number}) {sentence}"

    def _cited(self, cause: Incompatibility) -> str:
        number = self._numbers.get(id(cause))
        concluded = phrases.conclusion(self._problem, cause.terms)
        return concluded if number is None else f"{concluded} ({number})"


def _numbered(derived: Sequence[Incompatibility]) -> dict[int, int]:
    """Number the conclusions that are cited more than once."""
    cited = Counter(id(cause) for each in derived for cause in derived_causes(each))
    ordered = (id(each) for each in derived if cited[id(each)] > 1)
    return {conclusion: number for number, conclusion in enumerate(ordered, start=1)}


def _reasons(problem: Problem, facts: Sequence[Fact]) -> Iterator[str]:
    """Say facts so that each leads on to the next where it can, what is asked last."""
    for chain in _chains([fact for fact in facts if isinstance(fact, Needs)]):
        yield phrases.chain(problem, chain)
        if is_hopeless(chain[-1]):
            yield phrases.absence_of(problem, chain[-1])
    required = [fact for fact in facts if isinstance(fact, Required)]
    if required:
        yield phrases.required(required)
    for fact in facts:
        if isinstance(fact, Restricted):
            yield phrases.restricted(fact)
        elif isinstance(fact, Required) and is_hopeless(fact):
            yield phrases.absence_of(problem, fact)


def _chains(needs: Sequence[Needs]) -> Iterator[list[Needs]]:
    """Group into "a needs b, which needs c": each link holds for all that the one before it allows."""
    by_dependent = {fact.dependent: fact for fact in reversed(needs)}
    needed = {fact.dependency for fact in needs}
    starts_first = sorted(needs, key=lambda fact: fact.dependent in needed)
    said: set[int] = set()
    for fact in starts_first:
        chain: list[Needs] = []
        link: Needs | None = fact
        while link is not None and id(link) not in said:
            said.add(id(link))
            chain.append(link)
            following = by_dependent.get(link.dependency)
            link = following if following is not None and _links_up(link, following) else None
        if chain:
            yield chain


def _links_up(link: Needs, following: Needs) -> bool:
    """Whether all that the one allows needs the other, which is not about a package's need of itself."""
    is_other = following.dependency != following.dependent
    return is_other and link.admitted != 0 and not link.admitted & ~following.versions


@dataclass(frozen=True, slots=True)
class _Row:
    """One reason in the last conclusion, and what it leaves of the package at its end."""

    text: str
    package: int
    admitted: int
    is_asked: bool
    """Whether it is a requirement of the question and nothing else."""
    constraint: str | None
    """As declared; None for a conclusion and for what compares texts."""


class _Ending:
    """The last conclusion: there is no solution."""

    def __init__(self, problem: Problem, proof: Incompatibility) -> None:
        self._problem = problem
        self._proof = proof
        self._facts = facts_of(proof)

    def lines(self) -> Iterator[str]:
        hopeless = [fact for fact in self._facts if is_hopeless(fact)]
        rows = list(self._rows())
        meeting = self._meeting(rows)
        yield from self._told(rows, meeting)
        for fact in hopeless[:_MOST_ABSENCES]:
            yield phrases.sentence(phrases.absence_of(self._problem, fact))
        meeting_rows = [row for row in rows if row.package == meeting]
        if meeting is not None and not hopeless and all(self._leaves(row) for row in meeting_rows):
            yield self._why_none(meeting, meeting_rows)

    def _rows(self) -> Iterator[_Row]:
        for cause in derived_causes(self._proof):
            yield self._concluded(cause)
        chains = _chains([fact for fact in self._facts if isinstance(fact, Needs)])
        for chain in sorted(chains, key=lambda chain: not is_hopeless(chain[-1])):
            last = chain[-1]
            text = phrases.chain(self._problem, chain)
            yield self._row(text, last, last.dependency)
        for fact in self._facts:
            if isinstance(fact, Required) and not is_hopeless(fact):
                yield self._row(phrases.required([fact]), fact, fact.package)
            elif isinstance(fact, Restricted):
                yield self._row(phrases.restricted(fact), fact, fact.package)

    def _row(self, text: str, fact: Fact, package: int) -> _Row:
        constraint = phrases.constraint_of(self._problem, fact)
        is_asked = isinstance(fact, Required)
        return _Row(text, package, fact.admitted, is_asked, None if "===" in constraint else constraint)

    def _concluded(self, cause: Incompatibility) -> _Row:
        """A conclusion speaks of the package that it demands, else of the last one that it rules out."""
        package, mask = max(cause.terms, key=lambda term: term[1] & NOT_SELECTED)
        text = phrases.conclusion(self._problem, cause.terms)
        return _Row(text, package, self._problem.universe[package] & ~mask, is_asked=False, constraint=None)

    def _meeting(self, rows: Sequence[_Row]) -> int | None:
        """Return the package of which the rows together leave nothing, if that is one."""
        for package in sorted({row.package for row in rows}):
            masks = [row.admitted & ~NOT_SELECTED for row in rows if row.package == package]
            if len(masks) > 1 and not functools.reduce(and_, masks):
                return package
        return None

    def _told(self, rows: Sequence[_Row], meeting: int | None) -> Iterator[str]:
        """Leave out requirements that a chain begins with: the verdict has named them."""
        begun = {fact.dependent for fact in self._facts if isinstance(fact, Needs)}
        told = [row for row in rows if row.package == meeting or not row.is_asked or row.package not in begun]
        width = max((len(row.text) for row in told if row.package == meeting), default=0)
        for row in told[:_MOST_ROWS]:
            if row.package == meeting:
                text = _cut(row.text)
                yield f"  {text:{width if width <= _WIDEST else 0}}   → {self._left(row)}"
            else:
                yield f"  {_cut(row.text)}"
        if len(told) > _MOST_ROWS:
            yield f"  … and {len(told) - _MOST_ROWS:,} reasons more, told in the steps"

    def _leaves(self, row: _Row) -> int:
        return row.admitted & ~NOT_SELECTED

    def _left(self, row: _Row) -> str:
        admitted = self._leaves(row)
        if not admitted:
            return "nothing"
        described = phrases.versions(self._problem, row.package, admitted)
        return "any version" if described == "any" else described

    def _why_none(self, package: int, rows: Sequence[_Row]) -> str:
        name = self._problem.names[package]
        every = {2: "both"}.get(len(rows), f"all {len(rows)}")
        constraints = [row.constraint for row in rows if row.constraint is not None]
        common = functools.reduce(and_, (parse_constraint(text).ranges for text in constraints), EVERYTHING)
        if len(constraints) < len(rows) or not common:
            return f"No version of {name} suits {every}."
        said = _said(common, constraints)
        candidates = self._problem.candidates[package]
        assert candidates is not None, "an unknown package leaves no row anything"
        suiting = candidates.within(common)
        if suiting:
            reasons = phrases.listed(phrases.exclusions(self._problem, package, suiting))
            return f"Of {name}, {said} would suit {every}, but {reasons}."
        there = phrases.neighbours(self._problem, package, common)
        return f"{name} {said} would suit {every}, but none is published ({there})."


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_ROW else f"{text[:_LONGEST_ROW].rpartition(' ')[0]} …"


def _said(ranges: Ranges, constraints: Sequence[str]) -> str:
    """Say a set of versions: "2.9.0 up to 3.0.0" for one interval, spelled as in `constraints`, else as a constraint."""
    spelled = {parse_version(text): text for each in constraints for text in _VERSION.findall(each)}
    if len(ranges.points) == 2:
        (low, low_side), (high, high_side) = map(locate, ranges.points)
        end = high.__replace__(dev=None)
        if low_side is high_side is Side.AT and low in spelled and end in spelled:
            return f"{spelled[low]} up to {spelled[end]}"
    return ranges.text() or "what lies between"
