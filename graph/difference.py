"""What changes from one set of pins to another."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from graph.versions import parse_version


class PinChangeDirection(StrEnum):
    """Which way a version moves, by the order of PEP 440."""

    UPGRADE = "UPGRADE"
    DOWNGRADE = "DOWNGRADE"


@dataclass(frozen=True, slots=True)
class PinChange:
    """A package that is pinned before and after, at different versions."""

    package: str
    before: str
    after: str
    direction: PinChangeDirection


@dataclass(frozen=True, slots=True)
class ResolutionDiff:
    """The packages that are pinned only after, only before, or otherwise; each in order of name."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[PinChange, ...]

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> ResolutionDiff:
    """Compare the versions that are pinned, by package. Equal versions are no change, however they are spelled."""
    return ResolutionDiff(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(_changes(before, after)),
    )


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[PinChange]:
    for package in sorted(before.keys() & after.keys()):
        old, new = parse_version(before[package]), parse_version(after[package])
        if old != new:
            direction = PinChangeDirection.UPGRADE if old < new else PinChangeDirection.DOWNGRADE
            yield PinChange(package, before[package], after[package], direction)
