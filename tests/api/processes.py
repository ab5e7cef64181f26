"""Servers as processes of their own, started by the command line."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 30


@dataclass
class ServerProcess:
    """A running `buildatlas serve`, and what it has said so far."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """Where it answers, without a slash at the end."""
        (line,) = self.announcements()
        return line.partition("serves ")[2].split()[0].rstrip("/")

    def announcements(self) -> list[str]:
        """Return the lines that tell where it answers."""
        return [line for line in self.said if " serves http" in line]

    def workers(self) -> set[int]:
        """Return the processes of those of its workers that answer."""
        told = (re.search(r"worker (\d+) answers", line) for line in self.said)
        return {worker for each in told if each and is_running(worker := int(each[1]))}

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal, and return its exit code."""
        self.process.send_signal(how)
        return self.process.wait(_STOP_SECONDS)

    def listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))
            if " serves http" in line:
                self.answers.set()


def serve_command(database_url: str, *options: str) -> list[str]:
    """Return what serves a database on any free port."""
    command = (sys.executable, "-m", "buildatlas.cli", "serve", "--port", "0", "--database", database_url)
    return [*command, *options]


@contextmanager
def server_process(database_url: str, *options: str, **environment: str) -> Iterator[ServerProcess]:
    """Serve a database by a process of its own on any free port, as long as the block runs."""
    command = serve_command(database_url, *options)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    server = ServerProcess(process)
    listener = threading.Thread(target=server.listen)
    listener.start()
    try:
        assert server.answers.wait(_START_SECONDS), server.said
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        listener.join(_STOP_SECONDS)
        assert process.stderr is not None
        process.stderr.close()


def wait_until(is_so: Callable[[], bool], *, seconds: float = 30) -> None:
    """Return once something has come about; fail when it does not."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


def is_running(process: int) -> bool:
    """Whether there is such a process, and it has not ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
