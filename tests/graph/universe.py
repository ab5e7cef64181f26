"""A catalogue written as text, for tests to read like a story.

    app 1 needs lib >=1; zlib <9
    lib 2 yanked
    lib 1 2024-05-01 needs [BUILD optional] tool

One line a version, or a package with a status: `package lib deprecated`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from graph.catalogue import Candidate, Candidates, Declaration, Mention, Status, declaration_order
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.names import close_names
from graph.resolution import Conflict, Question, Requirement, Resolution
from graph.solver import solve
from graph.versions import parse_version, sort_key

_LINE = re.compile(
    r"(?P<name>\S+) (?P<version>\S+)(?: (?P<status>[a-z]+(?<!needs)))?(?: (?P<date>\d{4}-\d\d-\d\d))?"
    r"(?: needs (?P<needs>.+))?$"
)
_NEED = re.compile(r"(?:\[(?P<flags>[A-Za-z ]+)\] *)?(?P<name>\S+) *(?P<constraint>.*)")


class Universe:
    """A catalogue in memory that counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.versions_read = 0
        self._statuses: dict[str, Status] = {}
        self._versions: dict[str, list[Candidate]] = {}
        self._declared: dict[int, list[Declaration]] = {}

    def add_package(self, name: str, status: Status = Status.ACTIVE) -> None:
        self._versions.setdefault(name, [])
        self._statuses[name] = status

    def add(
        self,
        name: str,
        version: str,
        declared: Sequence[Declaration] = (),
        *,
        status: Status = Status.PUBLISHED,
        released_at: datetime | None = None,
    ) -> None:
        self._versions.setdefault(name, [])
        parsed = parse_version(version)
        candidate = Candidate(
            id=len(self._declared),
            text=version,
            key=sort_key(parsed),
            is_prerelease=parsed.is_prerelease,
            status=status,
            released_at=released_at,
        )
        self._versions[name].append(candidate)
        self._declared[candidate.id] = list(declared)

    def candidates(self, packages: Collection[str]) -> Mapping[str, Candidates]:
        self.calls += 1
        return {
            name: Candidates(
                name,
                self.status_of(name),
                tuple(sorted(self._versions[name], key=lambda candidate: candidate.key)),
            )
            for name in packages
            if name in self._versions
        }

    def dependencies(self, versions: Sequence[Candidate]) -> Sequence[Sequence[Declaration]]:
        self.calls += 1
        self.versions_read += len(versions)
        return [sorted(self._declared[version.id], key=declaration_order) for version in versions]

    def close_names(self, package: str) -> Sequence[str]:
        return close_names(package, list(self._versions))

    def mentions(self, packages: Collection[str]) -> Mapping[str, Sequence[Mention]]:
        self.calls += 1
        found: dict[str, list[Mention]] = {}
        for name, versions in self._versions.items():
            if self.status_of(name) is Status.QUARANTINED:
                continue
            for version in versions:
                for declared in self._declared[version.id]:
                    if declared.package in packages and version.status not in {
                        Status.DRAFT,
                        Status.QUARANTINED,
                    }:
                        found.setdefault(declared.package, []).append(
                            Mention(
                                declared.constraint, declared.kinds, declared.optional, version.released_at
                            )
                        )
        return found

    def names(self) -> list[str]:
        return list(self._versions)

    def status_of(self, name: str) -> Status:
        return self._statuses.get(name, Status.ACTIVE)

    def versions_of(self, name: str) -> list[Candidate]:
        return self._versions.get(name, [])

    def declared_by(self, candidate: Candidate) -> list[Declaration]:
        return self._declared[candidate.id]


def universe(text: str) -> Universe:
    """Read a catalogue from its text."""
    built = Universe()
    for line in filter(None, map(str.strip, text.splitlines())):
        match = _LINE.match(line)
        assert match is not None, line
        status = Status[(match["status"] or "published").upper()]
        if match["name"] == "package":
            built.add_package(match["version"], Status[(match["status"] or "active").upper()])
            continue
        built.add(
            match["name"],
            match["version"],
            [_declaration(need.strip()) for need in (match["needs"] or "").split(";") if need.strip()],
            status=status,
            released_at=datetime.fromisoformat(match["date"]).replace(tzinfo=UTC) if match["date"] else None,
        )
    return built


def pigeons(birds: int, holes: int) -> Universe:
    """Each bird picks a hole by its version; a hole is one package, and its version is the bird in it."""
    lines = [f"bird{b} {h} needs hole{h} =={b}" for b in range(1, birds + 1) for h in range(1, holes + 1)]
    lines += [f"hole{h} {b}" for b in range(1, birds + 1) for h in range(1, holes + 1)]
    return universe("\n".join(lines))


def _declaration(text: str) -> Declaration:
    match = _NEED.match(text)
    assert match is not None, text
    flags = (match["flags"] or "RUNTIME").split()
    kinds = Kind(0)
    for flag in flags:
        if flag != "optional":
            kinds |= Kind[flag]
    return Declaration(
        match["name"],
        parse_constraint(match["constraint"]),
        kinds or Kind.RUNTIME,
        optional="optional" in flags,
    )


def wants(*requirements: str) -> tuple[Requirement, ...]:
    """Read requirements such as "lib >=1"."""
    return tuple(Requirement(*text.split(" ", 1)) for text in requirements)


def pins(index: Universe, *requirements: str) -> dict[str, str]:
    """Solve and return the pins; fail when there are none."""
    result = solve(index, Question(wants(*requirements)))
    assert isinstance(result, Resolution), result
    return {pin.package: pin.version for pin in result.pins}


def conflict(index: Universe, question: Question) -> Conflict:
    """Solve what must not have a solution, and return why."""
    result = solve(index, question)
    assert isinstance(result, Conflict), result
    return result
