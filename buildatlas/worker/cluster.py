"""Running commands on the machines of a Dask cluster, which one worker feeds.

How it works: each command is a task of the cluster. What it prints comes back through a queue of the scheduler, which holds
little, so that a command waits for whoever reads it; an event tells it to stop. Dask has the state of tasks in memory only
and would try a lost one again by itself: it is told not to, since the lease decides who tries what.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import cloudpickle
from distributed import Client, Event, Future, Queue

from buildatlas.worker import commands, remote
from buildatlas.worker.execution import MOST_RESULT, RESULT_VARIABLE, Ending, Order, Outcome

# Pieces of output that may be on their way.
_MOST_PIECES: Final = 16

# How long to wait for output before looking whether the task goes on.
_LOOK_EVERY: Final = "200ms"


class ClusterExecutor:
    """Has commands run by a cluster."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def run(self, order: Order, *, on_output: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        """Run a command, as `Executor` says."""
        name = f"buildatlas-{uuid.uuid4()}"
        output = Queue(name, client=self._client, maxsize=_MOST_PIECES)
        told = Event(name, client=self._client)
        task = self._client.submit(
            remote.run,
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
        try:
            _follow(task, output, told, on_output, stop)
            return _outcome(task)
        finally:
            output.close()


@contextmanager
def connected(scheduler: str) -> Iterator[ClusterExecutor]:
    """Give an executor that has commands run by the cluster of the scheduler at this address."""
    for module in (commands, remote):
        cloudpickle.register_pickle_by_value(module)
    with Client(scheduler) as client:
        yield ClusterExecutor(client)


def _follow(
    task: "Future[Any]",
    output: Queue,
    told: Event,
    on_output: Callable[[bytes], None],
    stop: threading.Event,
) -> None:
    """Hand on what a task prints until it has ended."""
    is_told = False
    while True:
        has_ended = task.done()
        if stop.is_set() and not is_told:
            told.set()
            is_told = True
        try:
            on_output(output.get(timeout=_LOOK_EVERY))
        except TimeoutError:
            if has_ended:
                return


def _outcome(task: "Future[Any]") -> Outcome:
    if task.status != "finished":
        return Outcome(Ending.LOST, detail=f"the cluster has lost it: {task.exception() or task.status}")
    how, code, detail, result = task.result()
    return Outcome(Ending[how], code, detail, result)
