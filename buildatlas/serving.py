"""Serving: by one process, or by several at one address that another one watches over.

How it works: the address is bound once, and every worker answers at the same listening socket; whichever is free takes
the next connection. Workers are made anew, not forked: threads and connections do not survive a fork. uvicorn has a
supervisor too, but it stops all workers when one cannot be replaced, such as while the database is away, heeds no signal
while it restarts them, and leaves them behind when it is killed.
"""

import gc
import logging
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Final

from buildatlas.errors import CannotServe
from buildatlas.exits import Exit
from buildatlas.observability import configure_logging
from buildatlas.prometheus import forget_process, shared_values
from buildatlas.server import GRACE_SECONDS, Server, address_of, listen
from buildatlas.settings import Settings, SettingsError, variable
from buildatlas.trusted import trusted_documents
from resolvers.access import Gate
from storage.database import Database
from storage.errors import StorageError

log = logging.getLogger(__name__)

# How late a signal may be heeded; what workers do is noticed at once.
_TICK_SECONDS: Final = 0.2

# Between attempts when workers end before they have answered anything: from the first to this, doubling.
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 30.0

# What a worker gets beyond its own grace, then it is killed.
_MORE_GRACE_SECONDS: Final = 5

# Objects between two collections of the youngest, and how many of those to each of an older generation. With Python's own
# 700 one event to a thousand subscribers has several collections run, which takes half as much time again.
_COLLECTED_EVERY: Final = (50_000, 10, 10)

_SPAWN: Final = multiprocessing.get_context("spawn")


def serve(settings: Settings, *, announce: Callable[[str, str], None]) -> None:
    """Serve until a signal says stop. `announce` is given the address and the database once requests are answered.

    Raises PortTaken, StorageError when the database cannot be used, and CannotServe.
    """
    with listen(settings) as listener:
        # Opened once before anything runs, since what is wrong with it is told better from here.
        with closing(Database.open(settings.database_url)) as database:
            location = database.location
            trusted_documents(settings.trusted_documents)
            _check_exposure(settings, database)
            _check_certificate(settings)

        def answering() -> None:
            announce(address_of(listener, is_secure=settings.tls_certificate is not None), location)

        if settings.workers == 1:
            _collect_seldom()
            Server(settings, announce=answering).run(sockets=[listener])
        else:
            Supervisor(settings, listener, announce=answering).run()


def _check_exposure(settings: Settings, database: Database) -> None:
    """Raise SettingsError when everybody could change the catalogue who can reach the server."""
    if settings.is_exposed and not Gate(database).is_closed():
        name, value = ("hosts", ",".join(settings.hosts)) if settings.hosts else ("host", settings.host)
        raise SettingsError(
            variable(name),
            f"{value!r} is not this machine alone, and whoever can reach the server could change the catalogue, as no "
            "access token has been made: make one with `buildatlas token create`, or answer on 127.0.0.1",
        )


def _check_certificate(settings: Settings) -> None:
    """Raise SettingsError when nobody could be answered by HTTPS as it is set."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None:
        if key is not None:
            raise SettingsError(
                variable("tls_key"), "is of use with a certificate only: set BUILDATLAS_TLS_CERTIFICATE"
            )
        return
    for name, path in (("tls_certificate", certificate), ("tls_key", key)):
        if path is not None and not Path(path).is_file():
            raise SettingsError(variable(name), f"there is no file {path}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        told = f"{certificate} and its key cannot be used, which have to be PEM files that belong together: {error}"
        raise SettingsError(variable("tls_certificate"), told) from error


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    told: Connection
    """Where it says that it answers."""
    is_ready: bool = False
    is_stale: bool = False
    """Whether it is to be replaced, once its replacement answers."""
    deadline: float | None = None
    """When it is killed, if it has been told to end."""

    def retire(self) -> None:
        """Tell it to end what it has begun, and itself."""
        self.deadline = time.monotonic() + GRACE_SECONDS + _MORE_GRACE_SECONDS
        self.process.terminate()

    def hear(self) -> bool:
        """Return whether it has said just now that it answers."""
        with suppress(EOFError):
            if not self.is_ready and self.told.poll():
                self.told.recv()
                self.is_ready = True
                return True
        return False

    def has_ended(self) -> bool:
        """Whether it is gone; a retired one past its time is seen to."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            self.process.kill()
        if self.process.is_alive():
            return False
        self.told.close()
        if self.process.pid is not None:
            forget_process(self.process.pid)
        return True


