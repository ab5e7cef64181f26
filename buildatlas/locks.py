"""Locks: files that keep the pins of a resolution, and the question that it answers.

A lock is JSON, one pin a line, in the order of names, so that a change of it reads well in version control.
"""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from buildatlas.errors import UnwritableFile, WrongUse
from buildatlas.questions import Question, differences
from buildatlas.requirements import parse_requirement
from graph.difference import difference
from graph.errors import GraphError
from graph.names import check_name
from graph.versions import parse_version

FORMAT: Final = 1

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class UnusableLock(WrongUse):
    """A file is no lock that can be read."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(problem)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} {self.problem}"


class Lock(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What a resolution picked, and what was asked."""

    buildatlas_lock: int = FORMAT
    question: Question
    fingerprint: str
    pins: dict[str, str]
    """Versions by package, in order of name."""


def lock_of(question: Question, answer: Mapping[str, Any]) -> Lock:
    """Return the lock of a resolution, given as the API gives it."""
    return Lock(question=question, fingerprint=answer["fingerprint"], pins=pins_of(answer))


def pins_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the versions that a resolution picks, by package."""
    return {pin["package"]: pin["version"] for pin in answer["pins"]}


def read(path: Path) -> Lock:
    """Return the lock in a file. Raises UnusableLock for whatever is not exactly that."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableLock(path, f"cannot be read: {error.strerror}") from error
    _check_format(path, content)
    try:
        lock = msgspec.json.decode(content, type=Lock)
        _check(lock)
    except (*_UNREADABLE, GraphError) as error:
        raise UnusableLock(path, f"is a damaged lock: {error}") from error
    return lock


class _Marked(msgspec.Struct, rename="camel"):
    """What locks of all formats have in common."""

    buildatlas_lock: int


def _check_format(path: Path, content: bytes) -> None:
    try:
        found = msgspec.json.decode(content, type=_Marked).buildatlas_lock
    except _UNREADABLE as error:
        raise UnusableLock(path, f"is not a lock of Buildatlas: {error}") from error
    if found != FORMAT:
        raise UnusableLock(path, f"is a lock of format {found}, and this Buildatlas reads format {FORMAT}")


def _check(lock: Lock) -> None:
    asked = lock.question
    for text in (*asked.requirements, *asked.constraints, *asked.overrides):
        parse_requirement(text)
    for package, version in lock.pins.items():
        check_name(package)
        parse_version(version)


def write(path: Path, lock: Lock) -> None:
    """Put a lock in place of what is there, whole or not at all. Raises UnwritableFile."""
    # Through a link, to what it names.
    target = path.resolve()
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(lock), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise UnwritableFile(str(path), str(error.strerror)) from error


def pins_to_keep(path: Path, lock: Lock, *, upgrade: Collection[str]) -> dict[str, str]:
    """Return the pins of a lock but for those to upgrade, each of which must be in it."""
    for package in upgrade:
        if package not in lock.pins:
            raise WrongUse(f"{package} is not pinned in {path}, so --upgrade has nothing to upgrade")
    return {package: version for package, version in lock.pins.items() if package not in upgrade}


def compared(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    """Return what differs between two sets of pins, in the API's form of it."""
    found = difference(before, after)
    return {
        "added": [{"package": name, "version": after[name]} for name in found.added],
        "removed": [{"package": name, "version": before[name]} for name in found.removed],
        "changed": [
            {
                "package": change.package,
                "from": change.before,
                "to": change.after,
                "direction": change.direction.value,
            }
            for change in found.changed
        ],
    }


def reasons(old: Lock, new: Lock) -> list[str]:
    """Say why a lock is stale, besides the pins that change; empty when it is not."""
    said = [f"asked otherwise: {part}" for part in differences(old.question, new.question)]
    if old != new and not said and not difference(old.pins, new.pins):
        said.append("the pins are the same, but not what they need of each other")
    return said
