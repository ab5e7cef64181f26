"""Finding out what is wrong with a database, and mending it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from graph.constraints import parse_constraint
from graph.errors import GraphError
from graph.names import check_name
from graph.versions import parse_version, sort_key
from storage.checks import everything as checks
from storage.checks import subjects
from storage.checks import texts as text_checks
from storage.checks.findings import MOST_SHOWN, Check, Finding, Found, listed
from storage.checks.texts import Said, VersionText
from storage.database import Connection, Database
from storage.errors import MendRefused

# What one mends may show another what it could not see before; past this nothing is gained by trying again.
_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Look:
    """What one check has found."""

    check: str
    found: Found
    seconds: float


@dataclass(frozen=True, slots=True)
class Examination:
    """What all checks have found."""

    looks: tuple[Look, ...]

    @property
    def wrong(self) -> int:
        """How many things are wrong."""
        return sum(look.found.total for look in self.looks)

    @property
    def is_content(self) -> bool:
        """Whether nothing is wrong."""
        return self.wrong == 0


@dataclass(slots=True)
class Mended:
    """What was mended, and what was not."""

    mended: Counter[str]
    """How many things, by check."""
    refused: dict[str, str]
    """What the database said of checks that it did not let be mended."""
    left: Examination
    """What is found afterwards."""


def examine(database: Database, progress: Callable[[str], None] = lambda _check: None) -> Examination:
    """Look for everything that is wrong, in one snapshot. Nobody who works with the database has to wait.

    `progress` is told of each check before it begins.
    """
    return _look(database, checks.all_checks(database, *_OURS), progress)


def repair(
    database: Database, *, now: datetime, progress: Callable[[str], None] = lambda _check: None
) -> Mended:
    """Mend what can be mended, each check in one transaction, and look again."""
    every = checks.all_checks(database, *_OURS)
    result = Mended(Counter(), {}, _look(database, every, progress))
    for _ in range(_ROUNDS):
        before = result.mended.total()
        faulty = {look.check for look in result.left.looks if _is_mendable(look.found)}
        for check in every:
            if check.name in faulty:
                _mend(database, check, result, now)
        if result.mended.total() == before:
            break
        result.left = _look(database, every, progress)
    return result


def _look(database: Database, every: list[Check], progress: Callable[[str], None]) -> Examination:
    with database.read() as connection:
        possible = checks.applicable(connection, every)
        return Examination(tuple(_examine(connection, check, progress) for check in possible))


def _examine(connection: Connection, check: Check, progress: Callable[[str], None]) -> Look:
    progress(check.name)
    started = time.monotonic()
    found = check.find(connection)
    return Look(check.name, found, time.monotonic() - started)


def _is_mendable(found: Found) -> bool:
    """Whether anything of it can be mended. Those that are not shown may be too."""
    return found.total > len(found.findings) or any(finding.is_mendable for finding in found.findings)


def _mend(database: Database, check: Check, result: Mended, now: datetime) -> None:
    try:
        result.mended[check.name] += checks.mend(database, check, now=now)
    except MendRefused as refused:
        result.refused[check.name] = refused.said


class _VersionCheck:
    """Whether versions are versions, and sorted as such."""

    name: Final = "versions"

    def find(self, connection: Connection) -> Found:
        looked_at, wrong, unread = _versions(connection)
        sortable = {row.id for row in _sortable(connection, wrong)}
        # Only some of them are shown, and only those are worth a name.
        named = subjects.named(connection, "package_versions", [row.id for row in wrong[:MOST_SHOWN]])
        findings = [*unread, *(_unsorted(named[row.id], row.id in sortable) for row in wrong[:MOST_SHOWN])]
        return Found(looked_at, len(unread) + len(wrong), tuple(findings[:MOST_SHOWN]))

    def mend(self, connection: Connection, now: datetime) -> int:
        _, wrong, _ = _versions(connection)
        right = _sortable(connection, wrong)
        if right:
            text_checks.set_keys(connection, right, now=now)
        return len(right)


def _versions(connection: Connection) -> tuple[int, list[VersionText], list[Finding]]:
    """Return how many versions there are, those whose key is not what it should be, and what cannot be read."""
    looked_at, wrong, unread = 0, [], []
    for row in text_checks.versions(connection):
        looked_at += 1
        try:
            is_right = _right(row) == row
        except GraphError as error:
            unread.append(Finding(f"version {row.id}", str(error), _PUBLISH_ANEW, is_mendable=False))
        else:
            if not is_right:
                wrong.append(row)
    return looked_at, wrong, unread


_PUBLISH_ANEW: Final = "publish a version that says it right, and yank this one"


def _right(row: VersionText) -> VersionText:
    version = parse_version(row.text)
    return row._replace(sort_key=sort_key(version), is_prerelease=version.is_prerelease)


def _sortable(connection: Connection, wrong: Iterable[VersionText]) -> list[VersionText]:
    """Return `wrong` as it should be, without those that would then be equal to another version of their package."""
    right = {row.id: _right(row) for row in wrong}
    there = text_checks.versions_of(connection, {row.package_id for row in right.values()})
    times = Counter(_place(right.get(row.id, row)) for row in there)
    return [row for row in right.values() if times[_place(row)] == 1]


def _place(row: VersionText) -> tuple[int, bytes]:
    return row.package_id, row.sort_key


def _unsorted(subject: str, is_sortable: bool) -> Finding:
    if is_sortable:
        return Finding(subject, "is not sorted as what it is", "sorts it anew", is_mendable=True)
    remedy = "its package has an equal one: delete one of the two by hand"
    return Finding(subject, "is not sorted as what it is", remedy, is_mendable=False)


class _NameCheck:
    """Whether packages have names that packages can have."""

    name: Final = "packages"

    def find(self, connection: Connection) -> Found:
        names = text_checks.package_names(connection)
        remedy = "register it under another name, and delete this one"
        findings = [
            Finding(f"package {id_}", problem, remedy, is_mendable=False)
            for id_, name in names
            if (problem := _problem(check_name, name)) is not None
        ]
        return listed(len(names), findings)

    def mend(self, connection: Connection, now: datetime) -> int:
        return 0


class _DependencyCheck:
    """Whether dependencies name packages, and say constraints."""

    name: Final = "dependencies"

    def find(self, connection: Connection) -> Found:
        said = [
            *((check_name, said) for said in text_checks.names_said(connection)),
            *((parse_constraint, said) for said in text_checks.constraints_said(connection)),
        ]
        wrong = [(said, problem) for parse, said in said if (problem := _problem(parse, said.text))]
        ids = [said.dependency_id for said, _ in wrong[:MOST_SHOWN]]
        named = subjects.named(connection, "dependencies", ids)
        findings = [_unsaid(said, named[said.dependency_id], problem) for said, problem in wrong[:MOST_SHOWN]]
        return Found(len(said), len(wrong), tuple(findings))

    def mend(self, connection: Connection, now: datetime) -> int:
        return 0


def _unsaid(said: Said, subject: str, problem: str) -> Finding:
    more = f", and {said.times - 1:,} more say it" if said.times > 1 else ""
    return Finding(f"{subject}{more}", problem, _PUBLISH_ANEW, is_mendable=False)


def _problem(parse: Callable[[str], object], text: str) -> str | None:
    try:
        parse(text)
    except GraphError as error:
        return str(error)
    return None


_OURS: Final[tuple[Check, ...]] = (_VersionCheck(), _NameCheck(), _DependencyCheck())
