"""One command on a machine of a Dask cluster. Sent there by value, with `commands`: the cluster need not have Buildatlas."""

import time
from collections.abc import Mapping, Sequence

from distributed import Event, Queue, get_worker

from buildatlas.worker import commands

# Between two questions to the scheduler whether to stop, in seconds.
_ASK_EVERY = 1.0
# Pieces of output that may be on their way.
_MOST_PIECES = 16
# How long to wait for whoever reads them before looking again, in seconds.
_PAUSE = 0.1


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    timeout_seconds: float,
    kill_after_seconds: float,
    result_variable: str,
    most_result: int,
    name: str,
) -> commands.Ended:
    """Run a command as `commands.run` does, once: the task must have the key `name`.

    Its output goes into the queue `name`, and the event `name` stops it. It ends as LOST when it was begun before, on a machine
    that is gone.
    """
    first = Event(begun(name))
    if first.is_set():
        return "LOST", None, "its machine is gone", None
    first.set()
    task = _Task(name)
    try:
        return commands.run(
            command,
            environment,
            timeout_seconds=timeout_seconds,
            kill_after_seconds=kill_after_seconds,
            result_variable=result_variable,
            most_result=most_result,
            on_output=task.hand_in,
            is_stopped=task.is_stopped,
        )
    finally:
        task.output.close()


def begun(name: str) -> str:
    """Return the name of the event that tells whether a command was begun."""
    return f"{name}-begun"


class _Task:
    """What the scheduler knows of a command."""

    def __init__(self, name: str) -> None:
        self.output = Queue(name)
        self._name = name
        self._stop = Event(name)
        self._asked_at = 0.0
        self._is_stopped = False

    def is_stopped(self) -> bool:
        """Whether it is to stop. Asks now and then only."""
        if not self._is_stopped and time.monotonic() > self._asked_at + _ASK_EVERY:
            self._is_stopped = self._is_orphaned() or bool(self._stop.is_set())
            self._asked_at = time.monotonic()
        return self._is_stopped

    def hand_in(self, chunk: bytes) -> None:
        """Hand in some output. Waits while nobody reads, until it is to stop."""
        while self.output.qsize() >= _MOST_PIECES:
            if self.is_stopped():
                return
            time.sleep(_PAUSE)
        self.output.put(chunk)

    def _is_orphaned(self) -> bool:
        """Whether nobody waits for it any more. Dask lets a task of which that is so run on."""
        task = get_worker().state.tasks.get(self._name)
        return task is None or task.state == "cancelled"
