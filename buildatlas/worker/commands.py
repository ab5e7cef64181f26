"""Running one command to its end, whatever it does. Of the standard library alone: it is sent to machines without Buildatlas."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

Ended = tuple[str, int | None, str, bytes | None]
"""How a command ended, its exit code, a remark, and what it wrote into its result file."""

# How often it is looked whether to stop, in seconds.
_LOOK_EVERY = 0.1
# What something left behind may still print once its parent has ended, in seconds.
_LAST_OUTPUT = 1.0
_CHUNK = 65_536
# What the worker is let in by: what it builds has no business with that.
_WITHHELD = frozenset({"BUILDATLAS_TOKEN"})
# What a pipe may hold, at most.
_LARGEST_PIPE = 1024 * 1024


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    timeout_seconds: float,
    kill_after_seconds: float,
    result_variable: str,
    most_result: int,
    on_output: Callable[[bytes], None],
    is_stopped: Callable[[], bool],
) -> Ended:
    """Run `command` in an empty folder and a process group of its own.

    It ends as EXITED, DIED, TIMED_OUT, STOPPED or NOT_STARTED. Past its time, or once `is_stopped`, it gets SIGTERM and
    `kill_after_seconds` later SIGKILL. Of the file that `result_variable` names a byte more than `most_result` is read.
    """
    folder = tempfile.mkdtemp(prefix="buildatlas-")
    try:
        result = Path(folder) / "result.json"
        work = Path(folder) / "work"
        work.mkdir()
        inherited = {name: value for name, value in os.environ.items() if name not in _WITHHELD}
        variables = {**inherited, **environment, result_variable: str(result)}
        try:
            process = _started(command, variables, work)
        except OSError as error:
            return "NOT_STARTED", None, f"{command[0]}: {error.strerror}", None
        how = _Watch(process, timeout_seconds, kill_after_seconds, is_stopped).follow(on_output)
        code = process.returncode
        if how == "EXITED" and code < 0:
            return "DIED", code, f"killed by {_signal_name(-code)}", None
        return how, code, "", _read(result, most_result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _started(command: Sequence[str], variables: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
    program = shutil.which(command[0], path=variables.get("PATH"))
    if program is None:
        raise FileNotFoundError(errno.ENOENT, "there is no such command")
    # What is named by a path is not in the folder that it runs in.
    words = [os.path.abspath(program), *command[1:]]
    # Without its worker nobody would wait for it, and another may be at the same build by then.
    setpriv = shutil.which("setpriv")
    if setpriv and os.path.basename(os.path.realpath(setpriv)) != "busybox":  # whose setpriv cannot do this
        words = [setpriv, "--pdeathsig", "KILL", "--", *words]
    return subprocess.Popen(  # noqa: S603 - to run what it is told is what a worker is for
        words,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


class _Watch:
    """One command, from its start to its end."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        timeout_seconds: float,
        kill_after_seconds: float,
        is_stopped: Callable[[], bool],
    ) -> None:
        self._process = process
        self._deadline = time.monotonic() + timeout_seconds
        self._kill_after = kill_after_seconds
        self._is_stopped = is_stopped
        self._told_at: float | None = None
        self._how = "EXITED"

    def follow(self, on_output: Callable[[bytes], None]) -> str:
        """Hand on what it prints until it has ended, and return how. Nothing of it is left, also when `on_output` raises."""
        try:
            self._hand_on(on_output)
            self._wait()
        finally:
            # Whatever it has started and left behind.
            self._send(signal.SIGKILL)
            self._process.wait()
        return self._how

    def _hand_on(self, on_output: Callable[[bytes], None]) -> None:
        output = cast(io.BufferedReader, self._process.stdout)
        last: float | None = None
        with output, selectors.DefaultSelector() as selector:
            os.set_blocking(output.fileno(), False)
            selector.register(output, selectors.EVENT_READ)
            while True:
                if selector.select(_LOOK_EVERY):
                    chunk = output.read1(_CHUNK)
                    if not chunk:
                        return
                    on_output(chunk)
                self._look()
                if self._process.poll() is not None:
                    last = last or time.monotonic() + _LAST_OUTPUT
                    if time.monotonic() > last:
                        break
            # What it has left behind might print for ever. But when handing on takes long, what is in the pipe is its own.
            self._send(signal.SIGKILL)
            left = _LARGEST_PIPE
            while left > 0 and selector.select(0) and (chunk := output.read1(_CHUNK)):
                on_output(chunk)
                left -= len(chunk)

    def _wait(self) -> None:
        """Wait for one that has closed its output and still runs."""
        while self._process.poll() is None:
            self._look()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_LOOK_EVERY)

    def _look(self) -> None:
        now = time.monotonic()
        if self._told_at is not None:
            if now > self._told_at + self._kill_after:
                self._send(signal.SIGKILL)
            return
        if self._process.poll() is None and (self._is_stopped() or now > self._deadline):
            self._how = "STOPPED" if self._is_stopped() else "TIMED_OUT"
            self._told_at = now
            self._send(signal.SIGTERM)

    def _send(self, what: signal.Signals) -> None:
        # The latter when it has become somebody else's, as by sudo.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, what)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _read(result: Path, most: int) -> bytes | None:
    try:
        # Not to wait for whoever writes into it, should it be a pipe.
        with open(os.open(result, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            return file.read(most + 1)
    except OSError:
        return None
