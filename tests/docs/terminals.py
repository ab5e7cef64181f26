"""A reader's terminals: one to type in, and more in which programs go on."""

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

_COMMAND_SECONDS: Final = 120
_SHOW_SECONDS: Final = 60
_END_SECONDS: Final = 30
_DONE: Final = "\x1edone"
# What a command finds is what the one before has left: its exit code, folder, variables.
_LOOP: Final = f"""
(exit $status); . "$script" </dev/null; status=$?
{{ export -p; printf 'cd %q\\n' "$PWD"; }} >"$exports"
printf '\\n{_DONE} %s\\n' "$status"
"""


class Terminal:
    """Shells print both their outputs to one screen."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # Ctrl-C is for all that a terminal runs.
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def next_line(self, deadline: float) -> str | None:
        """Return the next line; None when there is none in time, or ever."""
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if line is None:
            self._lines.put(None)
        return line

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self._signal(signal.SIGINT)
        return self.process.wait(_END_SECONDS)

    def close(self) -> None:
        """End whatever runs in it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.process.wait()
        self._signal(signal.SIGKILL)
        self._listener.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def _signal(self, how: signal.Signals) -> None:
        # The group outlives its first process when that has left others behind.
        try:
            os.killpg(self.process.pid, how)
        except ProcessLookupError:
            return


class Shell(Terminal):
    """The terminal in which commands are typed, one after the other."""

    def __init__(self, folder: Path, notes: Path, environment: Mapping[str, str]) -> None:
        super().__init__(["bash", "--norc", "--noprofile"], folder, environment)
        self._script = notes / "typed"
        self.exports = notes / "exports"
        self.type(f"status=0 script='{self._script}' exports='{self.exports}'\n")
        self.run("true")

    def run(self, text: str) -> tuple[str, int]:
        """Return what a command has printed, and its exit code."""
        self._script.write_text(f"{text}\n")
        self.type(_LOOP)
        printed = ""
        deadline = time.monotonic() + _COMMAND_SECONDS
        while (line := self.next_line(deadline)) is not None:
            if line.startswith(_DONE):
                return printed.removesuffix("\n"), int(line.split()[1])
            printed += line
        raise AssertionError(f"{text} does not end:\n{printed}")


class Screen(Terminal):
    """A terminal in which one program goes on."""

    def __init__(self, text: str, shell: Shell, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__(["bash", "-c", f". '{shell.exports}'\n{text}"], folder, environment)
        self._printed = ""

    def shows(self, is_enough: Callable[[str], bool]) -> tuple[bool, str]:
        """Wait for enough to be printed. Return whether it was, and what has been printed since this was last asked."""
        deadline = time.monotonic() + _SHOW_SECONDS
        while not is_enough(self._printed):
            line = self.next_line(deadline)
            if line is None:
                return False, self._printed
            self._printed += line
        printed, self._printed = self._printed, ""
        return True, printed
