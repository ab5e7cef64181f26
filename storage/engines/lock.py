"""The turn to write among the processes at one file.

SQLite's own busy waiting lets a second process starve for seconds. A lock file
beside the database, taken before BEGIN IMMEDIATE, is asked for so often that
none waits for much more than a second, however many write.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from storage.errors import Trouble, Unavailable

# flock cannot wait with a time limit, so it is asked again and again: often enough that a turn is not lost, seldom
# enough to cost nothing behind an import of many seconds.
_FIRST_PAUSE: Final = 0.0005
_LONGEST_PAUSE: Final = 0.02


class FileLock:
    """The right of this process to write to one database file. For one thread at a time."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._descriptor: int | None = None

    def take(self, deadline: float) -> bool:
        """Take the turn; False when it has not come by `deadline`, of `time.monotonic`."""
        descriptor = self._descriptor = self._open() if self._descriptor is None else self._descriptor
        pause = _FIRST_PAUSE
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    def give_back(self) -> None:
        """Let another have the turn."""
        assert self._descriptor is not None
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the lock file, which stays: removing it would let two processes hold two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        path = f"{self._database}.lock"
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            detail = f"{path} cannot be opened: {error.strerror}"
            raise Unavailable(str(self._database), Trouble.READ_ONLY, detail) from error


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
