"""From a search that has ended well to the resolution it found."""

import hashlib
from collections.abc import Iterator, Mapping
from operator import attrgetter

import numpy as np

from graph.cycles import DependencyCycle, cycles
from graph.dependencies import DependencyGraph
from graph.problem import Problem
from graph.resolution import Pin, Question, Resolution, ResolutionEdge, Statistics


def answer(
    problem: Problem, question: Question, chosen: Mapping[int, int], statistics: Statistics
) -> Resolution:
    """Say what is picked of each package: `chosen` has its bit, by number."""
    direct = {requirement.package for requirement in question.requirements}
    pins = sorted(
        (
            Pin(problem.names[package], problem.version(package, bit).text, problem.names[package] in direct)
            for package, bit in chosen.items()
        ),
        key=attrgetter("package"),
    )
    edges = (*_asked(question), *_needed(problem, chosen, [pin.package for pin in pins]))
    return Resolution(tuple(pins), edges, _fingerprint(pins, edges), statistics)


def _asked(question: Question) -> list[ResolutionEdge]:
    asked = {(requirement.package, requirement.constraint) for requirement in question.requirements}
    return [ResolutionEdge(None, package, constraint) for package, constraint in sorted(asked)]


def _needed(problem: Problem, chosen: Mapping[int, int], names: list[str]) -> Iterator[ResolutionEdge]:
    """Yield each dependency among the pins, by name of the dependent and then of the dependency."""
    for name in names:
        package = problem.number(name)
        for dependency in problem.dependencies(package, chosen[package]):
            if dependency.package in chosen:
                needed = problem.names[dependency.package]
                for constraint in dependency.declared:
                    yield ResolutionEdge(name, needed, constraint, dependency.kinds, dependency.optional)


def _fingerprint(pins: list[Pin], edges: tuple[ResolutionEdge, ...]) -> str:
    """Depends on what was picked and on what holds it together, and on nothing that time changes."""
    lines = [f"{pin.package}\0{pin.version}\0{pin.direct:d}\n" for pin in pins]
    lines += [f"{edge.dependent or ''}\0{edge.dependency}\0{edge.constraint}\n" for edge in edges]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def cycles_among(resolution: Resolution) -> list[DependencyCycle]:
    """Return the dependency cycles among the pins. Costs more than many a resolution, so it is for who asks."""
    names = [pin.package for pin in resolution.pins]
    place = {name: index for index, name in enumerate(names)}
    edges = [(edge, place[edge.dependent]) for edge in resolution.edges if edge.dependent is not None]
    graph = DependencyGraph.build(
        names,
        np.array([dependent for _, dependent in edges], dtype=np.int32),
        np.array([place[edge.dependency] for edge, _ in edges], dtype=np.int32),
        np.array([edge.kinds.value for edge, _ in edges], dtype=np.uint8),
        np.array([edge.optional for edge, _ in edges], dtype=np.bool_),
    )
    return cycles(graph)
