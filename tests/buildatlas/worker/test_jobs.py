"""One build in the hands of a worker: what it tells the server of each way in which a command can end."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from buildatlas.client import Refused
from buildatlas.worker.api import Api
from buildatlas.worker.execution import MOST_RESULT, Ending, Order, Outcome
from buildatlas.worker.jobs import Job, Stop, Terms
from tests.buildatlas.worker.fakes import (
    AWAY,
    LEASE_LOST,
    Clock,
    FakeExecutor,
    FakeServer,
    Input,
    OnOutput,
    gives,
    held,
    no_pause,
    raises,
    statuses,
    until_stopped,
)

TERMS = Terms(["make"], "http://localhost:8000", 60, 10.0)
CALLED_OFF = Refused("build app 1.0 cannot go from CANCELING to RUNNING", "ILLEGAL_TRANSITION")
BAD = Refused("artifacts.0.uri: is too long", "BAD_USER_INPUT")


def job_of(server: FakeServer, clock: Callable[[], float] | None = None) -> Job:
    api = Api(server, pause=no_pause)
    return Job(api, held(), TERMS, clock) if clock else Job(api, held(), TERMS)


def run(server: FakeServer, executor: FakeExecutor) -> Job:
    job = job_of(server)
    job.run(executor)
    return job


def last_report(server: FakeServer) -> Input:
    """Return what was said at last, without whose build it is."""
    *_, last = server.told("Report")
    return {name: value for name, value in last.items() if name not in {"build", "lease", "status"}}


@pytest.mark.parametrize(
    ("outcome", "conclusion", "message"),
    [
        (Outcome(Ending.EXITED, 0), "SUCCESS", None),
        (Outcome(Ending.EXITED, 77), "SKIPPED", "exit code 77: the end"),
        (Outcome(Ending.EXITED, 75), "INFRA_ERROR", "exit code 75: the end"),
        (Outcome(Ending.EXITED, 1), "FAILURE", "exit code 1: the end"),
        (Outcome(Ending.EXITED, 255), "FAILURE", "exit code 255: the end"),
        (Outcome(Ending.DIED, -11, "killed by SIGSEGV"), "INFRA_ERROR", "killed by SIGSEGV"),
        (Outcome(Ending.TIMED_OUT, -15), "TIMED_OUT", "it took longer than 60 s"),
        (Outcome(Ending.STOPPED, -15), "INFRA_ERROR", "its worker was stopped"),
        (Outcome(Ending.NOT_STARTED, None, "make: no"), "INFRA_ERROR", "make: no"),
        (Outcome(Ending.LOST, None, "gone\0"), "INFRA_ERROR", "gone\ufffd"),
    ],
)
def test_how_a_command_ends_is_how_its_build_does(
    outcome: Outcome, conclusion: str, message: str | None
) -> None:
    server = FakeServer()

    job = run(server, gives(outcome, b"begin\nthe end\n\n"))

    assert job.conclusion == conclusion
    assert statuses(server.told("Report")) == [("RUNNING", None), ("COMPLETED", conclusion)]
    assert last_report(server).get("message") == message
    assert server.lines("app") == ["begin", "the end", ""]


def test_every_ending_is_told() -> None:
    for ending in Ending:
        assert run(FakeServer(), gives(Outcome(ending, 0))).conclusion


def test_a_command_that_fails_in_silence_has_its_exit_code_for_a_message() -> None:
    server = FakeServer()

    run(server, gives(Outcome(Ending.EXITED, 2)))

    assert last_report(server) == {"conclusion": "FAILURE", "message": "exit code 2"}
    assert server.told("AppendLog") == []


def test_a_quote_is_short_and_can_be_stored() -> None:
    server = FakeServer()

    run(server, gives(Outcome(Ending.EXITED, 2), b"a\0" + b"b" * 1_000))

    assert last_report(server)["message"] == "exit code 2: a\ufffd" + "b" * 498


def test_a_command_knows_its_build() -> None:
    executor = FakeExecutor()

    run(FakeServer(), executor)

    (order,) = executor.orders
    assert order == Order(
        ["make"],
        {
            "BUILDATLAS_URL": "http://localhost:8000",
            "BUILDATLAS_BUILD": "app",
            "BUILDATLAS_RUN": "r",
            "BUILDATLAS_PACKAGE": "app",
            "BUILDATLAS_VERSION": "1.0",
            "BUILDATLAS_ATTEMPT": "1",
            "BUILDATLAS_MAX_ATTEMPTS": "3",
            "BUILDATLAS_TRIGGER": "MANUAL",
            "BUILDATLAS_TIMEOUT_SECONDS": "60",
        },
        60,
        10.0,
    )


ARTIFACT = {"name": "app.tar", "uri": "s3://x/app.tar", "digest": "d", "sizeBytes": 7}


@pytest.mark.parametrize(
    ("code", "result", "content"),
    [
        (0, {}, {}),
        (0, {"outputDigest": "d", "message": "m"}, {"outputDigest": "d", "message": "m"}),
        (1, {"message": "the compiler is wrong"}, {"message": "the compiler is wrong"}),
        (1, {"message": ""}, {}),
        (0, {"artifacts": [ARTIFACT]}, {"artifacts": [ARTIFACT]}),
        (
            0,
            {"artifacts": [{"name": "n", "uri": "u"}]},
            {"artifacts": [{"name": "n", "uri": "u", "digest": None, "sizeBytes": None}]},
        ),
    ],
)
def test_what_a_command_says_in_its_result_file_is_told(
    code: int, result: object, content: dict[str, Any]
) -> None:
    server = FakeServer()

    run(server, gives(Outcome(Ending.EXITED, code, result=json.dumps(result).encode())))

    assert last_report(server) == {"conclusion": "FAILURE" if code else "SUCCESS", **content}


def test_an_empty_result_file_says_nothing() -> None:
    assert run(FakeServer(), gives(Outcome(Ending.EXITED, 0, result=b""))).conclusion == "SUCCESS"


@pytest.mark.parametrize(
    "result",
    [
        b"nonsense",
        b"[]",
        b'{"unknown": 1}',
        b'{"message": 1}',
        b'{"message": "\xff"}',
        b'{"message": "\\ud800"}',
        b'{"artifacts": {}}',
        b'{"artifacts": [{"name": "n"}]}',
        b'{"artifacts": [{"name": "n", "uri": "u", "sizeBytes": -1}]}',
        b'{"artifacts": [{"name": "n", "uri": "u", "sizeBytes": 1e999}]}',
        b'{"artifacts": ' + b"[" * 100_000,
        b" " * (MOST_RESULT + 1),
    ],
)
def test_a_result_file_that_is_not_as_it_should_be_fails_the_build(result: bytes) -> None:
    server = FakeServer()

    job = run(server, gives(Outcome(Ending.EXITED, 0, result=result)))

    assert job.conclusion == "FAILURE"
    assert last_report(server)["message"].startswith("its result file is not as it should be: ")


@pytest.mark.parametrize("code", ["BAD_USER_INPUT", "LIMIT_EXCEEDED"])
def test_a_result_that_the_server_refuses_fails_the_build(code: str) -> None:
    def before(_operation: str, given: Input) -> None:
        if given.get("conclusion") == "SUCCESS":
            raise Refused("artifacts.0.uri: is too long", code)

    server = FakeServer(before=before)

    assert run(server, gives(Outcome(Ending.EXITED, 0, result=b"{}"))).conclusion == "FAILURE"

    assert last_report(server)["message"] == (
        "the server refuses what its result file says: artifacts.0.uri: is too long"
    )


@pytest.mark.parametrize("error", [BAD, LEASE_LOST, Refused("a fault", "INTERNAL")])
def test_a_build_whose_end_is_refused_whatever_is_said_is_let_go(error: Refused) -> None:
    def before(_operation: str, given: Input) -> None:
        if given.get("conclusion"):
            raise error

    server = FakeServer(before=before)

    job = run(server, gives(Outcome(Ending.EXITED, 0)))

    assert (job.conclusion, job.is_kept) == (None, False)


@pytest.mark.parametrize("code", ["LEASE_LOST", "NOT_FOUND", "INTERNAL"])
def test_a_build_that_cannot_begin_is_let_go(code: str) -> None:
    server = FakeServer(before=raises(Refused("no", code), "Report"))
    executor = FakeExecutor()

    job = run(server, executor)

    assert (job.conclusion, job.is_kept, executor.orders) == (None, False, [])


def test_a_build_that_was_called_off_before_it_begins_is_canceled() -> None:
    server = FakeServer(before=raises(CALLED_OFF, "Report", times=1))
    executor = FakeExecutor()

    job = run(server, executor)

    assert (job.conclusion, executor.orders) == ("CANCELED", [])
    assert last_report(server) == {"conclusion": "CANCELED"}


def test_reports_are_repeated_while_the_server_is_away() -> None:
    server = FakeServer(before=raises(AWAY, "Report", "AppendLog", times=5))

    job = run(server, gives(Outcome(Ending.EXITED, 0), b"one\ntwo\n"))

    assert job.conclusion == "SUCCESS"
    assert server.lines("app") == ["one", "two"]


def test_a_canceled_build_is_stopped_and_told_so() -> None:
    server = FakeServer()
    job = job_of(server)

    def command(order: Order, on_output: OnOutput, stop: threading.Event) -> Outcome:
        job.stop(Stop.CANCELED)
        return until_stopped(order, on_output, stop)

    job.run(FakeExecutor(command))

    assert job.conclusion == "CANCELED"
    assert last_report(server) == {"conclusion": "CANCELED"}


def test_a_build_that_ends_although_it_is_called_off_has_ended() -> None:
    server = FakeServer()
    job = job_of(server)
    job.stop(Stop.CANCELED)

    job.run(gives(Outcome(Ending.EXITED, 0)))

    assert job.conclusion == "SUCCESS"


def test_what_a_leaving_worker_holds_is_given_back() -> None:
    server = FakeServer()
    job = job_of(server)
    job.stop(Stop.LEAVING)
    job.stop(Stop.CANCELED)

    job.run(FakeExecutor(until_stopped))

    assert last_report(server) == {"conclusion": "INFRA_ERROR", "message": "its worker was stopped"}


@pytest.mark.parametrize("code", ["LEASE_LOST", "NOT_FOUND"])
def test_a_lease_that_is_lost_while_a_command_runs_stops_it(code: str) -> None:
    server = FakeServer(before=raises(Refused("lost", code), "AppendLog"))

    def command(order: Order, on_output: OnOutput, stop: threading.Event) -> Outcome:
        on_output(b"line\n" * 1_000)
        return until_stopped(order, on_output, stop)

    job = run(server, FakeExecutor(command))

    assert (job.conclusion, job.is_kept) == (None, False)
    assert statuses(server.told("Report")) == [("RUNNING", None)]


def test_a_log_that_is_refused_does_not_stop_a_build() -> None:
    server = FakeServer(before=raises(BAD, "AppendLog"))

    job = run(server, gives(Outcome(Ending.EXITED, 0), b"x\n" * 1_000, b"x\n" * 1_000))

    assert job.conclusion == "SUCCESS"
    assert len(server.told("AppendLog")) == 1


def test_a_build_is_let_go_when_its_lease_has_run_out_without_contact() -> None:
    clock = Clock()

    def before(operation: str, given: Input) -> None:
        if operation == "AppendLog" or given.get("conclusion"):
            clock.now += 7
            raise AWAY

    server = FakeServer(before=before)
    job = job_of(server, clock)

    job.run(gives(Outcome(Ending.EXITED, 0), b"one\n"))

    assert (job.conclusion, job.is_kept) == (None, False)
    assert job.seconds == clock.now - 1_000


def test_contact_keeps_a_build() -> None:
    clock = Clock()
    job = job_of(FakeServer(), clock)
    assert job.is_kept

    clock.now += 59
    job.keep(clock.now - 1)
    clock.now += 58

    assert job.is_kept
    clock.now += 1
    assert not job.is_kept


def test_what_is_lost_stays_lost() -> None:
    job = job_of(FakeServer())
    job.stop(Stop.LOST)
    job.stop(Stop.LEAVING)
    job.keep(job.clock())

    assert not job.is_kept


def test_a_leaving_worker_does_not_wait_a_whole_lease_for_a_server_that_is_away() -> None:
    clock = Clock()

    def before(_operation: str, given: Input) -> None:
        if given.get("conclusion"):
            clock.now += 1
            raise AWAY

    server = FakeServer(before=before)
    job = job_of(server, clock)

    def command(order: Order, on_output: OnOutput, stop: threading.Event) -> Outcome:
        job.stop(Stop.LEAVING)
        clock.now += 5
        job.stop(Stop.LEAVING)
        return until_stopped(order, on_output, stop)

    job.run(FakeExecutor(command))

    # Ten seconds for the command to end, ten for the server to answer; said again, it does not begin anew.
    assert (job.conclusion, clock.now) == (None, 1_020)
    assert clock.now < 1_060


def test_a_lost_build_is_not_held_up_by_a_log_that_nobody_takes() -> None:
    is_over = threading.Event()

    def before(operation: str, _given: Input) -> None:
        if operation == "AppendLog":
            assert is_over.wait(20)
            raise LEASE_LOST

    server = FakeServer(before=before)
    job = job_of(server)

    def command(order: Order, on_output: OnOutput, stop: threading.Event) -> Outcome:
        on_output(b"x" * 300_000 + b"\n")
        threading.Timer(0.1, job.stop, [Stop.LOST]).start()
        on_output(b"this waits\n")
        return until_stopped(order, on_output, stop)

    job.run(FakeExecutor(command))
    is_over.set()

    assert job.conclusion is None


def test_what_asks_to_be_tried_again_is_whatever_its_result_file_says() -> None:
    server = FakeServer()

    assert run(server, gives(Outcome(Ending.EXITED, 75, result=b"{"))).conclusion == "INFRA_ERROR"
    assert "result file" in last_report(server)["message"]


def test_a_command_that_cannot_be_started_is_not_the_fault_of_its_build() -> None:
    job = run(FakeServer(), gives(Outcome(Ending.NOT_STARTED, None, "make: there is no such command")))

    assert (job.conclusion, job.fault) == ("INFRA_ERROR", "make: there is no such command")


def test_an_executor_that_fails_gives_the_build_back() -> None:
    def fail(_order: Order, on_output: OnOutput, _stop: threading.Event) -> Outcome:
        on_output(b"begun\n")
        raise OSError(28, "No space left on device")

    server = FakeServer()

    job = run(server, FakeExecutor(fail))

    assert job.conclusion == "INFRA_ERROR"
    assert "No space left on device" in last_report(server)["message"]
    assert job.fault == last_report(server)["message"]
    assert server.lines("app") == ["begun"]
