"""The questions that the solvers are compared on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from benchmarks import families, julia
from benchmarks.puzzle import Puzzle, World, explore
from benchmarks.shelf import Rows, Shelf, rows_of
from graph.resolution import Question, Requirement


@dataclass(frozen=True)
class Asked:
    """A question about a registry."""

    name: str
    rows: Rows
    question: Question
    is_solvable: bool | None
    """None where only a solver can tell."""

    @cached_property
    def world(self) -> World:
        return explore(Shelf(self.rows), self.question)

    @cached_property
    def puzzle(self) -> Puzzle:
        return self.world.puzzle()


def of_family(family: Callable[[], families.Case]) -> Asked:
    """Write down a made-up case."""
    case = family()
    roots = tuple(Requirement(root.package, root.constraint) for root in case.roots)
    return Asked(case.name, rows_of(case.registry), Question(roots), case.is_solvable)


def _real(*roots: str) -> Asked:
    """Ask the catalogue of Julia, in which all of `julia.ROOTS` have an answer."""
    requirements = tuple(Requirement(root) for root in roots)
    return Asked(f"Julia: {' + '.join(roots)}", julia.rows(), Question(requirements), is_solvable=True)


_FAMILIES: list[Callable[[], families.Case]] = [
    *(
        partial(families.independent, packages, versions)
        for packages, versions in ((20, 10), (200, 30), (1000, 30))
    ),
    *(
        partial(families.ladder, size, 30, is_closed=is_closed)
        for is_closed in (False, True)
        for size in (30, 60)
    ),
    partial(families.boto, 2_000),
    partial(families.boto, 500, 3),
    *(partial(families.deep_chain, 300, 20, is_solvable=is_solvable) for is_solvable in (True, False)),
    partial(families.sudoku),
    *(partial(families.pigeonhole, birds) for birds in (5, 6, 7, 8)),
    *(partial(families.wide, 2_000, 20, 5, narrow=narrow) for narrow in (0, 0.005, 0.01, 0.02, 0.05, 0.1)),
    partial(families.wide, 10_000, 10, 5, narrow=0),
]


def _label(family: Callable[[], families.Case]) -> str:
    assert isinstance(family, partial)
    return "-".join([family.func.__name__, *map(str, family.args), *map(str, family.keywords.values())])


# Each is made when its turn comes: the largest takes seconds and hundreds of megabytes.
CASES: Mapping[str, Callable[[], Asked]] = {
    **{_label(family): partial(of_family, family) for family in _FAMILIES},
    **{"-".join(roots): partial(_real, *roots) for roots in julia.ROOTS if julia.has(roots)},
}
