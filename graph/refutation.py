"""What a search that has ended badly leaves behind."""

from dataclasses import dataclass

from graph.problem import Problem
from graph.resolution import Statistics
from graph.terms import Incompatibility


@dataclass(frozen=True, slots=True)
class Refutation:
    """Proof that nothing satisfies the question, as the search found it: not yet put into words."""

    problem: Problem
    proof: Incompatibility
    """It has no terms; its causes, and theirs, lead to declared facts."""
    statistics: Statistics
    is_bare: bool = False
    """Whether the proof names the facts that cannot hold together without saying what follows from them."""
