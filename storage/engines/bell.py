"""Telling the processes at one embedded file that it has changed.

How it works: whoever listens has a datagram socket in a folder beside the file; whoever has committed sends an empty
datagram to every socket there. A datagram that is lost, or a change by a program that sends none, is noticed all the
same, by looking at the event log a few times a second.
"""

import logging
import os
import select
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from storage.engines.watchers import Watchers
from storage.errors import StorageError

log = logging.getLogger(__name__)

# How long a change may go unseen when no datagram tells of it. A look costs microseconds.
_INTERVAL_SECONDS: Final = 0.25


class Bell:
    """Rings at every process that listens. Every method may be called from any thread."""

    def __init__(self, database: Path) -> None:
        self._folder = Path(f"{database}.wake")
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._sender.setblocking(False)

    def ring(self) -> None:
        """Wake everyone who listens. Whoever cannot be woken finds out by looking."""
        try:
            with _opened(self._folder) as folder:
                for name in os.listdir(folder.descriptor):
                    self._wake(folder, name)
        except FileNotFoundError:
            return  # Nobody has ever listened.
        except OSError as error:
            log.warning("other processes see changes late: %s: %s", self._folder, error.strerror)

    def close(self) -> None:
        """Ring no more."""
        self._sender.close()

    def _wake(self, folder: "_Folder", name: str) -> None:
        try:
            self._sender.sendto(b"", folder.address(name))
        except BlockingIOError:
            return  # It has not yet looked since it was woken last.
        except ConnectionRefusedError:
            folder.remove(name)  # Its process has ended without cleaning up.
        except OSError as error:
            log.debug("%s cannot be woken: %s", name, error)


class Listener:
    """A thread that tells `watchers` whenever `position` has moved. `close` ends it."""

    def __init__(self, database: Path, position: Callable[[], int], watchers: Watchers) -> None:
        self._folder = Path(f"{database}.wake")
        self._position = position
        self._watchers = watchers
        self._name = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._closing = threading.Event()
        self._end, self._end_heard = socket.socketpair()
        self._woken = select.poll()
        for each in (self._socket, self._end_heard):
            self._woken.register(each, select.POLLIN)
        self._bind()
        self._thread = threading.Thread(target=self._listen, name="buildatlas-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._closing.set()
        self._end.close()
        self._thread.join()
        self._end_heard.close()
        self._socket.close()
        with suppress(FileNotFoundError), _opened(self._folder) as folder:
            folder.remove(self._name)

    def _bind(self) -> None:
        try:
            self._folder.mkdir(exist_ok=True)
            with _opened(self._folder) as folder:
                self._socket.bind(folder.address(self._name))
        except OSError as error:
            # The interval does it too, only later.
            log.warning("changes of other processes are seen late: %s: %s", self._folder, error.strerror)

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                self._watchers.tell(self._position())
            except StorageError as error:
                log.warning("the event log cannot be looked at: %s", error)
            except Exception:
                log.exception("looking at the event log failed")
            self._sleep()

    def _sleep(self) -> None:
        self._woken.poll(_INTERVAL_SECONDS * 1000)
        with suppress(BlockingIOError):
            while True:
                self._socket.recv(1)


class _Folder:
    """A folder by its descriptor, since the path of a socket has room for a hundred bytes only."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    def address(self, name: str) -> str:
        return f"/proc/self/fd/{self.descriptor}/{name}"

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self.descriptor)


def _opened(folder: Path) -> _Folder:
    return _Folder(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
