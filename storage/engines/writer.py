"""The one writer of this process at an embedded file, which commits in groups.

How it works: whoever wants to write queues up. The first in the queue leads: it takes the turn among the processes,
and carries out, in one transaction, whatever has queued up by then, its own operation and those of others, each in a
savepoint; all of them return once that transaction is on disk. A flush of the disk takes longer than most operations,
so while one group is flushed the next one gathers. No thread is needed for it, and a single writer waits for nobody.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine

from storage.engines.lock import FileLock
from storage.engines.sqlite import become_writer, errors_of, is_in_transaction, savepoint
from storage.engines.written import Result, carry_out
from storage.errors import Trouble, Unavailable

# Of one transaction: past this, a flush shared by more costs each of them no less.
_LARGEST_GROUP: Final = 256


@dataclass(slots=True, eq=False)
class _Job:
    """An operation that waits, and what came of it."""

    operation: Callable[[Connection], Any] | None
    """None: its own thread does with the turn what it likes."""
    deadline: float
    is_taken: bool = False
    is_done: bool = False
    outcome: tuple[Any, int | None] | None = None
    error: BaseException | None = None

    def run(self, connection: Connection) -> None:
        """Carry it out. Raises what it raises."""
        assert self.operation is not None
        self.outcome = carry_out(self.operation, connection)


@dataclass(slots=True)
class _Queue:
    """Who waits to write, first come first served."""

    waiting: deque[_Job] = field(default_factory=deque)
    has_leader: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def may_lead(self, job: _Job) -> bool:
        """Whether the thread of `job` is to lead now: when it is first."""
        return not self.has_leader and not job.is_taken and self.waiting[0] is job

    def take(self) -> list[_Job]:
        """Take the first of those who wait, as many as one transaction may hold."""
        group: list[_Job] = []
        while self.waiting and self.waiting[0].operation is not None and len(group) < _LARGEST_GROUP:
            group.append(self.waiting.popleft())
            group[-1].is_taken = True
        return group


class Writer:
    """Whatever writes to one file goes through here. Every method may be called from any thread."""

    def __init__(self, path: Path, engine: Engine, wait: timedelta) -> None:
        self._path = path
        self._engine = engine
        self._wait = wait
        self._queue = _Queue()
        self._lock = FileLock(path)
        self._connection: Connection | None = None

    def run(self, operation: Callable[[Connection], Result]) -> tuple[Result, int | None]:
        """Carry out `operation` and return, once that is on disk, its result and the id of its last event, if any.

        It may share its transaction with others. Raises what it raises, and Unavailable when its turn does not come in time.
        """
        job = _Job(operation, self._deadline())
        if self._leads(job):
            with self._leading(job):
                with self._queue.changed:
                    group = self._queue.take()
                self._commit(group)
        if job.error is not None:
            raise job.error
        assert job.outcome is not None
        return job.outcome

    def run_alone(self, operation: Callable[[Connection], Result]) -> tuple[Result, int | None]:
        """Carry out `operation` as `run` does, but in this thread and in a transaction of its own."""
        with self.turn() as connection, connection.begin():
            return carry_out(operation, connection)

    @contextmanager
    def turn(self) -> Iterator[Connection]:
        """Give the connection that writes, outside of a transaction, and nobody else the turn meanwhile."""
        job = _Job(None, self._deadline())
        leads = self._leads(job)
        assert leads  # since nobody else could do it
        with self._leading(job), self._writing() as connection:
            yield connection

    def close(self) -> None:
        """Let go of the file. Nothing may be under way."""
        self._discard()
        self._lock.close()

    def _deadline(self) -> float:
        return time.monotonic() + self._wait.total_seconds()

    def _leads(self, job: _Job) -> bool:
        """Wait in the queue until `job` is done, then return False, or until its thread is to lead."""
        queue = self._queue
        with queue.changed:
            queue.waiting.append(job)
            try:
                self._wait_for_turn(job)
            except BaseException:
                # Nobody may lead while someone who has gone away is first.
                self._leave(job)
                raise
            if job.is_done:
                return False
            queue.has_leader = True
            return True

    def _wait_for_turn(self, job: _Job) -> None:
        while not job.is_done and not self._queue.may_lead(job):
            # What has been taken is under way, and will end.
            left = None if job.is_taken else job.deadline - time.monotonic()
            if left is not None and left <= 0:
                raise self._busy()
            self._queue.changed.wait(left)

    @contextmanager
    def _leading(self, job: _Job) -> Iterator[None]:
        """Hold the turn among the processes, and let the next lead afterwards."""
        try:
            if not self._lock.take(job.deadline):
                raise self._busy()
            try:
                yield
            finally:
                self._lock.give_back()
        finally:
            with self._queue.changed:
                self._leave(job)
                self._queue.has_leader = False
                self._queue.changed.notify_all()

    def _leave(self, job: _Job) -> None:
        if job in self._queue.waiting:
            self._queue.waiting.remove(job)
            self._queue.changed.notify_all()

    def _commit(self, group: list[_Job]) -> None:
        """Carry out a group in one transaction. Each job is done afterwards, well or not."""
        try:
            with self._writing() as connection, connection.begin():
                self._run(group, connection)
        except Exception as error:
            # Nothing was written, also of those that had gone well: one of them was too much for the others.
            if len(group) == 1:
                group[0].error = error
            for job in group:
                if job.error is None:
                    self._commit([job])
        except BaseException:
            for job in group:
                job.error = job.error or self._interrupted()
            raise
        finally:
            for job in group:
                job.is_done = True

    def _run(self, group: list[_Job], connection: Connection) -> None:
        if len(group) == 1:
            group[0].run(connection)
            return
        for job in group:
            try:
                with errors_of(self._path), savepoint(connection):
                    job.run(connection)
            except Exception as error:
                job.error = error
                if not is_in_transaction(connection):
                    # It was so bad that SQLite has undone everything.
                    raise

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with errors_of(self._path):
            connection = self._connection = self._connection or self._connect()
            try:
                yield connection
            finally:
                # A COMMIT that failed may leave its transaction open, in which no other could begin.
                if is_in_transaction(connection):
                    self._discard()

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        try:
            become_writer(connection)
        except BaseException:
            _discard(connection)
            raise
        return connection

    def _discard(self) -> None:
        if self._connection is not None:
            _discard(self._connection)
            self._connection = None

    def _interrupted(self) -> Unavailable:
        detail = "what another began at the same time was interrupted, and this with it; try again"
        return Unavailable(str(self._path), Trouble.BUSY, detail)

    def _busy(self) -> Unavailable:
        detail = f"it was not free within {self._wait.total_seconds():g} s; try again once an import or migration has ended"
        return Unavailable(str(self._path), Trouble.BUSY, detail)


def _discard(connection: Connection) -> None:
    # Closing alone would give it back to the pool, and to readers the right to write.
    connection.invalidate()
    connection.close()
