"""Publishing many versions in one request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from resolvers.drafts import Draft, PublishRequest, draft_of
from resolvers.errors import LimitExceeded, Refusal
from resolvers.ledger import Entry, Ledger
from resolvers.loaded_graphs import Graphs
from storage import versions
from storage.database import Connection, Database
from storage.rows import VersionRow

MAX_ITEMS: Final = 10_000


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item: its version, or why not, or neither when other items stopped an atomic batch."""

    index: int
    version: VersionRow | None
    error: Refusal | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch."""

    results: tuple[ItemResult, ...]
    """One for each item, in their order."""
    published: int
    """How many versions are new."""
    failed: int
    cursor: int


def publish_all(
    database: Database,
    items: Sequence[PublishRequest],
    *,
    atomic: bool,
    now: datetime,
    actor: str | None = None,
    graphs: Graphs | None = None,
) -> Batch:
    """Publish `items` in one transaction, in order; with `atomic`, none of them unless every one is good.

    Raises LimitExceeded past MAX_ITEMS. The path of each error begins at its item: ("dependencies", "2", "constraint").
    """
    if len(items) > MAX_ITEMS:
        raise LimitExceeded("versions", given=len(items), limit=MAX_ITEMS, path=("versions",))
    drafts = [_draft_or_refusal(item) for item in items]
    graphs = graphs or Graphs(database)

    def operation(connection: Connection) -> _Outcome:
        ledger = Ledger(connection, _accepted(drafts), now=now, actor=actor, graphs=graphs)
        outcome = _published(connection, ledger, drafts)
        if atomic and outcome.failed:
            raise _Abandoned(outcome)
        return outcome

    # What closes a cycle depends on all that others may be writing.
    forbids_cycles = any(draft.forbid_cycles for draft in _accepted(drafts))
    try:
        written = database.write(operation, alone=forbids_cycles)
    except _Abandoned as abandoned:
        return _batch(_without_versions(abandoned.outcome), database.cursor())
    return _batch(written.value, written.cursor)


@dataclass(frozen=True, slots=True)
class _Outcome:
    results: tuple[ItemResult, ...]
    published: int
    failed: int


def _batch(outcome: _Outcome, cursor: int) -> Batch:
    return Batch(outcome.results, outcome.published, outcome.failed, cursor)


class _Abandoned(Exception):
    """Undoes the transaction, and carries out of it what stopped it."""

    def __init__(self, outcome: _Outcome) -> None:
        super().__init__()
        self.outcome = outcome


def _draft_or_refusal(item: PublishRequest) -> Draft | Refusal:
    try:
        return draft_of(item)
    except Refusal as refusal:
        return refusal


def _accepted(drafts: Sequence[Draft | Refusal]) -> list[Draft]:
    return [draft for draft in drafts if isinstance(draft, Draft)]


def _published(connection: Connection, ledger: Ledger, drafts: Sequence[Draft | Refusal]) -> _Outcome:
    entries = [_entry_or_refusal(ledger, draft) for draft in drafts]
    created = sum(isinstance(entry, Entry) and entry.created for entry in entries)
    ledger.write()
    rows = versions.by_ids(connection, (entry.id for entry in entries if isinstance(entry, Entry)))
    results = tuple(
        ItemResult(index, None, entry)
        if isinstance(entry, Refusal)
        else ItemResult(index, rows[entry.id], None)
        for index, entry in enumerate(entries)
    )
    return _Outcome(results, created, sum(result.error is not None for result in results))


def _entry_or_refusal(ledger: Ledger, draft: Draft | Refusal) -> Entry | Refusal:
    if isinstance(draft, Refusal):
        return draft
    try:
        return ledger.publish(draft)
    except Refusal as refusal:
        return refusal


def _without_versions(outcome: _Outcome) -> _Outcome:
    results = tuple(ItemResult(result.index, None, result.error) for result in outcome.results)
    return _Outcome(results, 0, outcome.failed)
