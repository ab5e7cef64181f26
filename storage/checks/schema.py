"""Checks of the file and of the schema: what holds for the rows because the database itself sees to it."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from storage import schemas, triggers
from storage.checks.findings import Finding, Found, listed
from storage.dialects import is_sqlite
from storage.schemas import Part, PartKind, Schema

_INDEX_FAULTS: Final = ("missing from index", "wrong # of entries in index", "non-unique entry in index")
# Rows that break a CHECK are told by a check of their own, which knows which ones.
_OTHERS: Final = ("CHECK constraint failed",)


class IntegrityCheck:
    """What SQLite itself says of the file. PostgreSQL has nothing of the kind that everyone may use."""

    name: Final = "integrity"

    def find(self, connection: Connection) -> Found:
        """Return what the file's pages and indices have wrong."""
        if not is_sqlite(connection):
            return Found(0)
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        said = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        faults = [fault for fault in said if fault != "ok" and not fault.startswith(_OTHERS)]
        return listed(pages, [_fault(fault) for fault in faults])

    def mend(self, connection: Connection, now: datetime) -> int:
        """Make the indices anew, when it is indices that disagree with the rows."""
        faults = [finding for finding in self.find(connection).findings if finding.is_mendable]
        if faults:
            connection.exec_driver_sql("REINDEX")
        return len(faults)


def _fault(said: str) -> Finding:
    if any(words in said for words in _INDEX_FAULTS):
        return Finding("the file", said, "makes the indices anew", is_mendable=True)
    return Finding("the file", said, "restore a backup", is_mendable=False)


@dataclass(frozen=True, slots=True)
class SchemaCheck:
    """Whether parts of some kinds are as they should be."""

    name: str
    kinds: Collection[PartKind]
    expected: Schema

    def find(self, connection: Connection) -> Found:
        """Return what is missing, what is altered, and what has come from elsewhere."""
        wanted = [part for part in self.expected if part.kind in self.kinds]
        sqlite = is_sqlite(connection)
        found = schemas.found(connection)
        findings = [
            _missing(part, sqlite) if part not in found else _altered(part, sqlite)
            for part in self._broken(found)
        ]
        return listed(len(wanted), [*findings, *(_foreign(part) for part in self._foreign(found))])

    def mend(self, connection: Connection, now: datetime) -> int:
        """Make what is missing or altered as it should be, as far as the rows allow it."""
        found = schemas.found(connection)
        broken = [part for part in self._broken(found) if _can_be_made(part, is_sqlite(connection))]
        if any(part.kind in _BY_TRIGGERS for part in broken):
            triggers.apply(connection)
        # A foreign key needs the key that it refers to.
        for part in sorted(broken, key=lambda part: "FOREIGN KEY" in self.expected[part]):
            if part.kind not in _BY_TRIGGERS:
                self._make(connection, part)
        after = schemas.found(connection)
        return sum(after.get(part) == self.expected[part] for part in broken)

    def has_all(self, found: Schema, kind: PartKind) -> bool:
        """Whether none of the parts of a kind is missing."""
        return all(part in found for part in self.expected if part.kind is kind)

    def _broken(self, found: Schema) -> Iterator[Part]:
        for part, definition in self.expected.items():
            if part.kind in self.kinds and found.get(part) != definition:
                yield part

    def _foreign(self, found: Schema) -> Iterator[Part]:
        """Yield what might change rows or refuse them and is not ours. Any index is the operator's own affair."""
        for part in found:
            if part.kind in self.kinds and part.kind in _FOREIGN and part not in self.expected:
                yield part

    def _make(self, connection: Connection, part: Part) -> None:
        # What the database refuses undoes no more than itself.
        with suppress(DBAPIError), connection.begin_nested():
            if part.kind is PartKind.INDEX:
                connection.exec_driver_sql(f"DROP INDEX IF EXISTS {part.name}")
                connection.exec_driver_sql(self.expected[part])
            else:
                connection.exec_driver_sql(f"ALTER TABLE {part.table} DROP CONSTRAINT IF EXISTS {part.name}")
                connection.execute(schemas.adding(part))


_BY_TRIGGERS: Final = frozenset({PartKind.TRIGGER, PartKind.FUNCTION})
_FOREIGN: Final = frozenset({PartKind.TRIGGER, PartKind.CONSTRAINT, PartKind.COLUMN})


def _can_be_made(part: Part, sqlite: bool) -> bool:
    """SQLite would have to copy the whole table to change what its columns or constraints are."""
    return part.kind is not PartKind.COLUMN and not (part.kind is PartKind.CONSTRAINT and sqlite)


def _missing(part: Part, sqlite: bool) -> Finding:
    return _wrong(part, "is missing", sqlite)


def _altered(part: Part, sqlite: bool) -> Finding:
    return _wrong(part, "is not as it should be", sqlite)


def _wrong(part: Part, problem: str, sqlite: bool) -> Finding:
    if _can_be_made(part, sqlite):
        return Finding(str(part), problem, "makes it anew, if the rows allow it", is_mendable=True)
    if part.kind is PartKind.CONSTRAINT:
        remedy = "back up, and restore that into a new database, whose tables will have it"
    else:
        remedy = "restore a backup from before it was changed"
    return Finding(str(part), problem, remedy, is_mendable=False)


def _foreign(part: Part) -> Finding:
    remedy = "see who made it and what for, and drop it if it is not wanted"
    return Finding(str(part), "is not part of Buildatlas", remedy, is_mendable=False)
