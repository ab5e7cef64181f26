"""Commands run on a Dask cluster as they do on the worker's own machine."""

import functools
import threading
from collections.abc import Iterator

import pytest
from distributed import Client, Event, Future, LocalCluster, Queue

from buildatlas.worker import cluster as module
from buildatlas.worker import remote
from buildatlas.worker.cluster import ClusterExecutor, connected
from buildatlas.worker.execution import Ending, Order, Outcome
from tests.api.processes import is_running, wait_until
from tests.buildatlas.worker.clusters import ANY_PORT, Runner, left_in


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """A cluster of one machine within this process."""
    with LocalCluster(
        processes=False, dashboard_address=ANY_PORT, n_workers=1, threads_per_worker=2
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def by_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what runs in this process be what is tested, not a copy."""
    monkeypatch.setattr(module, "ByValue", functools.partial)


@pytest.fixture(scope="module")
def executor(cluster: LocalCluster) -> Iterator[ClusterExecutor]:
    with connected(cluster.scheduler_address) as connection:
        yield connection


@pytest.mark.parametrize("code", [0, 1, 77])
def test_a_command_ends_with_its_exit_code(executor: ClusterExecutor, code: int) -> None:
    assert Runner(executor).shell(f"exit {code}") == Outcome(Ending.EXITED, code)


def test_all_that_is_printed_comes_in_order(executor: ClusterExecutor) -> None:
    runner = Runner(executor)

    runner.shell("seq 1 300000; echo end >&2")

    assert runner.output == b"".join(b"%d\n" % number for number in range(1, 300_001)) + b"end\n"


def test_a_command_has_its_environment_and_its_result_file(executor: ClusterExecutor) -> None:
    runner = Runner(executor, environment={"BUILDATLAS_PACKAGE": "app"})

    outcome = runner.shell("printf $BUILDATLAS_PACKAGE > $BUILDATLAS_RESULT")

    assert outcome == Outcome(Ending.EXITED, 0, result=b"app")


def test_a_command_that_dies_or_cannot_start_is_told_as_such(executor: ClusterExecutor) -> None:
    died = Runner(executor).shell("kill -SEGV $$")
    absent = executor.run(Order(["no-such-command"], {}, 60, 60), on_output=print, stop=threading.Event())

    assert died == Outcome(Ending.DIED, -11, "killed by SIGSEGV")
    assert absent == Outcome(Ending.NOT_STARTED, detail="no-such-command: there is no such command")


def test_a_command_that_takes_too_long_is_stopped(executor: ClusterExecutor) -> None:
    assert Runner(executor, timeout=0.3).shell("exec sleep 60") == Outcome(Ending.TIMED_OUT, -15)


def test_a_command_that_is_told_to_stop_does(executor: ClusterExecutor, cluster: LocalCluster) -> None:
    runner = Runner(executor, stop_at=b"up")

    outcome = runner.shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.02; done")

    assert outcome == Outcome(Ending.STOPPED, 7)
    assert (runner.output[:3], runner.output[-5:]) == (b"up\n", b"\nbye\n")


def test_nothing_of_a_command_is_left_in_the_scheduler(
    executor: ClusterExecutor, cluster: LocalCluster
) -> None:
    Runner(executor, stop_at=b"up").shell("echo up; exec sleep 60")

    wait_until(lambda: left_in(cluster) == [])


def test_commands_run_at_the_same_time(executor: ClusterExecutor) -> None:
    both = threading.Barrier(2)
    runners = [Runner(executor, on_output=lambda _chunk: (both.wait(20), None)[1]) for _ in range(2)]

    threads = [threading.Thread(target=each.shell, args=["echo up; sleep 0.1"]) for each in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not both.broken
    assert [each.output for each in runners] == [b"up\n", b"up\n"]


def test_an_error_of_whoever_reads_its_output_ends_a_command(
    executor: ClusterExecutor, cluster: LocalCluster
) -> None:
    def fail(_chunk: bytes) -> None:
        raise ZeroDivisionError

    runner = Runner(executor, on_output=fail)

    with pytest.raises(ZeroDivisionError):
        runner.shell("echo $$; while :; do sleep 0.02; done")

    wait_until(lambda: not is_running(int(runner.output)))
    wait_until(lambda: left_in(cluster) == [])


def submit(client: Client, name: str, script: str) -> "Future[tuple[object, ...]]":
    return client.submit(
        remote.run,
        ["sh", "-c", script],
        {},
        timeout_seconds=60,
        kill_after_seconds=60,
        result_variable="RESULT",
        most_result=10,
        name=name,
        key=name,
    )


def test_a_command_waits_while_nobody_reads_and_can_be_stopped_even_then(cluster: LocalCluster) -> None:
    with Client(cluster.scheduler_address) as client:
        output = Queue("unread", client=client)
        task = submit(client, "unread", "yes")
        wait_until(lambda: output.qsize() >= 16)

        Event("unread", client=client).set()

        assert task.result(timeout=20)[:2] == ("STOPPED", -15)
        assert output.qsize() == 16
        output.close()


def test_a_command_that_was_begun_already_is_not_begun_again(cluster: LocalCluster) -> None:
    with Client(cluster.scheduler_address) as client:
        Event(remote.begun("again"), client=client).set()

        task = submit(client, "again", "exit 0")

        assert task.result(timeout=20) == ("LOST", None, "its machine is gone", None)
        Event(remote.begun("again"), client=client).clear()


def test_a_command_without_its_worker_ends(cluster: LocalCluster, capfd: pytest.CaptureFixture[str]) -> None:
    with Client(cluster.scheduler_address) as client:
        output = Queue("orphan", client=client)
        task = submit(client, "orphan", "echo $$; while :; do sleep 0.02; done")
        command = int(output.get())
        assert is_running(command)
        del task

    wait_until(lambda: not is_running(command))
