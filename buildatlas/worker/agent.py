"""The agent: it keeps its slots filled with builds, and lets go of them in good order when it is to end."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from buildatlas.errors import CannotBuild
from buildatlas.worker.api import Api, GaveUp, Held
from buildatlas.worker.execution import Executor
from buildatlas.worker.heartbeats import Heartbeats
from buildatlas.worker.jobs import Job, Stop, Terms

# What one request may ask for.
_MOST_CLAIMS: Final = 100

# How often a leaving worker looks whether its time is up, in seconds.
_LOOK_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class Habits:
    """How a worker goes about it."""

    name: str
    concurrency: int
    labels: Sequence[Mapping[str, str]]
    poll_seconds: float
    """How long it waits when there is nothing to do."""
    grace_seconds: float
    """How long builds may go on once it is to end."""
    until_idle: bool = False
    """Whether it ends once nothing is left to do for anyone."""


class Agent:
    """A worker. `run` works until `leave` is called, or all is done."""

    def __init__(
        self,
        api: Api,
        executor: Executor,
        terms: Terms,
        habits: Habits,
        *,
        on_end: Callable[[Job], None] = lambda _job: None,
        on_trouble: Callable[[Exception], None] = lambda _error: None,
    ) -> None:
        self._api = api
        self._executor = executor
        self._terms = terms
        self._habits = habits
        self._on_end = on_end
        self._on_trouble = on_trouble
        self._heartbeats = Heartbeats(api, terms.lease_seconds, on_trouble=on_trouble)
        self._jobs: set[Job] = set()
        self._changed = threading.Condition()
        # Plain values, since a signal handler may come while this thread holds any lock.
        self._is_leaving = False
        self._is_hurrying = False
        self._fault: str | None = None

    def leave(self) -> None:
        """Claim no more, and end once what is held has. Said again, end that at once. May be called by a signal handler."""
        self._is_hurrying = self._is_leaving
        self._is_leaving = True

    def run(self) -> None:
        """Work. What is held at the end is given back for others to try. Raises Refused, and CannotBuild."""
        habits = self._habits
        with (
            self._heartbeats.beating(),
            ThreadPoolExecutor(habits.concurrency, thread_name_prefix="job") as pool,
        ):
            try:
                self._work(pool)
            finally:
                self._let_go()
        if self._fault is not None:
            raise CannotBuild(self._fault)

    def _work(self, pool: ThreadPoolExecutor) -> None:
        while not self._is_leaving:
            free = self._wait_for_slot()
            if not free:
                continue
            busy = self._habits.concurrency - free
            claimed = self._claim(min(free, _MOST_CLAIMS))
            for held in claimed:
                self._start(pool, held)
            if claimed:
                continue
            if self._habits.until_idle and self._is_all_done():
                return
            self._pause(busy)

    def _wait_for_slot(self) -> int:
        with self._changed:
            self._changed.wait_for(
                lambda: len(self._jobs) < self._habits.concurrency or self._is_leaving, _LOOK_EVERY
            )
            return 0 if self._is_leaving else self._habits.concurrency - len(self._jobs)

    def _claim(self, limit: int) -> list[Held]:
        habits = self._habits
        try:
            return self._api.claim(
                habits.name,
                limit=limit,
                lease_seconds=self._terms.lease_seconds,
                labels=habits.labels,
                request_id=str(uuid.uuid4()),
                matters=lambda: not self._is_leaving,
            )
        except GaveUp:
            return []

    def _start(self, pool: ThreadPoolExecutor, held: Held) -> None:
        job = Job(self._api, held, self._terms)
        with self._changed:
            self._jobs.add(job)
        self._heartbeats.add(job)
        pool.submit(self._run, job)

    def _run(self, job: Job) -> None:
        try:
            job.run(self._executor)
        except Exception as error:  # nobody looks into what `submit` returns
            self._on_trouble(error)
        else:
            if job.fault is not None:
                # It would take all that is queued, to no end.
                self._fault = job.fault
                self._is_leaving = True
        finally:
            self._heartbeats.remove(job)
            with self._changed:
                self._jobs.discard(job)
                self._changed.notify_all()
            self._on_end(job)

    def _is_all_done(self) -> bool:
        with self._changed:
            if self._jobs:
                return False
        try:
            return not self._api.is_anything_left(matters=lambda: not self._is_leaving)
        except GaveUp:
            return False

    def _pause(self, busy: int) -> None:
        """Wait for a while, or until less than `busy` slots are, as an end may have set others free."""
        # Not in step with other workers.
        seconds = self._habits.poll_seconds * random.uniform(0.75, 1.25)  # noqa: S311 - nobody gains by guessing it
        until = time.monotonic() + seconds
        with self._changed:
            while (left := until - time.monotonic()) > 0 and not self._is_leaving:
                if self._changed.wait_for(lambda: len(self._jobs) < busy, min(left, _LOOK_EVERY)):
                    return

    def _let_go(self) -> None:
        """Wait for what is held, and give back what takes longer than it may."""
        until = time.monotonic() + self._habits.grace_seconds
        with self._changed:
            while self._jobs:
                if self._is_hurrying or time.monotonic() > until:
                    for job in self._jobs:
                        job.stop(Stop.LEAVING)
                self._changed.wait(_LOOK_EVERY)
