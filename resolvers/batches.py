"""Publishing many versions in one request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from resolvers.drafts import Draft, PublishRequest, draft_of
from resolvers.errors import LimitExceeded, Refusal
from resolvers.ledger import Entry, Ledger
from storage import events, versions
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


def publish_all(database: Database, items: Sequence[PublishRequest], *, atomic: bool, now: datetime) -> Batch:
    """Publish `items` in one transaction, in order; with `atomic`, none of them unless every one is good.

    Raises LimitExceeded past MAX_ITEMS. The path of each error begins at its item: ("dependencies", "2", "constraint").
    """
    if len(items) > MAX_ITEMS:
        raise LimitExceeded("versions", given=len(items), limit=MAX_ITEMS, path=("versions",))
    drafts = [_draft_or_refusal(item) for item in items]

    def operation(connection: Connection) -> Batch:
        batch = _published(connection, drafts, now)
        if atomic and batch.failed:
            raise _Abandoned(batch)
        return batch

    try:
        return database.write(operation)
    except _Abandoned as abandoned:
        return _without_versions(abandoned.batch, database.cursor())


class _Abandoned(Exception):
    """Undoes the transaction, and carries out of it what stopped it."""

    def __init__(self, batch: Batch) -> None:
        super().__init__()
        self.batch = batch


def _draft_or_refusal(item: PublishRequest) -> Draft | Refusal:
    try:
        return draft_of(item)
    except Refusal as refusal:
        return refusal


def _published(connection: Connection, drafts: Sequence[Draft | Refusal], now: datetime) -> Batch:
    ledger = Ledger(connection, (draft for draft in drafts if isinstance(draft, Draft)), now=now)
    entries = [_entry_or_refusal(ledger, draft) for draft in drafts]
    created = sum(isinstance(entry, Entry) and entry.created for entry in entries)
    cursor = ledger.write() if created else events.newest(connection)
    rows = versions.by_ids(connection, (entry.id for entry in entries if isinstance(entry, Entry)))
    results = tuple(
        ItemResult(index, None, entry)
        if isinstance(entry, Refusal)
        else ItemResult(index, rows[entry.id], None)
        for index, entry in enumerate(entries)
    )
    return Batch(results, created, sum(result.error is not None for result in results), cursor)


def _entry_or_refusal(ledger: Ledger, draft: Draft | Refusal) -> Entry | Refusal:
    if isinstance(draft, Refusal):
        return draft
    try:
        return ledger.publish(draft)
    except Refusal as refusal:
        return refusal


def _without_versions(batch: Batch, cursor: int) -> Batch:
    results = tuple(ItemResult(result.index, None, result.error) for result in batch.results)
    return Batch(results, 0, batch.failed, cursor)