class Supervisor:
    """Keeps as many workers answering as there are to be. SIGHUP replaces them one by one, SIGTERM and SIGINT end all."""

    def __init__(self, settings: Settings, listener: socket.socket, *, announce: Callable[[], None]) -> None:
        self._settings = settings
        self._listener = listener
        self._announce = announce
        self._has_announced = False
        self._workers: list[_Worker] = []
        self._retired: list[_Worker] = []
        self._pause = 0.0
        self._not_before = 0.0
        self._is_stopping = False

    def run(self) -> None:
        """Serve until a signal says stop. Raises CannotServe when a worker ends before any has answered."""
        handlers = {signal.SIGTERM: self._stop, signal.SIGINT: self._stop, signal.SIGHUP: self._renew}
        with _handled(handlers), shared_values():
            try:
                while not self._is_stopping:
                    self._mourn()
                    self._hire()
                    self._replace()
                    self._listen()
            finally:
                self._end()

    def _stop(self) -> None:
        self._is_stopping = True

    def _renew(self) -> None:
        for worker in self._workers:
            worker.is_stale = True

    def _mourn(self) -> None:
        """Let go of workers that have ended."""
        self._retired = [worker for worker in self._retired if not worker.has_ended()]
        ended = [worker for worker in self._workers if worker.has_ended()]
        for worker in ended:
            self._workers.remove(worker)
            log.warning("worker %s has ended with %s", worker.process.pid, worker.process.exitcode)
        if ended and not self._has_announced:
            raise CannotServe(ended[0].process.exitcode)
        if any(not worker.is_ready for worker in ended):
            self._pause = min(2 * self._pause or _FIRST_PAUSE, _LONGEST_PAUSE)
            self._not_before = time.monotonic() + self._pause

    def _hire(self) -> None:
        """Start the workers that are missing. While stale ones are replaced there is one more than there are to be."""
        if time.monotonic() < self._not_before:
            return
        fresh = sum(not worker.is_stale for worker in self._workers)
        wanted = self._settings.workers
        for _ in range(min(wanted - fresh, wanted + 1 - len(self._workers))):
            self._workers.append(self._started())

    def _started(self) -> _Worker:
        told, tell = _SPAWN.Pipe(duplex=False)
        process = _SPAWN.Process(
            target=work, args=(self._settings, self._listener, tell), name=self._free_name()
        )
        process.start()
        tell.close()
        return _Worker(process, told)

    def _free_name(self) -> str:
        """Return the first name that no worker has: what is measured of a process goes by it."""
        taken = {worker.process.name for worker in (*self._workers, *self._retired)}
        return next(name for name in map(str, count(1)) if name not in taken)

    def _replace(self) -> None:
        """Retire a stale worker for each fresh one that answers."""
        fresh = sum(worker.is_ready and not worker.is_stale for worker in self._workers)
        stale = [worker for worker in self._workers if worker.is_stale]
        for worker in stale[: max(0, fresh + len(stale) - self._settings.workers)]:
            worker.retire()
            self._workers.remove(worker)
            self._retired.append(worker)

    def _listen(self) -> None:
        """Wait until a worker ends or answers, or a moment."""
        everyone = [*self._workers, *self._retired]
        starting = [worker.told for worker in self._workers if not worker.is_ready]
        wait([*(worker.process.sentinel for worker in everyone), *starting], timeout=_TICK_SECONDS)
        for worker in self._workers:
            if worker.hear():
                log.info("worker %s answers", worker.process.pid)
                self._pause = 0.0
                self._announce_once()

    def _announce_once(self) -> None:
        if not self._has_announced:
            self._has_announced = True
            self._announce()

    def _end(self) -> None:
        self._retired += self._workers
        self._workers.clear()
        for worker in self._retired:
            worker.retire()
        while self._retired:
            self._mourn()
            wait([worker.process.sentinel for worker in self._retired], timeout=_TICK_SECONDS)


@contextmanager
def _handled(handlers: dict[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Have signals handled so; what they did before, they do again afterwards."""

    def handle(number: int, _frame: FrameType | None) -> None:
        handlers[signal.Signals(number)]()

    before = {number: signal.signal(number, handle) for number in handlers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def work(settings: Settings, listener: socket.socket, tell: Connection) -> None:
    """Be a worker."""
    configure_logging(sys.stderr, level=settings.log_level)
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    _collect_seldom()
    try:
        Database.open(settings.database_url).close()
    except StorageError as error:
        log.error("a worker cannot start: %s", error)  # noqa: TRY400 - the sentence says it all
        sys.exit(Exit.FAILED)
    with suppress(KeyboardInterrupt):
        Server(settings, announce=lambda: tell.send(True)).run(sockets=[listener])


def _collect_seldom() -> None:
    """Have the garbage collector leave alone what has been loaded, which is there for good, and come more seldom."""
    gc.freeze()
    gc.set_threshold(*_COLLECTED_EVERY)


def _end_with_supervisor() -> None:
    supervisor = multiprocessing.parent_process()
    assert supervisor is not None
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)
