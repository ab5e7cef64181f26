"""All solvers behind one door, each over what it likes best."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Final

from benchmarks import ours, with_nab, with_resolvelib, with_resolvo
from benchmarks.cases import Asked
from benchmarks.puzzle import Pins

Solve = Callable[[float], Pins | None]
"""Solves within so many seconds or raises OutOfTime; None says that there is no solution."""

SOLVERS: Final[Mapping[str, Callable[[Asked], Solve]]] = {
    "ours, loaded": lambda asked: ours.prepare_loaded(asked.rows, asked.question, asked.world.numbers),
    "ours, cold": lambda asked: ours.prepare_cold(asked.rows, asked.question, asked.world.numbers),
    "resolvelib": lambda asked: with_resolvelib.prepare(asked.puzzle),
    "nab": lambda asked: with_nab.prepare(asked.puzzle),
    "resolvo": lambda asked: with_resolvo.prepare(asked.puzzle),
}

VERSIONS: Final = {
    "ours, loaded": version("buildatlas"),
    "ours, cold": version("buildatlas"),
    "resolvelib": version("resolvelib"),
    "nab": version("nab-resolver"),
    "resolvo": f"py-rattler {version('py-rattler')}",
}
