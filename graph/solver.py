"""The solver: picks one version of everything needed, or proves that none can be picked, and explains why."""

from collections.abc import Callable
from functools import partial
from typing import Final

from graph import closing
from graph.answer import answer
from graph.catalogue import Catalogue
from graph.errors import GaveUp
from graph.explanation import explain
from graph.lag import Picked, closer
from graph.problem import Problem
from graph.refutation import Refutation
from graph.resolution import Conflict, Question, Resolution
from graph.satisfier import NewSatisfier, Stopped, cadical
from graph.search import OutOfBudget, Search
from graph.terms import Incompatibility

# Real questions meet a few dozen. Past this, reading everything that can be reached, which takes about a second for
# 200,000 dependencies, is the shorter way.
MOST_CONFLICTS: Final = 300
# A closer answer is a few steps away, or there is none: who asks a puzzle should not pay for it twice.
_MOST_CONFLICTS_FOR_CLOSER: Final = 30


def _never() -> bool:
    return False


def solve(
    catalogue: Catalogue,
    question: Question,
    *,
    should_stop: Callable[[], bool] = _never,
    explaining_stops: Callable[[], Callable[[], bool]] = lambda: _never,
    new_satisfier: NewSatisfier = cadical,
) -> Resolution | Conflict:
    """Answer `question` from `catalogue`.

    Equal questions to equal catalogues have equal answers, in whatever order
    either was written down. Raises GaveUp when `should_stop` returns True before
    the end, InvalidConstraint or InvalidVersion when the question does not parse.
    Costs no more than the packages it has to look at; the catalogue is asked in batches.
    An explanation solves a few questions more; each of its three parts asks `explaining_stops` for what tells it to
    stop, and then goes without the rest.
    """
    found = find(catalogue, question, should_stop=should_stop, new_satisfier=new_satisfier)
    if isinstance(found, Resolution):
        return found
    again = partial(find, catalogue, new_satisfier=new_satisfier)
    return explain(catalogue, question, found, find=again, stops=explaining_stops)


def find(
    catalogue: Catalogue,
    question: Question,
    *,
    whole: Question | None = None,
    should_stop: Callable[[], bool] = _never,
    new_satisfier: NewSatisfier = cadical,
) -> Resolution | Refutation:
    """Answer as `solve` does, but put no proof into words.

    Where `question` is a part of a `whole` one, what may be picked is what may be for the whole.
    """
    problem = Problem(catalogue, question, whole=whole)
    search = Search(problem, should_stop, most_conflicts=MOST_CONFLICTS)
    is_bare = False
    try:
        found = search.run()
    except OutOfBudget:
        found = _handed_over(search, problem, new_satisfier, should_stop)
        is_bare = True
    if not isinstance(found, dict):
        return Refutation(problem, found, search.statistics, is_bare)
    picked: Picked = found
    if not is_bare:
        picked = closer(problem, found, partial(_decided_first, problem, should_stop))
    return answer(problem, question, picked, search.statistics)


def _handed_over(
    search: Search, problem: Problem, new_satisfier: NewSatisfier, should_stop: Callable[[], bool]
) -> dict[int, int] | Incompatibility:
    try:
        return closing.decide(problem, new_satisfier, should_stop)
    except Stopped as error:
        raise GaveUp(search.statistics.conflicts, search.statistics.decisions) from error


def _decided_first(problem: Problem, should_stop: Callable[[], bool], package: int) -> Picked | None:
    search = Search(problem, should_stop, most_conflicts=_MOST_CONFLICTS_FOR_CLOSER, first=package)
    try:
        found = search.run()
    except (OutOfBudget, GaveUp):
        return None
    return found if isinstance(found, dict) else None
