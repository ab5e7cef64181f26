"""Which versions of a package may be picked at all, why the others may not, and which are preferred.

This is settled once per package before the search, from the question and the
catalogue alone, so that it means the same to any way of searching.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from operator import or_

from graph.admitted import Admission, Reason
from graph.catalogue import Candidates, Mention, Status
from graph.constraints import Constraint, parse_constraint
from graph.dependencies import Kind
from graph.resolution import PrereleasePolicy, Question, Requirement, Strategy
from graph.versions import parse_version, sort_key


class Policy:
    """The part of a question that decides about admission, looked up by package."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._direct = {requirement.package for requirement in question.requirements}
        self._overridden = {requirement.package for requirement in question.overrides}
        self._locked = {package: sort_key(parse_version(version)) for package, version in question.locked}
        self._asked: dict[str, list[Constraint]] = {}
        for requirement in self._said(question):
            constraint = parse_constraint(requirement.constraint)
            self._asked.setdefault(requirement.package, []).append(constraint)

    def _said(self, question: Question) -> Iterator[Requirement]:
        """What the question itself says of packages; an override takes the place of a requirement."""
        yield from (r for r in question.requirements if r.package not in self._overridden)
        yield from question.constraints
        yield from question.overrides

    def admission(self, candidates: Candidates, mentions: Sequence[Mention]) -> Admission:
        """Decide about each version; `mentions` is what the catalogue's versions declare about this package."""
        package = candidates.package
        if candidates.is_delicate or package in self._locked or self._question.as_of is not None:
            return self._weighed(candidates, mentions)
        oldest_first = self._oldest_first(package)
        known = candidates.plain_admissions.get(oldest_first)
        if known is None:
            known = candidates.plain_admissions[oldest_first] = self._weighed(candidates, mentions)
        return known

    def _weighed(self, candidates: Candidates, mentions: Sequence[Mention]) -> Admission:
        named = [*self._asked.get(candidates.package, ()), *self._counted(candidates.package, mentions)]
        locked = self._locked_mask(candidates)
        excluded: dict[Reason, int] = {}
        admitted = candidates.everything
        for reason, mask in self._grounds(candidates, named, locked):
            if mask & admitted:
                excluded[reason] = mask & admitted
                admitted &= ~mask
        if self._hides_prereleases(candidates, admitted, named, locked):
            excluded[Reason.PRERELEASE] = candidates.prereleases & admitted
            admitted &= ~candidates.prereleases
        return Admission(
            admitted,
            self._tiers(candidates, admitted, locked),
            self._oldest_first(candidates.package),
            excluded,
        )

    def _counted(self, package: str, mentions: Iterable[Mention]) -> list[Constraint]:
        """Only what is followed from visible versions counts, and nothing does when it is overridden."""
        question = self._question
        if package in self._overridden:
            return []
        return [
            mention.constraint
            for mention in mentions
            if is_followed(mention.kinds, mention.optional, question)
            and (question.as_of is None or mention.since is None or mention.since <= question.as_of)
        ]

    def _grounds(
        self, candidates: Candidates, named: Iterable[Constraint], locked: int
    ) -> Iterator[tuple[Reason, int]]:
        if candidates.status is Status.QUARANTINED:
            yield Reason.QUARANTINED, candidates.everything
        yield Reason.QUARANTINED, candidates.with_status(Status.QUARANTINED)
        yield Reason.DRAFT, candidates.with_status(Status.DRAFT)
        if self._question.as_of is not None:
            yield Reason.TOO_LATE, candidates.released_after(self._question.as_of)
        yanked = candidates.with_status(Status.YANKED) & ~locked
        if yanked:
            yield Reason.YANKED, yanked & ~functools.reduce(or_, map(candidates.exact_mask, named), 0)

    def _hides_prereleases(
        self, candidates: Candidates, admitted: int, named: Iterable[Constraint], locked: int
    ) -> bool:
        if not admitted & candidates.prereleases:
            return False
        if self._question.prereleases is not PrereleasePolicy.IF_NECESSARY:
            return self._question.prereleases is PrereleasePolicy.DISALLOW
        has_final = admitted & ~candidates.prereleases
        is_named = locked & candidates.prereleases or any(c.names_prerelease for c in named)
        return bool(has_final) and not is_named

    def _locked_mask(self, candidates: Candidates) -> int:
        key = self._locked.get(candidates.package)
        return 0 if key is None else candidates.with_key(key)

    def _tiers(self, candidates: Candidates, admitted: int, locked: int) -> tuple[int, ...]:
        mixed = self._question.prereleases is PrereleasePolicy.ALLOW
        late = 0 if mixed else candidates.prereleases
        deprecated = candidates.with_status(Status.DEPRECATED)
        yanked = candidates.with_status(Status.YANKED)
        tiers = []
        rest = admitted
        # Each tier takes what the tiers after it do not want.
        for tier in (
            locked,
            ~(late | deprecated | yanked),
            ~(deprecated | yanked),
            ~(late | yanked),
            ~yanked,
            ~0,
        ):
            if rest & tier:
                tiers.append(rest & tier)
                rest &= ~tier
        return tuple(tiers)

    def _oldest_first(self, package: str) -> bool:
        if self._question.strategy is Strategy.LOWEST_DIRECT:
            return package in self._direct
        return self._question.strategy is Strategy.LOWEST


def is_followed(kinds: Kind, optional: bool, question: Question) -> bool:
    """Whether the question follows a dependency of these kinds."""
    # As ints: the operators of IntFlag cost ten times as much.
    return bool(int.__and__(kinds, question.kinds)) and (question.include_optional or not optional)
