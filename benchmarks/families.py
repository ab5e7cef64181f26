"""Families of questions to solvers, made from a seed, in a form that belongs to no solver.

Versions are the whole numbers from 1; a dependency allows those from `low` up to, but not including, `high`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SEED = 2024


@dataclass(frozen=True, slots=True)
class Need:
    """What a version, or the question itself, needs."""

    package: str
    low: int
    high: int

    @property
    def constraint(self) -> str:
        """The same as PEP 440 says it."""
        return f">={self.low},<{self.high}"


Registry = Mapping[str, Mapping[int, Sequence[Need]]]
"""What each version of each package needs."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question, with the answer that every solver must come to; None where only a solver can tell."""

    name: str
    registry: Registry
    roots: Sequence[Need]
    is_solvable: bool | None


def independent(packages: int, versions: int) -> Case:
    """Return packages that need nothing, all required."""
    registry: Registry = {f"p{p}": dict.fromkeys(range(1, versions + 1), ()) for p in range(packages)}
    roots = [Need(name, 1, versions + 1) for name in registry]
    return Case(f"independent {packages} x {versions}", registry, roots, is_solvable=True)


def ladder(packages: int, versions: int, *, is_closed: bool = False) -> Case:
    """Return packages each of which needs the next at or below its own version; the last has only its lowest.

    Closed, that one needs the first at its lowest, so that only the lowest of each will do, which shows at the very end.
    """
    registry: dict[str, Mapping[int, Sequence[Need]]] = {
        f"p{p}": {v: (Need(f"p{p + 1}", 1, v + 1),) for v in range(1, versions + 1)}
        for p in range(packages - 1)
    }
    registry[f"p{packages - 1}"] = {1: (Need("p0", 1, 2),) if is_closed else ()}
    name = f"ladder {packages} x {versions}{', closed' if is_closed else ''}"
    return Case(name, registry, [Need("p0", 1, versions + 1)], is_solvable=True)


def boto(versions: int, others: int = 1) -> Case:
    """Return a package each version of which pins a narrow range of others with as many; the newest pins no longer exist.

    Named after what made it known: boto3 and botocore, where a wrong turn costs a look at every release.
    """
    needs = {v: tuple(Need(f"core{o}", v, v + 2) for o in range(others)) for v in range(1, versions + 1)}
    registry: dict[str, Mapping[int, Sequence[Need]]] = {"boto": needs}
    for other in range(others):
        registry[f"core{other}"] = {v: (Need("urllib", 1, 3),) for v in range(1, versions + 1)}
    registry["urllib"] = dict.fromkeys(range(1, 6), ())
    registry["app"] = {1: tuple(Need(f"core{o}", 1, versions // 4) for o in range(others))}
    roots = [Need("boto", 1, versions + 1), Need("app", 1, 2)]
    return Case(
        f"boto {versions:,}" + (f" x {others}" if others > 1 else ""), registry, roots, is_solvable=True
    )


def deep_chain(packages: int, versions: int, *, is_solvable: bool) -> Case:
    """Return a chain whose newest versions lead, at its very end, to what is not there; so do all, unless solvable.

    Each version needs the version of the next package that is its own, and the last of them need `end`.
    """
    registry: dict[str, Mapping[int, Sequence[Need]]] = {
        f"p{p}": {v: (Need(f"p{p + 1}", v, v + 1),) for v in range(1, versions + 1)}
        for p in range(packages - 1)
    }
    good = 1 if is_solvable else 0
    registry[f"p{packages - 1}"] = {
        v: (Need("end", 1 if v <= good else 2, 3),) for v in range(1, versions + 1)
    }
    registry["end"] = {1: ()}
    kind = "solvable" if is_solvable else "not solvable"
    return Case(
        f"deep chain {packages} x {versions}, {kind}",
        registry,
        [Need("p0", 1, versions + 1)],
        is_solvable=is_solvable,
    )


def pigeonhole(birds: int) -> Case:
    """Return birds that each need one of a hole less than there are birds, alone: not solvable."""
    holes = birds - 1
    registry: dict[str, Mapping[int, Sequence[Need]]] = {
        f"bird{b}": {h: (Need(f"hole{h}", b, b + 1),) for h in range(1, holes + 1)}
        for b in range(1, birds + 1)
    }
    registry |= {f"hole{h}": dict.fromkeys(range(1, birds + 1), ()) for h in range(1, holes + 1)}
    roots = [Need(f"bird{b}", 1, holes + 1) for b in range(1, birds + 1)]
    return Case(f"pigeonhole {birds}", registry, roots, is_solvable=False)


# The example of Wikipedia's article on sudoku, row by row.
_GIVENS = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"


def sudoku() -> Case:
    """Return the cells of a sudoku, whose versions are digits: each needs to be alone in its row, column and box."""
    registry: dict[str, Mapping[int, Sequence[Need]]] = {}
    for cell in range(81):
        row, column = divmod(cell, 9)
        box = row // 3 * 3 + column // 3
        lines = (f"row{row}", f"column{column}", f"box{box}")
        registry[f"cell{cell}"] = {
            digit: tuple(Need(f"{line}-{digit}", cell + 1, cell + 2) for line in lines)
            for digit in range(1, 10)
        }
        for line in lines:
            for digit in range(1, 10):
                places = dict(registry.get(f"{line}-{digit}", {}))
                registry[f"{line}-{digit}"] = {**places, cell + 1: ()}
    roots = [
        Need(f"cell{cell}", 1, 10) if given == "." else Need(f"cell{cell}", int(given), int(given) + 1)
        for cell, given in enumerate(_GIVENS)
    ]
    return Case("sudoku", registry, roots, is_solvable=True)


def wide(packages: int, versions: int, needs: int, *, narrow: float) -> Case:
    """Return packages whose every version needs `needs` others, drawn at random.

    A constraint leaves out some old versions, none to all but the newest; the share `narrow` of them allows one version only.
    """
    draw = random.Random(f"{_SEED} {packages} {versions} {needs} {narrow}")
    registry = {
        f"p{p}": {
            v: tuple(_drawn(draw, other, versions, narrow) for other in draw.sample(range(packages), needs))
            for v in range(1, versions + 1)
        }
        for p in range(packages)
    }
    roots = [Need(f"p{p}", 1, versions + 1) for p in range(10)]
    return Case(
        f"wide {packages:,} x {versions} x {needs}, {narrow:.1%} narrow",
        registry,
        roots,
        is_solvable=True if narrow == 0 else None,
    )


def _drawn(draw: random.Random, package: int, versions: int, narrow: float) -> Need:
    if draw.random() < narrow:
        low = draw.randint(1, versions)
        return Need(f"p{package}", low, low + 1)
    return Need(f"p{package}", draw.randint(1, versions), versions + 1)
