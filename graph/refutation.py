"""What a search that has ended badly leaves behind."""

from dataclasses import dataclass
from functools import cached_property

from graph.derivation import all_facts
from graph.problem import Problem
from graph.resolution import Statistics
from graph.terms import Fact, Incompatibility, Needs

# A list of more facts, none of which follows from another, explains nothing.
_MOST_FACTS = 1_000


@dataclass(frozen=True)
class Refutation:
    """Proof that nothing satisfies the question, as the search found it: not yet put into words."""

    problem: Problem
    proof: Incompatibility
    """It has no terms; its causes, and theirs, lead to declared facts."""
    statistics: Statistics
    is_bare: bool = False
    """Whether the proof names the facts that cannot hold together without saying what follows from them."""

    @cached_property
    def facts(self) -> list[Fact]:
        """Every fact that the proof rests on, each once, in the order in which they are told."""
        return all_facts(self.proof)

    @property
    def is_beyond_telling(self) -> bool:
        """Whether it rests on too many facts to tell, and on nothing but them."""
        return self.is_bare and len(self.facts) > _MOST_FACTS

    @property
    def needing(self) -> set[int]:
        """The packages on whose needs it rests, by number."""
        return {fact.dependent for fact in self.facts if isinstance(fact, Needs)}
