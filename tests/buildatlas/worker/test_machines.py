"""What becomes of a command when its machine in a Dask cluster goes, or there is none."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import dask
import pytest

from buildatlas.client import Unreachable
from buildatlas.worker import cluster as module
from buildatlas.worker.api import Api
from buildatlas.worker.cluster import connected
from buildatlas.worker.execution import Ending, Outcome
from buildatlas.worker.jobs import Job, Terms
from tests.api.processes import is_running, wait_until
from tests.buildatlas.worker.clusters import Runner, machine, scheduler
from tests.buildatlas.worker.fakes import FakeServer, held


@pytest.fixture
def address() -> Iterator[str]:
    """Where the scheduler of a cluster without machines answers."""
    with scheduler() as running:
        yield running.address


@contextmanager
def running_without_its_machine(
    runner: Runner, process: subprocess.Popen[bytes]
) -> Iterator[Callable[[], Outcome]]:
    """Kill the machine of a command that runs. Gives what waits for the end."""
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(runner.shell, "echo $$; exec sleep 60")
        try:
            wait_until(lambda: b"\n" in runner.output)
            process.kill()
            process.wait()
            yield lambda: outcome.result(30)
        finally:
            runner.stop.set()


def test_a_command_is_lost_with_its_machine_and_not_begun_on_another(address: str) -> None:
    with connected(address) as executor, machine(address) as process:
        runner = Runner(executor)
        with running_without_its_machine(runner, process) as end, machine(address):
            outcome = end()

    assert outcome == Outcome(Ending.LOST, detail="its machine is gone")
    assert len(runner.output.split()) == 1
    wait_until(lambda: not is_running(int(runner.output)))


def test_a_command_that_the_cluster_gives_up_is_lost() -> None:
    with (
        scheduler(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as running,
        connected(running.address) as executor,
        machine(running.address) as process,
        running_without_its_machine(Runner(executor), process) as end,
    ):
        outcome = end()

    assert outcome.ending is Ending.LOST
    assert "workers died while running it" in outcome.detail


def test_a_command_whose_machine_is_gone_for_good_can_be_stopped(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LAST_WORDS", 0.1)
    with connected(address) as executor, machine(address) as process:
        runner = Runner(executor, kill_after=0.1)
        with running_without_its_machine(runner, process) as end:
            runner.stop.set()

            assert end() == Outcome(Ending.STOPPED)


def test_a_command_that_waits_for_a_machine_can_be_stopped(address: str) -> None:
    with connected(address) as executor:
        runner = Runner(executor)
        runner.stop.set()

        assert runner.shell("echo up") == Outcome(Ending.STOPPED)

    assert runner.output == b""


def test_neither_scheduler_nor_machine_needs_buildatlas(address: str) -> None:
    with connected(address) as executor, machine(address):
        runner = Runner(executor)

        assert runner.shell("echo there; exit 3") == Outcome(Ending.EXITED, 3)

    assert runner.output == b"there\n"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://here"])
def test_a_scheduler_that_does_not_answer_is_told(address: str) -> None:
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(Unreachable, match="no scheduler of a Dask cluster"),
        connected(address),
    ):
        pytest.fail("there is none")


def test_a_build_is_given_back_when_the_cluster_goes() -> None:
    server = FakeServer()
    job = Job(Api(server), held(), Terms(["sh", "-c", "echo up; exec sleep 60"], "", 60, 1.0))
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        scheduler() as running,
        connected(running.address) as executor,
        machine(running.address),
    ):
        thread = threading.Thread(target=job.run, args=[executor])
        thread.start()
        server.wait_until(lambda: bool(server.told("AppendLog")))

        running.process.kill()

        thread.join(60)
        assert not thread.is_alive()
    assert job.fault is not None
    assert server.ends() == {"app": "INFRA_ERROR"}
