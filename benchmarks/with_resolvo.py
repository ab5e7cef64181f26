"""resolvo, the SAT solver of conda and pixi in Rust, as py-rattler offers it.

It takes a channel on disk, and constraints as texts. What its gateway has read it keeps, so that the channel is not
read within the time; the constraints are parsed within it all the same, and py-rattler knows no other way.
"""

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from rattler import Channel, Gateway, solve
from rattler.exceptions import SolverError

from benchmarks.limits import OutOfTime
from benchmarks.puzzle import Masks, Pins, Puzzle

_SUBDIR: Final = "noarch"
# Versions are numbered from 1.
_NONE = "==0"


def prepare(puzzle: Puzzle) -> Callable[[float], Pins | None]:
    """Return what solves `puzzle` on each call; None means that resolvo has proved it impossible."""
    # Conda names are lower case: numbers cannot be confused.
    names = {package: f"p{index}" for index, package in enumerate(puzzle.versions)}
    packages = {name: package for package, name in names.items()}
    specs = _specs(puzzle.roots, names)
    with tempfile.TemporaryDirectory() as folder:
        channel = _channel(puzzle, names, Path(folder))
        gateway = Gateway(cache_dir=Path(folder) / "cache")
        asyncio.run(gateway.query([channel], [_SUBDIR], list(packages), recursive=False))

    def found(seconds: float) -> Pins | None:
        limit = timedelta(seconds=seconds)
        try:
            records = asyncio.run(solve([channel], specs, gateway, [_SUBDIR], timeout=limit))
        except SolverError as error:
            if "cancelled" in str(error):
                raise OutOfTime from error
            return None
        return {packages[record.name.normalized]: int(str(record.version)) for record in records}

    return found


def _channel(puzzle: Puzzle, names: dict[str, str], folder: Path) -> Channel:
    records = {f"{record['name']}-{record['version']}-0.conda": record for record in _records(puzzle, names)}
    repodata = {"info": {"subdir": _SUBDIR}, "packages": {}, "packages.conda": records, "repodata_version": 1}
    (folder / _SUBDIR).mkdir()
    (folder / _SUBDIR / "repodata.json").write_text(json.dumps(repodata))
    return Channel(folder.as_uri())


def _records(puzzle: Puzzle, names: dict[str, str]) -> Iterator[dict[str, object]]:
    for package, versions in puzzle.needs.items():
        for number, masks in enumerate(versions, start=1):
            if puzzle.versions[package] >> number & 1:
                yield {
                    "name": names[package],
                    "version": str(number),
                    "build": "0",
                    "build_number": 0,
                    "subdir": _SUBDIR,
                    "depends": _specs(masks, names),
                }


def _specs(masks: Masks, names: dict[str, str]) -> list[str]:
    """A package that is not registered has no number, and nothing has its name."""
    return [f"{names.get(package, 'unregistered')} {_constraint(mask)}" for package, mask in masks.items()]


def _constraint(mask: int) -> str:
    return "|".join(f">={low},<{high}" for low, high in _runs(mask)) or _NONE


def _runs(mask: int) -> Iterator[tuple[int, int]]:
    """Yield where each unbroken row of bits begins and ends."""
    start = 0
    while mask:
        zeros = (mask & -mask).bit_length() - 1
        mask >>= zeros
        ones = (~mask & mask + 1).bit_length() - 1
        yield start + zeros, start + zeros + ones
        mask >>= ones
        start += zeros + ones
