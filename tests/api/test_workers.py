"""Several processes at one address, and the one that watches over them."""

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname

import httpx
import pytest

from buildatlas.errors import CannotServe
from buildatlas.server import listen
from buildatlas.serving import Supervisor, _Worker
from buildatlas.settings import Settings
from tests.api.processes import ServerProcess, is_running, server_process, wait_until
from tests.api.serving import connected, publish


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with served(str(tmp_path / "atlas.db")) as running:
        yield running


@contextmanager
def served(database_url: str) -> Iterator[ServerProcess]:
    """Serve by two workers that both answer."""
    with server_process(database_url, "--workers", "2") as running:
        wait_until(lambda: len(running.workers()) == 2)
        yield running


def answers(server: ServerProcess) -> bool:
    return httpx.get(f"{server.address}/healthz").status_code == 200


def processes_that_answer(server: ServerProcess) -> set[int]:
    """Return which processes have logged that they answered something."""
    lines = [json.loads(line) for line in server.said if line.startswith("{")]
    return {line["process"] for line in lines if line["logger"] == "buildatlas.middleware"}


def test_several_workers_answer_at_one_address_which_is_announced_once(server: ServerProcess) -> None:
    workers = server.workers()

    def all_have_answered() -> bool:
        assert answers(server)
        return processes_that_answer(server) == workers

    wait_until(all_have_answered)
    assert len(server.announcements()) == 1


def test_a_worker_that_dies_is_replaced(server: ServerProcess) -> None:
    first, second = server.workers()

    os.kill(first, signal.SIGKILL)

    wait_until(lambda: len(server.workers() - {first}) == 2)
    assert second in server.workers()
    assert answers(server)
    assert any(f"worker {first} has ended with -9" in line for line in server.said)


def test_what_is_measured_of_a_worker_goes_on_under_its_name_once_it_is_replaced(database_url: str) -> None:
    quick = {"BUILDATLAS_RESOURCE_SECONDS": "1", "BUILDATLAS_METRIC_SECONDS": "1"}
    names = {f"{gethostname()}/{number}" for number in (1, 2)}
    with server_process(database_url, "--workers", "2", **quick) as server:
        wait_until(lambda: measured(server).keys() == names)
        victim = min(server.workers())
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(server.workers() - {victim}) == 2)
        before = measured(server)
        wait_until(lambda: all(measured(server)[name] > before[name] for name in names))

        assert measured(server).keys() == names


def measured(server: ServerProcess) -> dict[str, float]:
    """Return how often a worker has looked at itself, by its name."""
    query = """{ metrics(query: { name: "process.threads", aggregate: COUNT }) {
        labels { value } points { value } } }"""
    found = httpx.post(f"{server.address}/graphql", json={"query": query}, timeout=30).json()["data"][
        "metrics"
    ]
    return {
        series["labels"][0]["value"]: sum(point["value"] for point in series["points"]) for series in found
    }


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_all_workers_gracefully(server: ServerProcess, how: signal.Signals) -> None:
    workers = server.workers()
    with connected(server.address) as socket_:
        socket_.subscribe("subscription { events { __typename } }")

        assert server.stop(how) == 0

    assert not any(map(is_running, workers))
    assert not any("Traceback" in line for line in server.said)


def test_a_hangup_replaces_the_workers_without_a_request_lost(server: ServerProcess) -> None:
    before = server.workers()
    failures: list[Exception] = []
    done = threading.Event()

    def keep_asking() -> None:
        while not done.is_set():
            try:
                assert answers(server)
            except Exception as error:
                failures.append(error)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: not before & server.workers() and len(server.workers()) == 2)
    wait_until(lambda: not any(map(is_running, before)))
    done.set()
    asking.join()

    assert failures == []
    assert len(server.announcements()) == 1


def test_workers_do_not_outlive_the_one_that_watches_over_them(server: ServerProcess) -> None:
    workers = server.workers()

    server.stop(signal.SIGKILL)

    wait_until(lambda: not any(map(is_running, workers)))


def test_workers_see_what_each_other_writes(database_url: str) -> None:
    query = '{ package(name: "a") { latestVersion { version } } }'
    with served(database_url) as server:
        for number in range(20):
            after = {"Buildatlas-After": publish(server.address, "a", str(number))}
            answer = httpx.post(f"{server.address}/graphql", json={"query": query}, headers=after).json()
            assert answer["data"]["package"]["latestVersion"]["version"] == str(number)


def test_workers_that_cannot_start_at_all_end_the_server(tmp_path: Path) -> None:
    settings = Settings(str(tmp_path / "atlas.db"), port=0, workers=2)
    Path(settings.database_url).write_text("not a database" * 100)
    with listen(settings) as listener, pytest.raises(CannotServe, match="one has ended with 3"):
        # The supervisor by itself, without the look at the database that `serve` takes first.
        Supervisor(settings, listener, announce=lambda: None).run()


def test_a_worker_that_does_not_end_in_time_is_killed() -> None:
    told, tell = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(300,))
    process.start()
    worker = _Worker(process, told, deadline=time.monotonic() - 1)

    wait_until(worker.has_ended)

    assert process.exitcode == -signal.SIGKILL
    tell.close()
