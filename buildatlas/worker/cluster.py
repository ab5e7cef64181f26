"""Running commands on the machines of a Dask cluster, which one worker feeds.

How it works: each command is a task of the cluster. What it prints comes back through a queue of the scheduler, which holds
little, so that a command waits for whoever reads it; an event tells it to stop. Dask has the state of tasks in memory only
and tries one again by itself when it loses the machine. The lease decides who tries what, so another event tells the second
that there was a first.
"""

import functools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import cloudpickle
from distributed import Client, Event, Future, Queue

from buildatlas.client import Unreachable
from buildatlas.worker import commands, remote
from buildatlas.worker.execution import MOST_RESULT, RESULT_VARIABLE, Ending, Order, Outcome

# Between two looks for output, in seconds. To wait for it with a time limit fills the scheduler's log with errors.
_LOOK_EVERY: Final = 0.2

# What a task may take to notice that it is to stop and to say so, in seconds, besides the time its command is given to end.
_LAST_WORDS: Final = 10.0


class ClusterExecutor:
    """Has commands run by a cluster."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def run(self, order: Order, *, on_output: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        """Run a command, as `Executor` says."""
        name = f"buildatlas-{uuid.uuid4()}"
        output = Queue(name, client=self._client)
        task = _Task(self._submit(order, name), output, self._client, order.kill_after_seconds)
        try:
            task.follow(on_output, stop)
            return task.outcome()
        finally:
            task.forget()

    def _submit(self, order: Order, name: str) -> "Future[Any]":
        return self._client.submit(
            ByValue(remote.run),
            list(order.command),
            dict(order.environment),
            timeout_seconds=order.timeout_seconds,
            kill_after_seconds=order.kill_after_seconds,
            result_variable=RESULT_VARIABLE,
            most_result=MOST_RESULT,
            name=name,
            key=name,
            pure=False,
            retries=0,
        )


class ByValue(functools.partial[Any]):
    """A function that is sent with all it needs of our modules. Dask by itself would have it imported there."""

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        for module in (commands, remote):
            cloudpickle.register_pickle_by_value(module)
        return cloudpickle.loads, (cloudpickle.dumps(self.func),)


class _Task:
    """One command in the cluster."""

    def __init__(
        self, future: "Future[Any]", output: Queue, client: Client, kill_after_seconds: float
    ) -> None:
        self._future = future
        self._output = output
        self._begun = Event(remote.begun(output.name), client=client)
        self._told = Event(output.name, client=client)
        self._patience = kill_after_seconds + _LAST_WORDS
        self._due: float | None = None

    def follow(self, on_output: Callable[[bytes], None], stop: threading.Event) -> None:
        """Hand on what it prints until it has ended."""
        while True:
            has_ended = self._future.done()
            if stop.is_set():
                self._stop()
            pieces = self._output.get(batch=True)
            for piece in pieces:
                on_output(piece)
            if has_ended:
                return
            if not pieces:
                time.sleep(_LOOK_EVERY)

    def outcome(self) -> Outcome:
        """Return how it has ended."""
        if self._future.status == "finished":
            how, code, detail, result = self._future.result()
            return Outcome(Ending[how], code, detail, result)
        if self._due is not None:
            return Outcome(Ending.STOPPED)
        return Outcome(
            Ending.LOST, detail=f"the cluster has lost it: {self._future.exception() or self._future.status}"
        )

    def forget(self) -> None:
        """Leave nothing of it in the cluster, also when it is still there."""
        if not self._future.done():
            self._future.cancel()
        self._output.close()
        for each in (self._begun, self._told):
            each.clear()

    def _stop(self) -> None:
        """Tell it to stop, and do without an answer when none can be expected: it waits for a machine, or has lost its own."""
        if self._due is None:
            self._told.set()
            self._due = time.monotonic() + (self._patience if self._begun.is_set() else 0)
        if time.monotonic() >= self._due:
            self._future.cancel()


@contextmanager
def connected(scheduler: str) -> Iterator[ClusterExecutor]:
    """Give an executor that has commands run by the cluster of the scheduler at this address. Raises Unreachable."""
    try:
        client = Client(scheduler)
    except (OSError, ValueError) as error:
        raise Unreachable(scheduler, f"no scheduler of a Dask cluster ({error})") from error
    with client:
        yield ClusterExecutor(client)
