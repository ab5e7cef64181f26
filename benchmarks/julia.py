"""A real catalogue: the packages of Julia, or those that the example in this repository has of them.

`BUILDATLAS_JULIA` is the path of the whole of it, about a hundred thousand versions.
"""

import gzip
import json
import os
from collections.abc import Collection, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, TypedDict

from benchmarks.shelf import Declared, Row, Rows
from graph.dependencies import Kind
from graph.errors import InvalidVersion
from graph.versions import parse_version

CATALOGUE: Final = Path(
    os.environ.get("BUILDATLAS_JULIA", Path(__file__).parent.parent / "examples/julia.jsonl.gz")
)

_BEGINNING: Final = b'{"name":"'

# From easy to hard: one root, two that agree, and two that agree on old versions only.
ROOTS: Final = (
    ("DifferentialEquations",),
    ("Turing", "JuMP"),
    ("Knet", "Flux"),
    ("CuArrays", "DataStructures"),
    ("TensorFlow", "Flux"),
)


class _Need(TypedDict):
    package: str
    constraint: str
    kinds: list[str]
    optional: bool


class _Line(TypedDict, total=False):
    name: str
    version: str
    releasedAt: str
    yanked: bool
    dependencies: list[_Need]


def lines() -> Iterator[bytes]:
    """Yield the catalogue as it is imported."""
    with gzip.open(CATALOGUE) as file:
        yield from file


@cache
def rows() -> Rows:
    """Return the catalogue without what is no version to us, which an import refuses as well."""
    versions: dict[str, list[Row]] = {}
    for line in lines():
        said: _Line = json.loads(line)
        if "version" in said and _is_version(said["version"]):
            versions.setdefault(said["name"], []).append(_row(said))
    return Rows(versions)


def _is_version(text: str) -> bool:
    try:
        parse_version(text)
    except InvalidVersion:
        return False
    return True


def _row(said: _Line) -> Row:
    released_at = datetime.fromisoformat(said["releasedAt"]) if "releasedAt" in said else None
    declared = [_declared(need) for need in said.get("dependencies", ())]
    return Row(said["version"], declared, said.get("yanked", False), released_at)


def _declared(need: _Need) -> Declared:
    kinds = Kind(0)
    for name in need["kinds"]:
        kinds |= Kind[name]
    return Declared(need["package"], need["constraint"], kinds, need.get("optional", False))


def has(roots: Collection[str]) -> bool:
    """Whether all of `roots` are in the catalogue."""
    return names().issuperset(roots)


@cache
def names() -> frozenset[str]:
    """Return the names of the packages, without taking in the rest."""
    return frozenset(line[len(_BEGINNING) : line.index(b'"', len(_BEGINNING))].decode() for line in lines())
