"""The catalogue as the solver sees it: read from storage where the search goes, and kept for the next question.

How it works: what has been read is held together with the event position it was
true at. A question takes a snapshot of the database; when that is ahead of what
is held, everything that events since then speak of is dropped, and the rest is
carried over into a new holding. Holdings are only ever added to, so a question
that still works with an older one goes on undisturbed.
"""

import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from graph.catalogue import Candidate, Candidates, Declaration, Mention, Status, declaration_order
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.names import close_names
from storage import dependencies, events, versions
from storage import packages as stored_packages
from storage.database import Connection, Database
from storage.rows import PackageCandidates

# Enough for any real question, and what is read in vain stays small where one root leads to a whole catalogue.
_MOST_AHEAD = 2_000

# Past this many events, finding out what to keep costs more than reading it again.
MOST_EVENTS = 5_000


@dataclass(slots=True)
class _Holding:
    """What has been read, as of one position of the event log."""

    position: int
    candidates: dict[str, Candidates] = field(default_factory=dict)
    declared: dict[int, Sequence[Declaration]] = field(default_factory=dict)
    """By version id; only of versions in `candidates`."""
    mentions: dict[str, Sequence[Mention]] = field(default_factory=dict)

    def without(self, changed: Collection[str], position: int) -> "_Holding":
        """Return what still holds at `position`. Any change may add to what is said of any package."""
        # In this order: a question that still adds to this holding adds candidates before what they declare.
        declared = dict(self.declared)
        candidates = dict(self.candidates)
        for package in changed:
            known = candidates.pop(package, None)
            for version in known.versions if known else ():
                declared.pop(version.id, None)
        return _Holding(position, candidates, declared)


class Registry:
    """The stored catalogue of this process. Every method may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holding = _Holding(position=0)

    @contextmanager
    def snapshot(self) -> Iterator["Snapshot"]:
        """Give the catalogue as it is now, unchanging until the end of the block."""
        with self._database.read() as connection:
            yield self.snapshot_of(connection)

    def snapshot_of(self, connection: Connection) -> "Snapshot":
        """Return the catalogue as `connection` sees it, for as long as it is open."""
        return Snapshot(connection, self._holding_at(connection))

    def _holding_at(self, connection: Connection) -> _Holding:
        held = self._holding
        position = events.newest(connection)
        if position < held.position:
            # Another thread has seen more than this snapshot has: work on the past without it.
            return _Holding(position)
        if position > held.position:
            held = self._holding = _advanced(connection, held, position)
        ahead = events.packages_ahead(connection)
        # What this snapshot sees of them is newer than the position says, and must not be kept under it.
        return held.without(ahead, position) if ahead else held


def _advanced(connection: Connection, held: _Holding, position: int) -> _Holding:
    if position - held.position > MOST_EVENTS:
        return _Holding(position)
    news = events.after(connection, held.position, limit=MOST_EVENTS)
    if len(news) < position - held.position:
        # Some have been trimmed, and with them what they told of.
        return _Holding(position)
    return held.without({event.package for event in news if event.package is not None}, position)


class Snapshot:
    """A `graph.catalogue.Catalogue` over one transaction."""

    def __init__(self, connection: Connection, holding: _Holding) -> None:
        self._connection = connection
        self._holding = holding

    def candidates(self, packages: Collection[str]) -> Mapping[str, Candidates]:
        known = self._holding.candidates
        missing = [package for package in packages if package not in known]
        if missing:
            self._read_ahead(missing)
        return {package: known[package] for package in packages if package in known}

    def _read_ahead(self, missing: Sequence[str]) -> None:
        """Read these packages, and at once what a search that meets no conflict will ask for after them.

        Level by level the same takes three statements for each step that the farthest dependency is away.
        """
        known = self._holding.candidates
        ahead = dependencies.closure_of(self._connection, missing, limit=_MOST_AHEAD)
        names = dict.fromkeys([*missing, *(name for name in ahead if name not in known)])
        rows = versions.candidates_of(self._connection, names)
        found = {name: _candidates(row) for name, row in rows.items()}
        self.mentions([name for name, candidates in found.items() if candidates.is_delicate])
        known.update(found)
        self.dependencies([newest for each in found.values() if (newest := _newest(each)) is not None])

    def dependencies(self, versions: Sequence[Candidate]) -> Sequence[Sequence[Declaration]]:
        known = self._holding.declared
        missing = [version.id for version in versions if version.id not in known]
        if missing:
            known.update(self._read_dependencies(missing))
        return [known[version.id] for version in versions]

    def _read_dependencies(self, version_ids: Sequence[int]) -> dict[int, list[Declaration]]:
        found: dict[int, list[Declaration]] = {version_id: [] for version_id in version_ids}
        for version_id, package, constraint, kinds, optional in dependencies.needs_of(
            self._connection, version_ids
        ):
            found[version_id].append(_declaration(package, constraint, kinds, optional))
        for declared in found.values():
            declared.sort(key=declaration_order)
        return found

    def close_names(self, package: str) -> Sequence[str]:
        return close_names(package, stored_packages.names(self._connection))

    def mentions(self, packages: Collection[str]) -> Mapping[str, Sequence[Mention]]:
        known = self._holding.mentions
        missing = [package for package in packages if package not in known]
        if missing:
            known.update(self._read_mentions(missing))
        return {package: known[package] for package in packages}

    def _read_mentions(self, packages: Sequence[str]) -> dict[str, list[Mention]]:
        found: dict[str, list[Mention]] = {package: [] for package in packages}
        for package, constraint, kinds, optional, since in dependencies.mentions_of(
            self._connection, packages
        ):
            found[package].append(Mention(parse_constraint(constraint), Kind(kinds), optional, since))
        return found


def _candidates(row: PackageCandidates) -> Candidates:
    return Candidates(
        row.name,
        Status[row.status.name],
        tuple(
            Candidate(
                version.id,
                version.version,
                version.sort_key,
                version.is_prerelease,
                Status[version.status.name],
                version.released_at,
            )
            for version in row.versions
        ),
    )


def _newest(candidates: Candidates) -> Candidate | None:
    """Return what `versions.latest_of` would, if the package is not one for pre-releases only."""
    is_latest = (
        each
        for each in reversed(candidates.versions)
        if each.status is Status.PUBLISHED and not each.is_prerelease
    )
    return next(is_latest, None)


# Neighbouring versions declare the same: one object for all of them saves most of the memory.
@functools.lru_cache(maxsize=1 << 18)
def _declaration(package: str, constraint: str, kinds: int, optional: bool) -> Declaration:
    return Declaration(package, parse_constraint(constraint), Kind(kinds), optional)
