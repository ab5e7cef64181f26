"""Heartbeats: one thread that tells the server of all that its worker holds, and one that minds the leases meanwhile."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from buildatlas.client import Refused, Unreachable
from buildatlas.worker.api import Api, is_passing
from buildatlas.worker.jobs import LOST_CODES, Job, Stop

# Of a lease: two heartbeats may fail before it runs out.
_SHARE: Final = 3

# Between two attempts when the server does not answer, in seconds.
_SOON: Final = 0.5

# How often it is looked whose lease has run out, in seconds.
_LOOK_EVERY: Final = 0.5


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
        # A server that hangs takes its time over each, and the leases of all run out meanwhile.
        threads = [
            threading.Thread(target=each, name=name, daemon=True)
            for name, each in {"heartbeats": self._beat, "leases": self._mind_leases}.items()
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join()

    def _beat(self) -> None:
        pause = self._lease_seconds / _SHARE
        while not self._is_over.wait(pause):
            unheard = [job for job in self._held() if not self.tell(job)]
            pause = _SOON if unheard else self._lease_seconds / _SHARE

    def _mind_leases(self) -> None:
        while not self._is_over.wait(_LOOK_EVERY):
            for job in self._held():
                if not job.is_kept:
                    job.stop(Stop.LOST)

    def _held(self) -> list[Job]:
        with self._lock:
            return list(self._jobs)

    def tell(self, job: Job) -> bool:
        """Tell of one job, and have it stopped when it is to end. False when there was no answer."""
        asked_at = job.clock()
        try:
            if self._api.heartbeat(job.held, lease_seconds=self._lease_seconds):
                job.stop(Stop.CANCELED)
        except (Refused, Unreachable) as error:
            if isinstance(error, Refused) and error.code in LOST_CODES:
                job.stop(Stop.LOST)
                return True
            self._on_trouble(error)
            return not is_passing(error)
        job.keep(asked_at)
        return True
