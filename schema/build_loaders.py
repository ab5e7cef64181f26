"""Reads of runs and builds, batched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

from strawberry.dataloader import DataLoader

from resolvers.reasons import Reason, blocked_by
from schema.batching import Family, Query, Reads
from schema.pagination import Window
from storage import artifacts, attempts, builds, history, logs, runs, waits
from storage.build_rows import ArtifactRow, AttemptRow, BuildCount, BuildRow, LogLine, RunRow
from storage.builds import Owner
from storage.database import Connection
from storage.logs import LogPlace
from storage.rows import TransitionRow
from storage.tables import SubjectType
from storage.transitions import BuildConclusion, BuildStatus
from storage.waits import Side


@dataclass(frozen=True, slots=True)
class Selection:
    """Which builds of a run or of a package are asked for. None: in whatever state."""

    owner: Owner
    statuses: tuple[BuildStatus, ...] | None = None
    conclusions: tuple[BuildConclusion, ...] | None = None


class BuildLoaders:
    """One loader for each kind of row. A page is read with up to one row more, to tell whether others follow."""

    def __init__(self, reads: Reads) -> None:
        self.build: DataLoader[int, BuildRow | None] = reads.rows(builds.by_ids)
        self.latest: DataLoader[int, BuildRow | None] = reads.rows(builds.latest_of)
        """By version."""
        self.run: DataLoader[int, RunRow | None] = reads.rows(runs.by_ids)
        self.counts: DataLoader[int, list[BuildCount] | None] = reads.rows(runs.counts_of)
        """By run."""
        self.attempts: DataLoader[int, list[AttemptRow] | None] = reads.rows(attempts.of_builds)
        self.artifacts: DataLoader[int, list[ArtifactRow] | None] = reads.rows(artifacts.of_builds)
        self.log: Family[Window[LogPlace], int, list[LogLine]] = Family(
            lambda asked: reads.rows(_log_query(asked))
        )
        self.of_owner: Family[tuple[Selection, Window[int]], int, list[BuildRow]] = Family(
            lambda asked: reads.rows(_pages_query(*asked))
        )
        self.how_many: Family[Selection, int, int] = Family(lambda asked: reads.rows(_counts_query(asked)))
        self.around: Family[tuple[Side, Window[int]], int, list[BuildRow]] = Family(
            lambda asked: reads.rows(_waits_query(*asked))
        )
        self.how_many_around: Family[Side, int, int] = Family(
            lambda side: reads.rows(lambda connection, ids: waits.counts_of(connection, side, ids))
        )
        self.reasons: DataLoader[BuildRow, list[Reason]] = _reasons(reads)
        self.transitions: Family[Window[int], int, list[TransitionRow]] = Family(
            lambda asked: reads.rows(_transitions_query(asked))
        )


def _reasons(reads: Reads) -> DataLoader[BuildRow, list[Reason]]:
    async def load(rows: list[BuildRow]) -> list[list[Reason]]:
        now = datetime.now(UTC)
        found = await reads.read(lambda connection: blocked_by(connection, rows, now=now))
        return [found.get(row.id, []) for row in rows]

    return DataLoader(load, cache_key_fn=attrgetter("id"))


def _log_query(asked: Window[LogPlace]) -> Query[int, list[LogLine]]:
    return lambda connection, ids: logs.pages_of(connection, ids, limit=asked.size + 1, after=asked.after)


def _pages_query(chosen: Selection, asked: Window[int]) -> Query[int, list[BuildRow]]:
    def query(connection: Connection, ids: Sequence[int]) -> Mapping[int, list[BuildRow]]:
        return builds.pages_of(
            connection,
            chosen.owner,
            ids,
            limit=asked.size + 1,
            statuses=chosen.statuses,
            conclusions=chosen.conclusions,
            after=asked.after,
        )

    return query


def _counts_query(chosen: Selection) -> Query[int, int]:
    def query(connection: Connection, ids: Sequence[int]) -> Mapping[int, int]:
        return builds.counts_of(
            connection, chosen.owner, ids, statuses=chosen.statuses, conclusions=chosen.conclusions
        )

    return query


def _waits_query(side: Side, asked: Window[int]) -> Query[int, list[BuildRow]]:
    return lambda connection, ids: waits.pages_of(
        connection, side, ids, limit=asked.size + 1, after=asked.after
    )


def _transitions_query(asked: Window[int]) -> Query[int, list[TransitionRow]]:
    return lambda connection, ids: history.pages_of(
        connection, SubjectType.BUILD, ids, limit=asked.size + 1, after=asked.after
    )
