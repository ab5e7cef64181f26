"""The meaning of a question by trying everything: no cleverness, so that it can be believed."""

import itertools
from collections.abc import Iterator, Mapping

from graph.catalogue import Candidate
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.problem import Problem
from graph.resolution import Question, Resolution
from graph.terms import bits
from tests.graph.universe import Universe

Selection = Mapping[str, Candidate]


def every_solution(index: Universe, question: Question) -> Iterator[Selection]:
    """Yield each selection that satisfies the question, pins that nothing requires included."""
    names = sorted(_reachable(index, question))
    choices = [[None, *_admitted(index, question, name)] for name in names]
    for picked in itertools.product(*choices):
        selection = {
            name: version for name, version in zip(names, picked, strict=True) if version is not None
        }
        if satisfies(index, question, selection):
            yield selection


def satisfies(index: Universe, question: Question, selection: Selection) -> bool:
    """Whether everything required is selected and within every constraint."""
    return all(
        _holds(selection, package, constraint, only_restricts=only_restricts)
        for package, constraint, only_restricts in _demands(index, question, selection)
    )


def _holds(selection: Selection, package: str, constraint: str, *, only_restricts: bool) -> bool:
    version = selection.get(package)
    if version is None:
        return only_restricts
    return parse_constraint(constraint).admits(version.key, version.text)


def _demands(index: Universe, question: Question, selection: Selection) -> Iterator[tuple[str, str, bool]]:
    overrides = {r.package: r.constraint for r in question.overrides}
    for requirement in question.requirements:
        yield requirement.package, overrides.get(requirement.package, requirement.constraint), False
    for requirement in question.constraints:
        yield requirement.package, requirement.constraint, True
    for version in selection.values():
        for declared in index.declared_by(version):
            if declared.kinds & question.kinds and (question.include_optional or not declared.optional):
                constraint = overrides.get(declared.package, declared.constraint.text)
                yield declared.package, constraint, declared.kinds & question.kinds == Kind.PEER


def _admitted(index: Universe, question: Question, name: str) -> list[Candidate]:
    """Admission has tests of its own; here it is only asked for."""
    problem = Problem(index, question)
    number = problem.number(name)
    return [problem.version(number, bit) for bit in bits(problem.admissions[number].admitted)]


def _reachable(index: Universe, question: Question) -> set[str]:
    found: set[str] = set()
    waiting = [requirement.package for requirement in question.requirements]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(d.package for v in index.versions_of(name) for d in index.declared_by(v))
    return found


def selection_of(index: Universe, resolution: Resolution) -> Selection:
    """Look up the candidates that a resolution pins."""
    return {
        pin.package: next(v for v in index.versions_of(pin.package) if v.text == pin.version)
        for pin in resolution.pins
    }
