"""One command on a machine of a Dask cluster. Sent there by value, with `commands`: the cluster need not have Buildatlas."""

import time
from collections.abc import Mapping, Sequence

from distributed import Event, Queue

from buildatlas.worker import commands

# Between two questions to the scheduler whether to stop, in seconds.
_ASK_EVERY = 1.0


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
    """Run a command as `commands.run` does; its output goes into the queue `name`, and the event `name` stops it."""
    output, stop = Queue(name), Event(name)
    asked_at = 0.0
    is_stopped = False

    def look() -> bool:
        nonlocal asked_at, is_stopped
        if not is_stopped and time.monotonic() > asked_at + _ASK_EVERY:
            asked_at, is_stopped = time.monotonic(), bool(stop.is_set())
        return is_stopped

    return commands.run(
        command,
        environment,
        timeout_seconds=timeout_seconds,
        kill_after_seconds=kill_after_seconds,
        result_variable=result_variable,
        most_result=most_result,
        on_output=output.put,
        is_stopped=look,
    )
