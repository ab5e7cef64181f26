"""What is found wrong with a database, and the means to look for it and to mend it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

from sqlalchemy import Connection, Select, func, select

from storage.checks import subjects
from storage.images import IMAGES

MOST_SHOWN: Final = 20
"""Of the findings of one check. There may be as many as there are rows."""

ACTOR: Final = "doctor"
"""Who it was that mended, in the history of states."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    subject: str
    """As a reader would name it: `build 12`."""
    problem: str
    remedy: str
    """What mending does to it, or when it cannot be mended, what the operator should do."""
    is_mendable: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What one look has found."""

    looked_at: int
    """Rows; of checks that look at other things, those."""
    total: int = 0
    findings: tuple[Finding, ...] = ()
    """The first of them."""


Mend: TypeAlias = Callable[[Connection, datetime], int]
"""Mends all that is wrong, in the transaction it is given, and returns how many things it has mended."""


class Check(Protocol):
    """Looks for one kind of fault. Mending it again changes nothing."""

    @property
    def name(self) -> str: ...
    def find(self, connection: Connection) -> Found: ...
    def mend(self, connection: Connection, now: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which rows can be wrong."""

    table: str
    """Where they are."""
    bad: Select[Any]
    """Their ids and other facts: the first column is the id."""
    problem: str
    """With the names of the facts in braces."""
    remedy: str
    mend: Mend | None = None

    def find(self, connection: Connection) -> Found:
        """Return how many rows are wrong, and the first of them."""
        rows = self._first(connection)
        named = subjects.named(connection, self.table, [row[0] for row in rows])
        findings = (self._finding(row, named[row[0]]) for row in rows)
        return Found(0, rows[0].how_many if rows else 0, tuple(findings))

    def _first(self, connection: Connection) -> Sequence[Any]:
        bad = self.bad.subquery()
        counted = select(*bad.c, func.count().over().label("how_many"))
        return connection.execute(counted.order_by(*list(bad.c)[:1]).limit(MOST_SHOWN)).all()

    def _finding(self, row: Any, subject: str) -> Finding:
        problem = self.problem.format(**row._mapping)
        return Finding(subject, problem, self.remedy, self.mend is not None)


@dataclass(frozen=True, slots=True)
class RowCheck:
    """A check of rows, by rules that are mended in their order."""

    name: str
    rules: tuple[Rule, ...]
    looks_at: tuple[str, ...] = ()
    """The tables whose rows it goes through, when they are not those of its rules."""

    def find(self, connection: Connection) -> Found:
        """Return what breaks any of the rules."""
        looked_at = count(connection, set(self.looks_at) or {rule.table for rule in self.rules})
        return summed(looked_at, (rule.find(connection) for rule in self.rules))

    def mend(self, connection: Connection, now: datetime) -> int:
        """Mend what breaks any of the rules that know how."""
        return sum(rule.mend(connection, now) for rule in self.rules if rule.mend is not None)


def summed(looked_at: int, parts: Iterable[Found]) -> Found:
    """Return what several looks have found as one."""
    parts = list(parts)
    findings = tuple(finding for part in parts for finding in part.findings)
    return Found(looked_at, sum(part.total for part in parts), findings[:MOST_SHOWN])


def listed(looked_at: int, findings: Collection[Finding]) -> Found:
    """Return findings that were gone through one by one."""
    return Found(looked_at, len(findings), tuple(findings)[:MOST_SHOWN])


def count(connection: Connection, tables: Collection[str]) -> int:
    """Return how many rows these tables have together."""
    return sum(
        connection.execute(select(func.count()).select_from(IMAGES[name])).scalar_one() for name in tables
    )
