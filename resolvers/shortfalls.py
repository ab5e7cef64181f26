"""What versions need and nothing registered gives: why they cannot be built, however the builds of others end."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from graph.constraints import parse_constraint
from storage import dependencies, versions
from storage.database import Connection
from storage.rows import PackageCandidates
from storage.tables import Kind
from storage.transitions import VersionStatus

_REGISTERED: Final = (VersionStatus.PUBLISHED, VersionStatus.DEPRECATED, VersionStatus.YANKED)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A dependency that nothing satisfies."""

    package: str
    constraint: str
    is_registered: bool
    """Whether there is a package of that name at all."""

    def __str__(self) -> str:
        if not self.is_registered:
            return f"no package {self.package} is registered"
        return f"no registered version of {self.package} satisfies {self.constraint or 'it'}"


def shortfalls(
    connection: Connection, version_ids: Collection[int], *, kinds: int, include_optional: bool
) -> dict[int, list[Shortfall]]:
    """Return what each of these versions lacks, those that lack nothing left out; two statements.

    Only dependencies of these kinds count, and of the optional ones none unless told; a PEER requires nothing.
    """
    followed = kinds & ~Kind.PEER
    needs = [
        (version_id, package, constraint)
        for version_id, package, constraint, needed_for, optional in dependencies.needs_of(
            connection, version_ids
        )
        if needed_for & followed and (include_optional or not optional)
    ]
    pairs = {(package, constraint) for _, package, constraint in needs}
    known = versions.candidates_of(connection, {package for package, _ in pairs})
    lacking = dict(_lacking(pairs, known))
    found: dict[int, list[Shortfall]] = {}
    for version_id, *pair in needs:
        if (lack := lacking.get((pair[0], pair[1]))) is not None:
            found.setdefault(version_id, []).append(lack)
    return found


def _lacking(
    pairs: Iterable[tuple[str, str]], known: Mapping[str, PackageCandidates]
) -> Iterator[tuple[tuple[str, str], Shortfall]]:
    for package, text in pairs:
        candidates = known.get(package)
        if candidates is None or not _is_any_admitted(candidates, text):
            yield (package, text), Shortfall(package, text, candidates is not None)


def _is_any_admitted(candidates: PackageCandidates, text: str) -> bool:
    constraint = parse_constraint(text)
    # From the newest on, which is what most constraints admit.
    return any(
        version.status in _REGISTERED and constraint.admits(version.sort_key, version.version)
        for version in reversed(candidates.versions)
    )
