"""From a search that has ended well to the resolution it found."""

import hashlib
from collections.abc import Iterator

import numpy as np

from graph.cycles import DependencyCycle, cycles
from graph.dependencies import DependencyGraph
from graph.partial_solution import PartialSolution
from graph.problem import Dependency, Problem
from graph.resolution import Pin, Question, Resolution, ResolutionEdge, Statistics
from graph.terms import NOT_SELECTED


def answer(
    problem: Problem, question: Question, solution: PartialSolution, statistics: Statistics
) -> Resolution:
    """Read the pins off a solution in which everything required is decided."""
    chosen = {
        package: domain.bit_length() - 1
        for package, domain in enumerate(solution.domains)
        if not domain & NOT_SELECTED
    }
    direct = {requirement.package for requirement in question.requirements}
    pins = sorted(
        Pin(problem.names[package], problem.version(package, bit).text, problem.names[package] in direct)
        for package, bit in chosen.items()
    )
    edges = _edges(problem, question, chosen)
    return Resolution(
        pins=tuple(pins),
        edges=edges,
        cycles=_cycles(problem, chosen),
        fingerprint=_fingerprint(pins, edges),
        statistics=statistics,
    )


def _edges(problem: Problem, question: Question, chosen: dict[int, int]) -> tuple[ResolutionEdge, ...]:
    asked = {ResolutionEdge(None, r.package, r.constraint) for r in question.requirements}
    needed = [
        ResolutionEdge(problem.names[package], problem.names[dependency.package], constraint)
        for package, dependency in _followed(problem, chosen)
        for constraint in dependency.declared
    ]
    return tuple(sorted((*asked, *needed), key=lambda e: (e.dependent or "", e.dependency, e.constraint)))


def _followed(problem: Problem, chosen: dict[int, int]) -> Iterator[tuple[int, Dependency]]:
    """Yield each dependency among the pins, with the number of the package that has it."""
    for package, bit in chosen.items():
        for dependency in problem.dependencies(package, bit):
            if dependency.package in chosen:
                yield package, dependency


def _cycles(problem: Problem, chosen: dict[int, int]) -> tuple[DependencyCycle, ...]:
    place = {package: index for index, package in enumerate(chosen)}
    edges = list(_followed(problem, chosen))
    graph = DependencyGraph.build(
        [problem.names[package] for package in chosen],
        np.array([place[package] for package, _ in edges], dtype=np.int32),
        np.array([place[dependency.package] for _, dependency in edges], dtype=np.int32),
        np.array([dependency.kinds.value for _, dependency in edges], dtype=np.uint8),
        np.array([dependency.optional for _, dependency in edges], dtype=np.bool_),
    )
    return tuple(cycles(graph))


def _fingerprint(pins: list[Pin], edges: tuple[ResolutionEdge, ...]) -> str:
    """Depends on what was picked and on what holds it together, and on nothing that time changes."""
    digest = hashlib.sha256()
    for pin in pins:
        digest.update(f"{pin.package}\0{pin.version}\0{pin.direct:d}\n".encode())
    for edge in edges:
        digest.update(f"{edge.dependent or ''}\0{edge.dependency}\0{edge.constraint}\n".encode())
    return digest.hexdigest()
