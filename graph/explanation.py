"""Why there is no solution: a minimal core, its derivation, and what would work."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from graph.catalogue import Catalogue
from graph.core import Core, minimal_core, only
from graph.errors import GaveUp
from graph.excerpt import Excerpt
from graph.message import message
from graph.problem import Problem
from graph.refutation import Refutation
from graph.relaxations import relaxations
from graph.report import derivation_steps
from graph.resolution import Conflict, Question, Resolution
from graph.search import OutOfBudget, Search
from graph.terms import Incompatibility

# A derivation of more conflicts is longer than anyone reads. What it rests on is told all the same.
_MOST_CONFLICTS = 20_000


class FindPart(Protocol):
    """Answers other questions to the same catalogue: changed ones, and parts of a whole one."""

    def __call__(
        self, question: Question, /, *, whole: Question | None = None, should_stop: Callable[[], bool]
    ) -> Resolution | Refutation:
        """Return the answer; with `whole`, what may be picked is what may be for that. Raises GaveUp."""
        ...


def explain(
    catalogue: Catalogue,
    question: Question,
    refutation: Refutation,
    *,
    find: FindPart,
    stops: Callable[[], Callable[[], bool]],
) -> Conflict:
    """Put the proof that `question` has no solution into words.

    `stops` is asked at the start of each of three parts, the core, its derivation and what would work, for what tells
    that part to stop. It then goes without what it has not found yet, which makes it longer, never wrong.
    """
    core = minimal_core(partial(find, whole=question, should_stop=stops()), question, refutation)
    proof = _Shortening(catalogue, question, core, stops()).of(refutation)
    offered = tuple(relaxations(partial(find, should_stop=stops()), question, core))
    return Conflict(
        message=message(proof, core.asked, offered),
        steps=derivation_steps(proof),
        core=core.asked,
        core_is_minimal=core.is_minimal,
        relaxations=offered,
        statistics=refutation.statistics,
    )


@dataclass(frozen=True, slots=True)
class _Shortening:
    """Deriving anew from nothing but what a proof rests on, as long as that gives a shorter proof."""

    catalogue: Catalogue
    question: Question
    core: Core
    should_stop: Callable[[], bool]

    def of(self, refutation: Refutation) -> Refutation:
        """Return the shortest proof found, or `refutation` when there was no time to look for one."""
        best = self._derived(self.core.refutation) or refutation
        while (derived := self._derived(best)) is not None and len(derived.facts) < len(best.facts):
            best = derived
        return best

    def _derived(self, known: Refutation) -> Refutation | None:
        needing = {known.problem.names[package] for package in known.needing}
        # What is overridden is told as it was asked, also where the core would do with less.
        part = replace(only(self.question, self.core.asked), overrides=self.question.overrides)
        problem = Problem(Excerpt(self.catalogue, needing), part, whole=self.question)
        search = Search(problem, self.should_stop, most_conflicts=_MOST_CONFLICTS)
        try:
            found = search.run()
        except (GaveUp, OutOfBudget):
            return None
        return Refutation(problem, found, search.statistics) if isinstance(found, Incompatibility) else None
