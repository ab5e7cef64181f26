"""Simulating: what an answer would be if some versions were published and others yanked, with nothing written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from graph.catalogue import Candidates, Catalogue, Declaration, Status
from graph.constraints import parse_constraint
from graph.dependencies import Kind
from graph.difference import ResolutionDiff, difference
from graph.names import close_names
from graph.resolution import Question
from graph.supposition import Supposed, Supposition
from resolvers.atlas import Atlas
from resolvers.deadlines import deadline
from resolvers.drafts import Draft, PublishRequest, checked_name, draft_of, key_of
from resolvers.errors import LimitExceeded, NotFound, Refusal
from resolvers.ledger import Ledger
from resolvers.loaded_graphs import Graphs
from resolvers.resolutions import TIME_LIMIT, Resolved, Unsolved, answer, check
from storage.database import Connection
from storage.transitions import VERSION_MOVES, VersionStatus, illegal

MAX_SUPPOSED: Final = 10_000

# A ledger dates what it writes, and none of this is.
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SimulateRequest:
    """A question, and what to suppose: versions to publish and then, as package and version, those to yank."""

    question: Question
    publish: Sequence[PublishRequest] = ()
    yank: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Simulated:
    """The answers without and with what is supposed, from one and the same moment."""

    before: Resolved | Unsolved
    after: Resolved | Unsolved
    diff: ResolutionDiff | None
    """None when either has no pins to compare."""


def simulate(atlas: Atlas, request: SimulateRequest, *, time_limit: timedelta = TIME_LIMIT) -> Simulated:
    """Answer a question twice within `time_limit`; what publishing, yanking or resolving would refuse is refused.

    Equal content published again changes nothing, as does yanking what is yanked. Raises LimitExceeded past
    MAX_SUPPOSED; the path of a fault in an item begins at it: ("publish", "0", "dependencies", "1", "constraint").
    """
    check(request.question)
    drafts = _drafts(request)
    with atlas.database.read() as connection:
        snapshot = atlas.registry.snapshot_of(connection)
        supposition = _supposition(atlas.graphs, connection, snapshot, drafts, request.yank)
        should_stop = deadline(time_limit)
        before = answer(snapshot, request.question, should_stop=should_stop)
        after = answer(supposition, request.question, should_stop=should_stop)
    return Simulated(before, after, _diff(before, after))


def _diff(before: Resolved | Unsolved, after: Resolved | Unsolved) -> ResolutionDiff | None:
    if isinstance(before, Unsolved) or isinstance(after, Unsolved):
        return None
    return difference(_versions(before), _versions(after))


def _versions(answer: Resolved) -> dict[str, str]:
    return {pin.package: pin.version for pin in answer.resolution.pins}


def _drafts(request: SimulateRequest) -> list[Draft]:
    given = len(request.publish) + len(request.yank)
    if given > MAX_SUPPOSED:
        raise LimitExceeded("supposed changes", given=given, limit=MAX_SUPPOSED)
    drafts = []
    for index, item in enumerate(request.publish):
        with _at("publish", index):
            drafts.append(draft_of(item))
    return drafts


def _supposition(
    graphs: Graphs,
    connection: Connection,
    catalogue: Catalogue,
    drafts: list[Draft],
    yank: Sequence[tuple[str, str]],
) -> Supposition:
    new = _new(graphs, connection, drafts)
    published = Supposition(catalogue, new, ())
    return Supposition(catalogue, new, _yanked(published, yank))


def _new(graphs: Graphs, connection: Connection, drafts: list[Draft]) -> list[Supposed]:
    """Return what publishing would add, refused as it would be: by a ledger that is never told to write."""
    ledger = Ledger(connection, drafts, now=_NEVER, graphs=graphs, supposing=True)
    new = []
    for index, draft in enumerate(drafts):
        with _at("publish", index):
            if ledger.publish(draft).created:
                new.append(_supposed(draft))
    return new


def _supposed(draft: Draft) -> Supposed:
    fields = draft.fields
    declared = [
        Declaration(
            need.package_name, parse_constraint(need.constraint), Kind(need.kinds), optional=need.optional
        )
        for need in draft.dependencies
    ]
    status = Status[fields.status.name]
    return Supposed(draft.package, fields.version, declared, status, fields.released_at)


def _yanked(published: Supposition, yank: Sequence[tuple[str, str]]) -> Iterator[tuple[str, bytes]]:
    found = published.candidates({package for package, _ in yank})
    for index, (package, version) in enumerate(yank):
        with _at("yank", index):
            checked_name(package, "package")
            key = key_of(version)
            if package not in found:
                raise NotFound(f"package {package}", published.close_names(package), path=("package",))
            _check_yank(found[package], version, key)
        yield package, key


def _check_yank(candidates: Candidates, version: str, key: bytes) -> None:
    mask = candidates.with_key(key)
    if not mask:
        known = [candidate.text for candidate in candidates.versions]
        subject = f"version {version} of package {candidates.package}"
        raise NotFound(subject, close_names(version, known), path=("version",))
    named = candidates.versions[mask.bit_length() - 2]
    status = VersionStatus[named.status.name]
    if VersionStatus.YANKED not in {status, *VERSION_MOVES[status]}:
        subject = f"version {candidates.package} {named.text}"
        raise illegal(VERSION_MOVES, subject, origin=status, target=VersionStatus.YANKED)


@contextmanager
def _at(field: str, index: int) -> Iterator[None]:
    """Say of a refusal which item it is about."""
    try:
        yield
    except Refusal as refusal:
        refusal.path = (field, str(index), *refusal.path)
        raise
