"""A catalogue as it would be: with versions that are not there, others yanked, and nothing written.

How it works: a layer over another catalogue. Only the packages that something is
supposed of are put together anew, when they are asked for; all else is passed
through as it is. Supposed versions have negative ids, which no catalogue gives.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter
from typing import Final

from graph.catalogue import Candidate, Candidates, Catalogue, Declaration, Mention, Status, declaration_order
from graph.names import close_names
from graph.versions import parse_version, sort_key

# What such versions declare says nothing about other packages, since they are never picked.
_NEVER_PICKED: Final = frozenset({Status.DRAFT, Status.QUARANTINED})


@dataclass(frozen=True, slots=True)
class Supposed:
    """A version to be thought of as published. Nothing equal to it may be registered, or supposed beside it."""

    package: str
    version: str
    declared: Sequence[Declaration] = ()
    status: Status = Status.PUBLISHED
    released_at: datetime | None = None


def is_supposed(candidate: Candidate) -> bool:
    """Whether a version is only supposed to be there."""
    return candidate.id < 0


class Supposition:
    """A `graph.catalogue.Catalogue` over another one, which it reads and never changes."""

    def __init__(
        self, catalogue: Catalogue, publish: Iterable[Supposed], yank: Iterable[tuple[str, bytes]]
    ) -> None:
        """Suppose these versions published, and then those that are named by package and sort key yanked."""
        self._catalogue = catalogue
        self._published: dict[str, list[Candidate]] = {}
        self._yanked: dict[str, set[bytes]] = {}
        self._declared: dict[int, Sequence[Declaration]] = {}
        self._said: dict[str, list[tuple[str, Mention]]] = {}
        """By the package that is spoken of, with the one that speaks."""
        self._rebuilt: dict[str, Candidates] = {}
        for number, version in enumerate(publish, start=1):
            self._publish(-number, version)
        for package, key in yank:
            self._yanked.setdefault(package, set()).add(key)

    def _publish(self, id: int, supposed: Supposed) -> None:
        version = parse_version(supposed.version)
        candidate = Candidate(
            id=id,
            text=supposed.version,
            key=sort_key(version),
            is_prerelease=version.is_prerelease,
            status=supposed.status,
            released_at=supposed.released_at,
        )
        self._published.setdefault(supposed.package, []).append(candidate)
        self._declared[id] = sorted(supposed.declared, key=declaration_order)
        if supposed.status not in _NEVER_PICKED:
            for said in supposed.declared:
                mention = Mention(said.constraint, said.kinds, said.optional, supposed.released_at)
                self._said.setdefault(said.package, []).append((supposed.package, mention))

    def candidates(self, packages: Collection[str]) -> Mapping[str, Candidates]:
        unread = [package for package in packages if package not in self._rebuilt]
        found = dict(self._catalogue.candidates(unread))
        for package in unread:
            if package in self._published or (package in self._yanked and package in found):
                self._rebuilt[package] = self._rebuild(package, found.get(package))
        rebuilt = {package: self._rebuilt[package] for package in packages if package in self._rebuilt}
        return {**found, **rebuilt}

    def _rebuild(self, package: str, registered: Candidates | None) -> Candidates:
        published = self._published.get(package, [])
        versions = sorted((*(registered.versions if registered else ()), *published), key=attrgetter("key"))
        yanked = self._yanked.get(package, ())
        return Candidates(
            package,
            registered.status if registered else Status.ACTIVE,
            tuple(
                replace(version, status=Status.YANKED) if version.key in yanked else version
                for version in versions
            ),
        )

    def dependencies(self, versions: Sequence[Candidate]) -> Sequence[Sequence[Declaration]]:
        registered = [version for version in versions if not is_supposed(version)]
        found = iter(self._catalogue.dependencies(registered))
        return [self._declared[version.id] if is_supposed(version) else next(found) for version in versions]

    def close_names(self, package: str) -> Sequence[str]:
        return close_names(package, sorted({*self._catalogue.close_names(package), *self._published}))

    def mentions(self, packages: Collection[str]) -> Mapping[str, Sequence[Mention]]:
        found = dict(self._catalogue.mentions(packages))
        said = {package: self._said[package] for package in packages if package in self._said}
        speakers = self.candidates({speaker for mentions in said.values() for speaker, _ in mentions})
        for package, mentions in said.items():
            heard = [
                mention for speaker, mention in mentions if speakers[speaker].status is not Status.QUARANTINED
            ]
            # Both may say the same.
            found[package] = list(dict.fromkeys((*found.get(package, ()), *heard)))
        return found
