"""Import and export of whole catalogues as JSON Lines.

How an import works: all of a file is one transaction. Its lines are taken a few
thousand at a time; what such a part could meet is loaded at once, and what is
new in it is written in bulk.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from resolvers import lines as catalogue_lines
from resolvers.drafts import Draft, UpdateRequest
from resolvers.errors import Refusal
from resolvers.ledger import Ledger, Outcome
from storage import dependencies, packages, versions
from storage.database import Connection, Database
from storage.errors import IllegalTransition

# Of one part: what bounds the memory that an import takes, whatever its lines are like.
_PART_LINES: Final = 4_000
_PART_BYTES: Final = 8 * 1024 * 1024

# Packages that an export reads at once.
_EXPORTED: Final = 200

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class OnError(StrEnum):
    """What a bad line does to an import."""

    STOP = "stop"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class LineError:
    """A line that could not be imported; the first line is 1."""

    line: int
    message: str


@dataclass(slots=True)
class Imported:
    """What an import did. When a line has failed and OnError was STOP: nothing."""

    lines: int = 0
    packages: int = 0
    """New ones."""
    versions: int = 0
    """New ones."""
    updated: int = 0
    """Packages that were there and changed."""
    unchanged: int = 0
    """Lines that said what was there already."""
    failed: list[LineError] = field(default_factory=list)


def import_catalogue(
    database: Database,
    lines: Iterable[bytes],
    *,
    on_error: OnError,
    now: datetime,
    progress: Callable[[int], None] = lambda _lines: None,
) -> Imported:
    """Import `lines` in one transaction: with STOP the first bad line leaves nothing written, with SKIP all others are in.

    Whatever `lines` raises leaves nothing written either. A line may come cut to MAX_LINE_BYTES + 1 bytes: it is too
    long all the same. `progress` is told now and then how many lines have been read.
    """

    def operation(connection: Connection) -> Imported:
        done = Imported()
        for part in _parts(lines):
            _import_part(connection, part, done, now)
            if done.failed and on_error is OnError.STOP:
                raise _Stopped(Imported(lines=done.failed[0].line, failed=done.failed[:1]))
            progress(done.lines)
        return done

    try:
        return database.write(operation, alone=True).value
    except _Stopped as stopped:
        return stopped.report


def export_catalogue(database: Database) -> Iterator[bytes]:
    """Yield the catalogue as lines, by package name and then by version, from one snapshot held until the last line."""
    with database.read() as connection:
        ids = [id_ for id_, _ in packages.ids_and_names(connection)]
        for start in range(0, len(ids), _EXPORTED):
            yield from _exported(connection, ids[start : start + _EXPORTED])


class _Stopped(Exception):
    """Undoes the transaction, and carries the bad line out of it."""

    def __init__(self, report: Imported) -> None:
        super().__init__()
        self.report = report


def _parts(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for number, line in enumerate(lines):
        part.append(line.removeprefix(_BYTE_ORDER_MARK) if number == 0 else line)
        size += len(line)
        if len(part) == _PART_LINES or size >= _PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


_Said = Draft | UpdateRequest | Refusal | None


def _import_part(connection: Connection, part: list[bytes], done: Imported, now: datetime) -> None:
    said = [_said(line) for line in part]
    drafts = [each for each in said if isinstance(each, Draft)]
    updates = [each for each in said if isinstance(each, UpdateRequest)]
    ledger = Ledger(connection, drafts, updates, now=now)
    for each in said:
        done.lines += 1
        try:
            _enter(ledger, each, done)
        except (Refusal, IllegalTransition) as refusal:
            done.failed.append(LineError(done.lines, str(refusal)))
    done.packages += ledger.new_packages
    ledger.write()


def _said(line: bytes) -> _Said:
    if not line or line.isspace():
        return None
    try:
        return catalogue_lines.parse(line)
    except Refusal as refusal:
        return refusal


def _enter(ledger: Ledger, said: _Said, done: Imported) -> None:
    if isinstance(said, Refusal):
        raise said
    if isinstance(said, Draft):
        created = ledger.publish(said).created
        done.versions += created
        done.unchanged += not created
    elif said is not None:
        outcome = ledger.update(said)
        done.updated += outcome is Outcome.CHANGED
        done.unchanged += outcome is Outcome.UNCHANGED


def _exported(connection: Connection, ids: list[int]) -> Iterator[bytes]:
    rows = packages.by_ids(connection, ids)
    published = versions.of_packages(connection, ids)
    needs = dependencies.of_versions(connection, (row.id for id_ in ids for row in published[id_].values()))
    for id_ in ids:
        package, of_package = rows[id_], published[id_].values()
        if not of_package or catalogue_lines.says_something(package):
            yield catalogue_lines.of_package(package)
        for row in of_package:
            yield catalogue_lines.of_version(package.name, row, needs[row.id])
