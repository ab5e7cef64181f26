"""A part of a catalogue: every package, but only some that need anything."""

from collections.abc import Collection, Mapping, Sequence

from graph.catalogue import Candidate, Candidates, Catalogue, Declaration, Mention


class Excerpt:
    """A catalogue in which the versions of all but some packages need nothing.

    What cannot be solved in it cannot be solved in the whole either, since nothing else was changed.
    """

    def __init__(self, catalogue: Catalogue, packages: Collection[str]) -> None:
        self._catalogue = catalogue
        self._packages = packages
        self._ids: set[int] = set()

    def candidates(self, packages: Collection[str]) -> Mapping[str, Candidates]:
        found = self._catalogue.candidates(packages)
        kept = (candidates for package, candidates in found.items() if package in self._packages)
        self._ids.update(version.id for candidates in kept for version in candidates.versions)
        return found

    def dependencies(self, versions: Sequence[Candidate]) -> Sequence[Sequence[Declaration]]:
        needing = [version for version in versions if version.id in self._ids]
        declared = dict(
            zip((version.id for version in needing), self._catalogue.dependencies(needing), strict=True)
        )
        return [declared.get(version.id, ()) for version in versions]

    def close_names(self, package: str) -> Sequence[str]:
        return self._catalogue.close_names(package)

    def mentions(self, packages: Collection[str]) -> Mapping[str, Sequence[Mention]]:
        return self._catalogue.mentions(packages)
