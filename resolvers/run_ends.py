"""When a run is over, and how it has ended."""

from collections.abc import Iterable
from datetime import datetime

from storage import runs
from storage.build_rows import BuildCount
from storage.database import Connection
from storage.transitions import RELEASING, BuildConclusion, RunConclusion, RunStatus


def complete(connection: Connection, run_id: int, *, actor: str | None = None, now: datetime) -> bool:
    """Complete a run if each of its builds is; False when it is not so, or was before."""
    # After the lock, since whoever held it may have ended another of the last builds.
    run = runs.lock(connection, run_id)
    if run is None or run.status is RunStatus.COMPLETED or runs.unended(connection, run_id, limit=1):
        return False
    conclusion = conclusion_of(runs.counts_of(connection, [run_id])[run_id], run.status)
    return runs.move(
        connection,
        run_id,
        RunStatus.COMPLETED,
        conclusion=conclusion,
        reason=run.status_reason,
        actor=actor,
        now=now,
    )


def conclusion_of(counts: Iterable[BuildCount], status: RunStatus) -> RunConclusion:
    """Return how a run has ended whose builds all have, and which was in `status` until then."""
    conclusions = {count.conclusion for count in counts} - set(RELEASING)
    if status is RunStatus.CANCELING:
        return RunConclusion.CANCELED
    if conclusions - {BuildConclusion.CANCELED, BuildConclusion.SUPERSEDED}:
        return RunConclusion.FAILURE
    if BuildConclusion.CANCELED in conclusions:
        return RunConclusion.CANCELED
    return RunConclusion.SUPERSEDED if conclusions else RunConclusion.SUCCESS
