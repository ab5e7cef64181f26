"""What tests on Dask clusters share: schedulers and machines, commands that are run there, and what is left of them."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from distributed import LocalCluster

from buildatlas.worker.cluster import ClusterExecutor
from buildatlas.worker.execution import Order, Outcome

# A scheduler answers by HTTP too, always, and by default at a port that another may have.
ANY_PORT: Final = "127.0.0.1:0"

# On neither does Buildatlas have to be installed.
_WITHOUT: Final = (
    "import sys; sys.modules['buildatlas'] = None; from distributed.cli.dask_{0} import main; main()"
)


@dataclass(frozen=True)
class Scheduler:
    """A scheduler in a process of its own."""

    address: str
    process: subprocess.Popen[str]


@contextmanager
def scheduler(**environment: str) -> Iterator[Scheduler]:
    """Run the scheduler of a cluster without machines."""
    options = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", ANY_PORT]
    command = [sys.executable, "-c", _WITHOUT.format("scheduler"), *options]
    variables = {**os.environ, **environment}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "Scheduler at:" in line)
        drain = threading.Thread(target=process.stderr.read)
        drain.start()
        try:
            yield Scheduler(line.split("Scheduler at:")[1].strip(), process)
        finally:
            process.kill()
            drain.join()


@contextmanager
def machine(address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have a machine join the cluster of the scheduler at this address."""
    options = [address, "--no-nanny", "--no-dashboard", "--nthreads", "1"]
    command = [sys.executable, "-c", _WITHOUT.format("worker"), *options]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@dataclass
class Runner:
    """Runs one command, and keeps what it prints."""

    executor: ClusterExecutor
    timeout: float = 60
    kill_after: float = 60
    stop_at: bytes | None = None
    """It is told to stop once it has printed this."""
    environment: Mapping[str, str] = field(default_factory=dict)
    output: bytes = b""
    stop: threading.Event = field(default_factory=threading.Event)
    on_output: Callable[[bytes], None] = lambda _chunk: None

    def shell(self, script: str) -> Outcome:
        order = Order(["sh", "-c", script], self.environment, self.timeout, self.kill_after)
        return self.executor.run(order, on_output=self._take, stop=self.stop)

    def _take(self, chunk: bytes) -> None:
        self.output += chunk
        if self.stop_at is not None and self.stop_at in self.output:
            self.stop.set()
        self.on_output(chunk)


def left_in(cluster: LocalCluster) -> list[object]:
    """Return the queues and events that the scheduler still has."""
    assert cluster.scheduler is not None
    extensions = cluster.scheduler.extensions
    return [*extensions["queues"].queues, *extensions["events"]._events]
