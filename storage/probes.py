"""How the database tells whoever wants to know how long it is made to wait, and how long what it is asked for takes."""

from enum import StrEnum
from typing import Protocol


class StatementClass(StrEnum):
    """What a database is used for."""

    READ = "read"
    """A snapshot, of as many statements as there are in the block."""
    WRITE = "write"
    """A transaction, until it is on disk; of those that share one, each counts."""
    GLANCE = "glance"
    """One statement, or a few."""


class Probe(Protocol):
    """Told of each use once it has ended, well or not, in the thread of the user; it must not block or raise."""

    def __call__(self, used_for: StatementClass, *, waited: float, ran: float) -> None:
        """Take in how many seconds it took until it began, and from there."""
        ...


def unobserved(used_for: StatementClass, *, waited: float, ran: float) -> None:
    """Take no notice."""
