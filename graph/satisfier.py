"""What a SAT solver is asked, and CaDiCaL as the one that answers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from pysat.solvers import Cadical153


class Stopped(Exception):
    """The SAT solver was told to stop, or was stopped from outside, before it had an answer."""


Clause = Sequence[int]
"""Literals of which one must hold: numbers from 1, negative for what must not."""


class Satisfier(Protocol):
    """A SAT solver that is added to and asked again."""

    def add(self, clauses: Iterable[Clause]) -> None:
        """Require these from now on."""
        ...

    def prefer(self, literals: Sequence[int]) -> None:
        """Try these first wherever nothing decides. Never changes whether there is an answer."""
        ...

    def satisfy(self, assumptions: Sequence[int]) -> Sequence[int] | None:
        """Return the literals that hold in one solution, by number; None when there is none."""
        ...

    def blamed(self) -> Sequence[int]:
        """Return those of the assumptions of the last call, which had no solution, that are enough for that."""
        ...


NewSatisfier = Callable[[Callable[[], bool]], AbstractContextManager[Satisfier]]
"""Opens one, which raises Stopped when what it is given says that it should stop."""


@contextmanager
def cadical(should_stop: Callable[[], bool]) -> Iterator["Cadical"]:
    """Open CaDiCaL in this thread: it holds the interpreter's lock, and cannot be stopped, while it works."""
    with Cadical153() as solver:
        yield Cadical(solver, should_stop)


class Cadical:
    """CaDiCaL, which is deterministic."""

    def __init__(self, solver: Cadical153, should_stop: Callable[[], bool]) -> None:
        self._solver = solver
        self._should_stop = should_stop

    def add(self, clauses: Iterable[Clause]) -> None:
        for clause in clauses:
            self._solver.add_clause(clause)

    def prefer(self, literals: Sequence[int]) -> None:
        self._solver.set_phases(literals)

    def satisfy(self, assumptions: Sequence[int]) -> Sequence[int] | None:
        if self._should_stop():
            raise Stopped
        if not self._solver.solve(assumptions=list(assumptions)):
            return None
        model: Sequence[int] = self._solver.get_model()
        return model

    def blamed(self) -> Sequence[int]:
        found: Sequence[int] = self._solver.get_core() or ()
        return found
