"""Heartbeats: one thread that tells the server of all that its worker holds."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from buildatlas.client import Refused, Unreachable
from buildatlas.worker.api import Api, is_passing
from buildatlas.worker.jobs import LOST_CODES, Job, Stop

# Of a lease: two heartbeats may fail before it runs out.
_SHARE: Final = 3

# Between two attempts when the server does not answer, in seconds.
_SOON: Final = 0.5


class Heartbeats:
    """The heart of a worker."""

    def __init__(
        self, api: Api, lease_seconds: int, *, on_trouble: Callable[[Exception], None] = lambda _error: None
    ) -> None:
        self._api = api
        self._lease_seconds = lease_seconds
        self._on_trouble = on_trouble
        self._jobs: set[Job] = set()
        self._lock = threading.Lock()
        self._is_over = threading.Event()

    def add(self, job: Job) -> None:
        """Tell of one more."""
        with self._lock:
            self._jobs.add(job)

    def remove(self, job: Job) -> None:
        """Tell of it no more."""
        with self._lock:
            self._jobs.discard(job)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Do it for as long as the block runs."""
        thread = threading.Thread(target=self._beat, name="heartbeats", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()

    def _beat(self) -> None:
        pause = self._lease_seconds / _SHARE
        while not self._is_over.wait(pause):
            with self._lock:
                jobs = list(self._jobs)
            pause = self._lease_seconds / _SHARE if self._tell_all(jobs) else _SOON

    def _tell_all(self, jobs: Sequence[Job]) -> bool:
        is_heard = True
        for job in jobs:
            if not self.tell(job):
                is_heard = False
                # A server that hangs takes its time over each, and the leases of those to come run out meanwhile.
                for each in jobs:
                    if not each.is_kept:
                        each.stop(Stop.LOST)
        return is_heard

    def tell(self, job: Job) -> bool:
        """Tell of one job, and have it stopped when it is to end. False when there was no answer."""
        try:
            if self._api.heartbeat(job.held, lease_seconds=self._lease_seconds):
                job.stop(Stop.CANCELED)
        except (Refused, Unreachable) as error:
            if isinstance(error, Refused) and error.code in LOST_CODES:
                job.stop(Stop.LOST)
                return True
            self._on_trouble(error)
            if not job.is_kept:
                job.stop(Stop.LOST)
            return not is_passing(error)
        job.keep()
        return True
