"""Solving: which versions to use together, or why none will do."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from graph.catalogue import Catalogue
from graph.constraints import parse_constraint
from graph.errors import InvalidConstraint, InvalidName, InvalidVersion
from graph.names import check_name
from graph.resolution import Conflict, Question, Requirement, Resolution
from graph.solver import solve
from graph.supposition import is_supposed
from graph.versions import parse_version
from resolvers.atlas import Atlas
from resolvers.deadlines import deadline
from resolvers.errors import BadConstraint, BadInput, BadVersion, LimitExceeded
from resolvers.satisfiers import isolated

# Real registries are answered in well under a second; what takes this long is a puzzle.
TIME_LIMIT: Final = timedelta(seconds=30)
# What is not found until then is left out of an explanation, of which each of three parts has this. Most take a
# hundredth of it.
EXPLANATION_TIME_LIMIT: Final = timedelta(seconds=2)
_MOST_REQUIREMENTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Resolved:
    """A solution, with where its pins are stored."""

    resolution: Resolution
    version_ids: Mapping[str, int]
    """By package; one whose version is only supposed is missing."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Unsolved:
    """The proof that there is no solution."""

    conflict: Conflict
    seconds: float


def resolve(atlas: Atlas, question: Question, *, time_limit: timedelta = TIME_LIMIT) -> Resolved | Unsolved:
    """Answer `question` from the catalogue as it is now. Raises GaveUp past `time_limit`, Refusal for a bad question."""
    check(question)
    with atlas.registry.snapshot() as snapshot:
        return answer(snapshot, question, should_stop=deadline(time_limit))


def answer(
    catalogue: Catalogue, question: Question, *, should_stop: Callable[[], bool]
) -> Resolved | Unsolved:
    """Answer a question that has been checked, from any catalogue. Raises GaveUp once it should stop."""
    started = time.perf_counter()
    result = solve(
        catalogue,
        question,
        should_stop=should_stop,
        explaining_stops=partial(deadline, EXPLANATION_TIME_LIMIT),
        new_satisfier=isolated,
    )
    seconds = time.perf_counter() - started
    if isinstance(result, Conflict):
        return Unsolved(result, seconds)
    return Resolved(result, _version_ids(catalogue, result), seconds)


def _version_ids(catalogue: Catalogue, resolution: Resolution) -> dict[str, int]:
    candidates = catalogue.candidates([pin.package for pin in resolution.pins])
    return {
        pin.package: version.id
        for pin in resolution.pins
        for version in candidates[pin.package].versions
        if version.text == pin.version and not is_supposed(version)
    }


def check(question: Question) -> None:
    """Raise a Refusal that names the place of the first fault of a question."""
    fields = (
        ("requirements", question.requirements),
        ("constraints", question.constraints),
        ("overrides", question.overrides),
    )
    for name, given in fields:
        _check_number(name, len(given))
        for index, requirement in enumerate(given):
            _check_requirement(requirement, (name, str(index)))
    _check_locks(question)
    if not question.kinds:
        raise BadInput("name at least one kind of dependency to follow", path=("kinds",))


def _check_locks(question: Question) -> None:
    _check_number("locked", len(question.locked))
    seen: set[str] = set()
    for index, (package, version) in enumerate(question.locked):
        path = ("locked", str(index))
        _check_package(package, path)
        try:
            parse_version(version)
        except InvalidVersion as error:
            raise BadVersion(error, path=(*path, "version")) from None
        if package in seen:
            raise BadInput(f"{package} is locked already", path=(*path, "package"))
        seen.add(package)


def _check_number(name: str, given: int) -> None:
    if given > _MOST_REQUIREMENTS:
        raise LimitExceeded(name, given=given, limit=_MOST_REQUIREMENTS, path=(name,))


def _check_requirement(requirement: Requirement, path: tuple[str, ...]) -> None:
    _check_package(requirement.package, path)
    try:
        parse_constraint(requirement.constraint)
    except InvalidConstraint as error:
        raise BadConstraint(error, package=requirement.package, path=(*path, "constraint")) from None


def _check_package(package: str, path: tuple[str, ...]) -> None:
    try:
        check_name(package)
    except InvalidName as error:
        raise BadInput(str(error), path=(*path, "package")) from None
