"""A conflict as a short text: what cannot hold together, where it meets, and what would work.

How it works: the last conclusion is told as `ending` does. Conclusions that it
rests on stand before it as prose, numbered when they are cited more than once.
Nobody reads on after a screen: the steps hold everything.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from graph import phrases
from graph.derivation import causes_first, chains, derived_causes, facts_of, is_hopeless
from graph.ending import Ending
from graph.problem import Problem
from graph.refutation import Refutation
from graph.resolution import Asked, Relaxation, Source
from graph.terms import NOT_SELECTED, Fact, Incompatibility, Needs, Required, Restricted

_MOST_CONCLUSIONS = 2
_MOST_REASONS = 4
_MOST_RELAXATIONS = 3


def message(refutation: Refutation, core: Sequence[Asked], relaxations: Sequence[Relaxation]) -> str:
    """Return the text: a verdict, what it rests on, what was left out beforehand, and what would work."""
    reasons = [_untold(refutation)] if refutation.is_bare else _reasons_told(refutation)
    return "\n".join(map(phrases.cut, [_verdict(core), *reasons, *_would_work(relaxations)]))


def _untold(refutation: Refutation) -> str:
    return (
        f"A SAT solver has ruled out every combination of the versions of {len(refutation.needing):,} packages that they "
        "lead to; no reason short enough to be told was found in time."
    )


def _reasons_told(refutation: Refutation) -> list[str]:
    problem = refutation.problem
    derived = list(causes_first(refutation.proof))
    ending = list(Ending(problem, derived[-1]).lines())
    near = [reason for reason in _left_out(problem, refutation.facts) if reason not in ending[-1]]
    return [
        *_Conclusions(problem, derived).lines(),
        *ending,
        *([f"Left out beforehand: {phrases.listed(phrases.few(near))}."] if near else []),
    ]


def _verdict(core: Sequence[Asked]) -> str:
    parts = []
    for source in Source:
        asked = sorted(str(each.requirement) for each in core if each.source is source)
        if asked:
            plural = "" if len(asked) == 1 else "s"
            parts.append(f"your {source.lower()}{plural} {phrases.listed(phrases.few(asked))}")
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
        *earlier, last = derived
        self._shown = earlier[-_MOST_CONCLUSIONS:]
        self._left = len(earlier) - len(self._shown)
        self._numbers = _numbered(self._shown, last)

    def lines(self) -> Iterator[str]:
        if self._left:
            yield f"… {phrases.counted(self._left, 'conclusion')} before these, told in the steps."
        previous: Incompatibility | None = None
        for incompatibility in self._shown:
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


def _numbered(shown: Sequence[Incompatibility], last: Incompatibility) -> dict[int, int]:
    """Number the conclusions that are shown and cited by more than the next one."""
    cited = Counter(id(cause) for each in (*shown, last) for cause in derived_causes(each))
    ordered = (id(each) for each in shown if cited[id(each)] > 1)
    return {conclusion: number for number, conclusion in enumerate(ordered, start=1)}


def _reasons(problem: Problem, facts: Sequence[Fact]) -> Iterator[str]:
    """Say facts so that each leads on to the next where it can, what is asked last."""
    for chain in chains([fact for fact in facts if isinstance(fact, Needs)]):
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
