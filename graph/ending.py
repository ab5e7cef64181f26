"""The last conclusion of an explanation: rows of reasons, and why nothing suits them all.

How it works: each chain of needs is a row, with the versions that it leaves of
the package at its end. Where all rows end at one package, their constraints are
held against each other and against what there is.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import and_

from packaging.version import Version

from graph import phrases
from graph.derivation import chains, derived_causes, facts_of, is_hopeless
from graph.errors import InvalidVersion
from graph.phrases import counted, cut
from graph.problem import Problem
from graph.ranges import EVERYTHING, Ranges
from graph.terms import NOT_SELECTED, Fact, Incompatibility, Needs, Required, Restricted
from graph.versions import Side, locate, parse_version

_MOST_ROWS = 5
_MOST_ABSENCES = 2
# Arrows stand below each other only where that keeps them on the screen.
_WIDEST = 80
_LONGEST_SAID = 80

# A version without a wildcard behind it, wherever it stands in a constraint.
_VERSION = re.compile(r"[0-9][0-9A-Za-z.!+-]*(?<![.])(?![.*0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class _Row:
    """One reason in the last conclusion, and what it leaves of the package at its end."""

    text: str
    package: int
    admitted: int
    fact: Fact | None
    """The last of the facts in it; None for a conclusion."""


class Ending:
    """The last conclusion: there is no solution."""

    def __init__(self, problem: Problem, proof: Incompatibility) -> None:
        self._problem = problem
        self._proof = proof
        self._facts = facts_of(proof)

    def lines(self) -> Iterator[str]:
        """Yield the rows, and why nothing suits them all."""
        hopeless = [fact for fact in self._facts if is_hopeless(fact)]
        rows = list(self._rows())
        meeting = self._meeting(rows)
        told = self._told(rows, meeting)
        yield from self._shown(told, meeting)
        for fact in hopeless[:_MOST_ABSENCES]:
            yield phrases.sentence(phrases.absence_of(self._problem, fact))
        # Rows that end elsewhere, or are not shown, may be what makes the others count.
        is_all = len(told) <= _MOST_ROWS and all(row.package == meeting and _leaves(row) for row in told)
        if meeting is not None and is_all and not hopeless:
            yield self._why_none(meeting, told)

    def _rows(self) -> Iterator[_Row]:
        for cause in derived_causes(self._proof):
            yield self._concluded(cause)
        found = chains([fact for fact in self._facts if isinstance(fact, Needs)])
        for chain in sorted(found, key=lambda chain: not is_hopeless(chain[-1])):
            last = chain[-1]
            text = phrases.chain(self._problem, chain)
            yield _Row(text, last.dependency, last.admitted, last)
        for fact in self._facts:
            if isinstance(fact, Required) and not is_hopeless(fact):
                yield _Row(phrases.required([fact]), fact.package, fact.admitted, fact)
            elif isinstance(fact, Restricted):
                yield _Row(phrases.restricted(fact), fact.package, fact.admitted, fact)

    def _concluded(self, cause: Incompatibility) -> _Row:
        """A conclusion speaks of the package that it demands, else of the last one that it rules out."""
        package, mask = max(cause.terms, key=lambda term: term[1] & NOT_SELECTED)
        text = phrases.conclusion(self._problem, cause.terms)
        return _Row(text, package, self._problem.universe[package] & ~mask, None)

    def _meeting(self, rows: Sequence[_Row]) -> int | None:
        """Return the package of which the rows together leave nothing, if that is one."""
        for package in sorted({row.package for row in rows}):
            masks = [row.admitted & ~NOT_SELECTED for row in rows if row.package == package]
            if len(masks) > 1 and not functools.reduce(and_, masks):
                return package
        return None

    def _told(self, rows: Sequence[_Row], meeting: int | None) -> list[_Row]:
        """Leave out requirements that a chain begins with: the verdict has named them."""
        begun = {fact.dependent for fact in self._facts if isinstance(fact, Needs)}
        return [
            row
            for row in rows
            if row.package == meeting or row.package not in begun or not isinstance(row.fact, Required)
        ]

    def _shown(self, told: Sequence[_Row], meeting: int | None) -> Iterator[str]:
        texts = [cut(row.text) for row in told[:_MOST_ROWS]]
        meeting_widths = [len(text) for text, row in zip(texts, told, strict=False) if row.package == meeting]
        width = max(meeting_widths, default=0)
        for text, row in zip(texts, told, strict=False):
            if row.package == meeting:
                yield f"  {text:{width if width <= _WIDEST else 0}}   → {self._left(row)}"
            else:
                yield f"  {text}"
        if len(told) > _MOST_ROWS:
            yield f"  … and {counted(len(told) - _MOST_ROWS)} more, told in the steps"

    def _left(self, row: _Row) -> str:
        admitted = _leaves(row)
        if not admitted:
            return "nothing"
        described = phrases.versions(self._problem, row.package, admitted)
        return "any version" if described == "any" else described

    def _why_none(self, package: int, rows: Sequence[_Row]) -> str:
        name = self._problem.names[package]
        every = {2: "both"}.get(len(rows), f"all {len(rows)}")
        allowed = [row.fact and phrases.ranges_of_fact(self._problem, row.fact) for row in rows]
        known = [ranges for ranges in allowed if ranges is not None]
        common = functools.reduce(and_, known, EVERYTHING)
        said = _said(common, [phrases.constraint_of(self._problem, row.fact) for row in rows if row.fact])
        if len(known) < len(rows) or not common or said is None:
            return f"No version of {name} suits {every}."
        candidates = self._problem.candidates[package]
        assert candidates is not None, "an unknown package leaves no row anything"
        suiting = candidates.within(common)
        if suiting:
            reasons = phrases.listed(phrases.exclusions(self._problem, package, suiting))
            return f"Of {name}, {said} would suit {every}, but {reasons}."
        there = phrases.neighbours(self._problem, package, common)
        return f"{name} {said} would suit {every}, but none is published ({there})."


def _leaves(row: _Row) -> int:
    return row.admitted & ~NOT_SELECTED


def _said(ranges: Ranges, constraints: Sequence[str]) -> str | None:
    """Say a set of versions: "2.9.0 up to 3.0.0" for one interval, spelled as in `constraints`, else as a constraint.

    None when there are no words for it, or none that are read.
    """
    spelled = dict(_spelled(constraints))
    if len(ranges.points) == 2 and ranges.points[0]:
        (low, low_side), (high, high_side) = map(locate, ranges.points)
        end = high.__replace__(dev=None)
        if low_side is high_side is Side.AT and low in spelled and end in spelled:
            return f"{spelled[low]} up to {spelled[end]}"
    text = ranges.text()
    return text if text is None or len(text) <= _LONGEST_SAID else None


def _spelled(constraints: Iterable[str]) -> Iterator[tuple[Version, str]]:
    for text in itertools.chain.from_iterable(map(_VERSION.findall, constraints)):
        with suppress(InvalidVersion):
            yield parse_version(text), text
