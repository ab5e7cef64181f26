"""While a build is worked on, the server hears so, and the worker hears when it is to end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from buildatlas.client import Refused
from buildatlas.worker import heartbeats as module
from buildatlas.worker.api import Api
from buildatlas.worker.execution import Ending, Order, Outcome
from buildatlas.worker.heartbeats import Heartbeats
from buildatlas.worker.jobs import Job, Terms
from tests.api.processes import wait_until
from tests.buildatlas.worker.fakes import (
    AWAY,
    LEASE_LOST,
    Clock,
    FakeExecutor,
    FakeServer,
    Input,
    OnOutput,
    held,
    no_pause,
    raises,
    until_stopped,
)

TERMS = Terms(["make"], "http://localhost:8000", 3, 10.0)
BUSY = Refused("the database is busy", "UNAVAILABLE")
FAULT = Refused("a fault", "INTERNAL")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def job_of(server: FakeServer, clock: Clock, package: str = "app") -> Job:
    return Job(Api(server, pause=no_pause), held(package), TERMS, clock)


def is_told_to_stop(job: Job) -> bool:
    return job._stop.is_set()


def test_a_heartbeat_keeps_a_build(clock: Clock) -> None:
    server = FakeServer()
    job = job_of(server, clock)
    clock.now += 2

    assert Heartbeats(Api(server), 3).tell(job)

    clock.now += 2
    assert job.is_kept
    assert server.told("Heartbeat") == [{"build": "app", "lease": "7", "leaseSeconds": 3}]
    assert not is_told_to_stop(job)


def test_a_build_that_is_called_off_is_stopped(clock: Clock) -> None:
    server = FakeServer(canceled={"app"})
    job = job_of(server, clock)

    assert Heartbeats(Api(server), 3).tell(job)

    assert (is_told_to_stop(job), job.is_kept) == (True, True)


@pytest.mark.parametrize("code", ["LEASE_LOST", "NOT_FOUND"])
def test_a_build_that_is_lost_is_stopped(clock: Clock, code: str) -> None:
    troubles: list[Exception] = []
    server = FakeServer(before=raises(Refused("no", code), "Heartbeat"))
    job = job_of(server, clock)

    assert Heartbeats(Api(server), 3, on_trouble=troubles.append).tell(job)

    assert (is_told_to_stop(job), job.is_kept, troubles) == (True, False, [])


@pytest.mark.parametrize(("error", "is_heard"), [(AWAY, False), (BUSY, False), (FAULT, True)])
def test_a_heartbeat_without_an_answer_keeps_nothing(clock: Clock, error: Exception, is_heard: bool) -> None:
    troubles: list[Exception] = []
    job = job_of(FakeServer(before=raises(error, "Heartbeat")), clock)
    clock.now += 2.9

    assert Heartbeats(job.api, 3, on_trouble=troubles.append).tell(job) is is_heard

    assert kept_after(clock, job, 0, 0.2) == [True, False]
    assert troubles == [error]


def kept_after(clock: Clock, job: Job, *seconds: float) -> list[bool]:
    """Return whether a job is kept after each of these times."""
    kept = []
    for each in seconds:
        clock.now += each
        kept.append(job.is_kept)
    return kept


def test_a_lease_counts_from_when_the_server_was_asked(clock: Clock) -> None:
    def take_long(_operation: str, _given: Input) -> None:
        clock.now += 2

    job = job_of(FakeServer(before=take_long), clock)

    assert Heartbeats(job.api, 3).tell(job)

    assert kept_after(clock, job, 0.9, 0.2) == [True, False]


def test_trouble_needs_nobody_who_hears_of_it(clock: Clock) -> None:
    server = FakeServer(before=raises(AWAY, "Heartbeat"))

    assert not Heartbeats(Api(server), 3).tell(job_of(server, clock))


@contextmanager
def beating(server: FakeServer, *jobs: Job) -> Iterator[Heartbeats]:
    heartbeats = Heartbeats(Api(server), 3)
    for job in jobs:
        heartbeats.add(job)
    with heartbeats.beating():
        yield heartbeats


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the heart beat at once instead of once a second."""
    monkeypatch.setattr(module, "_SHARE", 300)
    monkeypatch.setattr(module, "_SOON", 0.01)
    monkeypatch.setattr(module, "_LOOK_EVERY", 0.01)


