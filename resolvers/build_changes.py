"""The changes that one transaction makes to builds, and what is told of them in the end.

Every change has a moment of its own, by which the database tells it from one that was made past the application. Runs are
looked at once, when all else is done: whoever is at another of their builds waits for that no longer than it has to.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from resolvers.announcements import announce
from resolvers.run_ends import complete
from storage import flow, runs
from storage.database import Connection
from storage.transitions import BuildStatus, RunStatus

# Whoever ends one of the last builds of a run, or many at once, looks whether these were the last. Fewer than so many
# workers report at the same moment, so that of the last ones somebody sees all others ended; recovery is there for the rest.
_LAST_FEW: Final = 64

_TICK: Final = timedelta(microseconds=1)


@dataclass(slots=True)
class Changes:
    """What changes in one transaction. `finish` ends it."""

    connection: Connection
    now: datetime
    actor: str | None = None
    to_complete: set[int] = field(default_factory=set)
    """Runs that may be over."""
    to_reopen: set[int] = field(default_factory=set)
    """Runs that go on, if they were over."""
    _changed: dict[int, None] = field(default_factory=dict)
    _runs: dict[int, None] = field(default_factory=dict)
    _ended: Counter[int] = field(default_factory=Counter)
    """How many builds of each run have ended without a worker."""

    def moment(self) -> datetime:
        """Return the time, later than any that was returned before: no two changes of a row have the same."""
        self.now += _TICK
        return self.now

    def moved(self, build_ids: Iterable[int]) -> None:
        """Tell of builds that have moved without any consequence for others."""
        self._changed.update(dict.fromkeys(build_ids))

    def begun(self, run_id: int, build_ids: Iterable[int]) -> None:
        """Tell of the builds of a new run, which may have nothing to do."""
        self._changed.update(dict.fromkeys(build_ids))
        self.to_complete.add(run_id)

    def run_moved(self, run_id: int) -> None:
        """Tell of a run that has moved."""
        self._runs[run_id] = None

    def have_ended(self, ids: Collection[int]) -> None:
        """Tell of builds that have ended, by which their runs may be over."""
        self._changed.update(dict.fromkeys(ids))
        self._ended.update(each.run_id for each in flow.waiters(self.connection, ids))
        self.to_complete |= self._ended.keys()

    def move(self, ids: Sequence[int], target: BuildStatus, reason: str | None) -> None:
        """Move builds that nobody holds, as far as they may."""
        if ids:
            moved = flow.move_all(
                self.connection, ids, target, reason=reason, actor=self.actor, now=self.moment()
            )
            self._changed.update(dict.fromkeys(moved))

    def finish(self) -> None:
        """Complete and reopen runs, and tell of everything. Nothing may follow."""
        for run_id in sorted(self.to_reopen):
            if self._reopen_run(run_id):
                self.run_moved(run_id)
        for run_id in sorted(self.to_complete):
            if self._complete_run(run_id):
                self.run_moved(run_id)
        announce(self.connection, self._changed, self._runs, now=self.now)

    def _reopen_run(self, run_id: int) -> bool:
        run = runs.lock(self.connection, run_id)
        return (
            run is not None
            and run.status is RunStatus.COMPLETED
            and runs.move(self.connection, run_id, RunStatus.RUNNING, actor=self.actor, now=self.moment())
        )

    def _complete_run(self, run_id: int) -> bool:
        ended = self._ended[run_id]
        if ended > 1:
            runs.lock(self.connection, run_id)
        last = runs.unended(self.connection, run_id, limit=_LAST_FEW + 1)
        if len(last) > _LAST_FEW:
            return False
        if ended > 1 and ended + len(last) > _LAST_FEW:
            # To whoever is ending one of these, none of ours has ended, and there are too many left to look closer.
            flow.lock(self.connection, last)
        return complete(self.connection, run_id, actor=self.actor, now=self.moment())