@pytest.mark.usefixtures("quickly")
def test_the_server_hears_of_each_build_again_and_again(clock: Clock) -> None:
    server = FakeServer()

    with beating(server, job_of(server, clock, "a"), job_of(server, clock, "b")):
        server.wait_until(lambda: len(server.told("Heartbeat", "a")) > 3)
        server.wait_until(lambda: len(server.told("Heartbeat", "b")) > 3)

    before = len(server.calls)
    assert len(server.calls) == before


@pytest.mark.usefixtures("quickly")
def test_the_server_hears_no_more_of_a_build_that_has_ended(clock: Clock) -> None:
    server = FakeServer()
    ended = job_of(server, clock, "a")

    with beating(server, ended, job_of(server, clock, "b")) as heartbeats:
        server.wait_until(lambda: bool(server.told("Heartbeat", "a")))
        heartbeats.remove(ended)
        # One round may be under way.
        more = len(server.told("Heartbeat", "b")) + 2
        server.wait_until(lambda: len(server.told("Heartbeat", "b")) >= more)
        before = len(server.told("Heartbeat", "a"))
        server.wait_until(lambda: len(server.told("Heartbeat", "b")) >= more + 3)

    assert len(server.told("Heartbeat", "a")) == before
    heartbeats.remove(ended)


def test_the_server_hears_soon_again_when_it_did_not_answer(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SOON", 0.01)
    server = FakeServer(before=raises(AWAY, "Heartbeat", times=20))

    with beating(server, job_of(server, clock)):
        # By a second each it would take longer than this waits.
        server.wait_until(lambda: len(server.told("Heartbeat")) > 20)


@pytest.mark.usefixtures("quickly")
def test_a_server_that_hangs_does_not_hide_that_builds_are_lost(clock: Clock) -> None:
    is_over = threading.Event()

    def hang(_operation: str, _given: Input) -> None:
        clock.now += 5
        assert is_over.wait(20)
        raise AWAY

    server = FakeServer(before=hang)
    jobs = [job_of(server, clock, name) for name in "abc"]

    with beating(server, *jobs):
        wait_until(lambda: all(map(is_told_to_stop, jobs)))
        is_over.set()

    assert not any(job.is_kept for job in jobs)


@pytest.mark.usefixtures("quickly")
def test_the_heart_beats_while_a_report_waits_for_its_answer(clock: Clock) -> None:
    is_over = threading.Event()

    def before(operation: str, given: Input) -> None:
        if given.get("conclusion"):
            assert is_over.wait(20)

    server = FakeServer(before=before)
    job = job_of(server, clock)
    thread = threading.Thread(target=job.run, args=[FakeExecutor()])

    with beating(server, job):
        thread.start()
        server.wait_until(lambda: bool(server.ends()))
        more = len(server.told("Heartbeat")) + 3
        server.wait_until(lambda: len(server.told("Heartbeat")) >= more)
        is_over.set()
        thread.join()

    assert job.conclusion == "SUCCESS"


@pytest.mark.usefixtures("quickly")
def test_a_command_is_stopped_once_its_lease_is_lost(clock: Clock) -> None:
    server = FakeServer()
    job = job_of(server, clock)

    def command(order: Order, on_output: OnOutput, stop: threading.Event) -> Outcome:
        server.before = raises(LEASE_LOST, "Heartbeat")
        return until_stopped(order, on_output, stop)

    with beating(server, job):
        job.run(FakeExecutor(command))

    assert job.conclusion is None
    assert Ending.STOPPED.name not in str(server.told("Report"))
