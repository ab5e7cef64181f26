"""The agent keeps its slots filled, and lets go of what it holds in good order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from buildatlas.client import Refused
from buildatlas.errors import CannotBuild
from buildatlas.worker.agent import Agent, Habits
from buildatlas.worker.api import Api
from buildatlas.worker.execution import Ending, Executor, Order, Outcome
from buildatlas.worker.jobs import Job, Terms
from tests.api.processes import wait_until
from tests.buildatlas.worker.fakes import (
    AWAY,
    FakeExecutor,
    FakeServer,
    Input,
    OnOutput,
    no_pause,
    raises,
    until_stopped,
)

TERMS = Terms(["make"], "http://localhost:8000", 60, 10.0)
HABITS = Habits("w", 2, [{"key": "arch", "value": "arm64"}], poll_seconds=0.05, grace_seconds=60)
UNTIL_IDLE = replace(HABITS, until_idle=True)


@dataclass
class Work:
    """Commands that run until they are let go."""

    going: set[str] = field(default_factory=set)
    most: int = 0
    gates: dict[str, threading.Event] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def run(self, order: Order, *, on_output: OnOutput, stop: threading.Event) -> Outcome:
        package = order.environment["BUILDATLAS_PACKAGE"]
        with self.changed:
            self.going.add(package)
            self.most = max(self.most, len(self.going))
            self.changed.notify_all()
            while package in self.going and not stop.is_set():
                self.changed.wait(0.02)
            ended = Outcome(Ending.STOPPED if package in self.going else Ending.EXITED, 0)
            self.going.discard(package)
        return ended

    def end(self, *packages: str) -> None:
        with self.changed:
            self.going -= set(packages)
            self.changed.notify_all()

    def wait_for(self, *packages: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.going == set(packages), 20), self.going


class Stopping:
    """Commands that run until they are told to stop, of which they are told to be soon."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()

    def run(self, order: Order, *, on_output: OnOutput, stop: threading.Event) -> Outcome:
        self.has_begun.set()
        return until_stopped(order, on_output, stop)


@dataclass
class Crew:
    """An agent that works in a thread of its own."""

    agent: Agent
    thread: threading.Thread
    ended: list[Job]
    troubles: list[Exception]

    def wait(self) -> None:
        self.thread.join(20)
        assert not self.thread.is_alive(), "it does not end"


def agent_of(
    server: FakeServer, executor: Executor, habits: Habits
) -> tuple[Agent, list[Job], list[Exception]]:
    ended: list[Job] = []
    troubles: list[Exception] = []
    api = Api(server, pause=no_pause, on_trouble=troubles.append)
    agent = Agent(api, executor, TERMS, habits, on_end=ended.append, on_trouble=troubles.append)
    return agent, ended, troubles


@contextmanager
def working(server: FakeServer, executor: Executor, habits: Habits = HABITS) -> Iterator[Crew]:
    agent, ended, troubles = agent_of(server, executor, habits)
    crew = Crew(agent, threading.Thread(target=agent.run), ended, troubles)
    crew.thread.start()
    try:
        yield crew
    finally:
        agent.leave()
        agent.leave()
        crew.wait()


def conclusions(jobs: list[Job]) -> dict[str, str | None]:
    return {job.held.package: job.conclusion for job in jobs}


def test_all_that_is_queued_is_built() -> None:
    server = FakeServer([*"abcde"])
    agent, ended, troubles = agent_of(server, FakeExecutor(), UNTIL_IDLE)

    agent.run()

    assert server.ends() == dict.fromkeys("abcde", "SUCCESS")
    assert conclusions(ended) == server.ends()
    assert (troubles, server.held) == ([], set())


def test_a_claim_says_who_asks_and_for_how_much() -> None:
    server = FakeServer()

    agent_of(server, FakeExecutor(), UNTIL_IDLE)[0].run()

    (given,) = server.told("Claim")
    assert {name: value for name, value in given.items() if name != "requestId"} == {
        "worker": "w",
        "limit": 2,
        "leaseSeconds": 60,
        "labels": [{"key": "arch", "value": "arm64"}],
    }


def test_no_claim_asks_for_more_than_is_allowed() -> None:
    server = FakeServer()

    agent_of(server, FakeExecutor(), replace(UNTIL_IDLE, concurrency=1_000))[0].run()

    assert [given["limit"] for given in server.told("Claim")] == [100]


def test_slots_are_kept_filled_and_no_more_than_they() -> None:
    server = FakeServer([*"abcd"])
    work = Work()
    with working(server, work, UNTIL_IDLE) as crew:
        work.wait_for("a", "b")

        work.end("a")
        work.wait_for("b", "c")
        work.end("b", "c")
        work.wait_for("d")
        work.end("d")

        crew.wait()
    assert (work.most, server.ends()) == (2, dict.fromkeys("abcd", "SUCCESS"))
    assert [given["limit"] for given in server.told("Claim")][:2] == [2, 1]


def test_what_comes_free_by_a_build_is_claimed_without_waiting() -> None:
    server = FakeServer(["a"], blocked=["b"])
    work = Work()
    # It would wait for longer than this test does.
    with working(server, work, replace(UNTIL_IDLE, poll_seconds=600)) as crew:
        work.wait_for("a")
        server.wait_until(lambda: len(server.told("Claim")) == 2)

        work.end("a")

        work.wait_for("b")
        crew.agent.leave()
        work.end("b")
        crew.wait()
    assert server.ends() == {"a": "SUCCESS", "b": "SUCCESS"}


def test_it_is_not_idle_while_others_hold_something() -> None:
    server = FakeServer(held={"of another"})
    with working(server, FakeExecutor(), UNTIL_IDLE) as crew:
        server.wait_until(lambda: len(server.told("Left")) > 2)
        assert crew.thread.is_alive()

        server.held.clear()

        crew.wait()


def test_it_waits_for_more_when_there_is_nothing_to_do() -> None:
    server = FakeServer()
    with working(server, FakeExecutor()) as crew:
        server.wait_until(lambda: len(server.told("Claim")) > 2)

        server.builds = ["late"]

        server.wait_until(lambda: "late" in server.ends())
        assert crew.thread.is_alive()
    assert server.told("Left") == []


def test_a_claim_without_an_answer_is_made_again_with_the_same_id() -> None:
    server = FakeServer(["a"], before=raises(AWAY, "Claim", times=3))
    agent, _, troubles = agent_of(server, FakeExecutor(), UNTIL_IDLE)

    agent.run()

    ids = [given["requestId"] for given in server.told("Claim")]
    assert (len(ids), len(set(ids[:4])), len(set(ids))) == (5, 1, 2)
    assert troubles == [AWAY] * 3


def test_a_claim_whose_answer_was_lost_is_worked_on() -> None:
    server = FakeServer(["a"])
    losses = [AWAY]

    class Lossy:
        def ask(self, document: str, variables: Input) -> dict[str, object]:
            answer = server.ask(document, variables)
            if losses:
                raise losses.pop()
            return answer

    Agent(Api(Lossy(), pause=no_pause), FakeExecutor(), TERMS, UNTIL_IDLE).run()

    assert server.ends() == {"a": "SUCCESS"}


def test_a_refused_claim_ends_the_worker_once_what_it_holds_has_ended() -> None:
    refusal = Refused("labels: too many", "BAD_USER_INPUT")
    server = FakeServer(["a"])
    work = Work()
    agent, _, _ = agent_of(server, work, HABITS)
    is_refused = threading.Event()

    def refuse(operation: str, _given: Input) -> None:
        if operation == "Claim":
            is_refused.set()
            raise refusal

    def story() -> None:
        work.wait_for("a")
        server.before = refuse
        assert is_refused.wait(20)
        work.end("a")

    thread = threading.Thread(target=story)
    thread.start()
    with pytest.raises(Refused) as raised:
        agent.run()
    thread.join()

    assert raised.value is refusal
    assert server.ends() == {"a": "SUCCESS"}


@pytest.mark.parametrize("operation", ["Claim", "Left"])
def test_leaving_does_not_wait_for_a_server_that_is_away(operation: str) -> None:
    server = FakeServer(before=raises(AWAY, operation))
    with working(server, FakeExecutor(), UNTIL_IDLE) as crew:
        server.wait_until(lambda: len(server.told(operation)) > 2)

        crew.agent.leave()

        crew.wait()


def test_leaving_claims_no_more_and_waits_for_what_is_held() -> None:
    server = FakeServer([*"abc"])
    work = Work()
    with working(server, work) as crew:
        work.wait_for("a", "b")

        crew.agent.leave()
        work.end("a")
        server.wait_until(lambda: "a" in server.ends())
        work.wait_for("b")
        work.end("b")

        crew.wait()
    assert server.ends() == {"a": "SUCCESS", "b": "SUCCESS"}
    assert server.builds == ["c"]


def test_leaving_with_a_slot_free_does_not_wait_until_it_would_ask_again() -> None:
    server = FakeServer()
    with working(server, FakeExecutor(), replace(HABITS, poll_seconds=600)) as crew:
        server.wait_until(lambda: bool(server.told("Claim")))

        crew.agent.leave()

        crew.wait()


def test_what_comes_free_while_it_asks_is_asked_for_at_once() -> None:
    begun = threading.Event()

    def before(operation: str, _given: Input) -> None:
        if operation == "Claim" and len(server.told("Claim")) == 2:
            work.wait_for("a")
            work.end("a")
            begun.wait()
            wait_until(lambda: bool(crew.ended))

    server = FakeServer(["a"], before=before)
    work = Work()
    with working(server, work, replace(HABITS, poll_seconds=600)) as crew:
        begun.set()
        server.wait_until(lambda: len(server.told("Claim")) > 2)
    assert conclusions(crew.ended) == {"a": "SUCCESS"}


def given_back(server: FakeServer) -> set[str]:
    return {build for build, conclusion in server.ends().items() if conclusion == "INFRA_ERROR"}


def test_what_takes_longer_than_the_grace_is_given_back() -> None:
    server = FakeServer([*"ab"])
    with working(server, Work(), replace(HABITS, grace_seconds=0)) as crew:
        server.wait_until(lambda: len(server.told("Report")) == 2)

        crew.agent.leave()

        crew.wait()
        assert given_back(server) == {"a", "b"}


def test_leaving_again_does_not_wait_for_the_grace() -> None:
    server = FakeServer([*"ab"])
    work = Work()
    with working(server, work, replace(HABITS, grace_seconds=600)) as crew:
        work.wait_for("a", "b")

        crew.agent.leave()
        crew.agent.leave()

        crew.wait()
        assert given_back(server) == {"a", "b"}


def test_leaving_is_possible_while_a_lock_is_held() -> None:
    server = FakeServer(["a"])
    work = Work()
    with working(server, work) as crew:
        work.wait_for("a")

        with crew.agent._changed:
            crew.agent.leave()
        work.end("a")

        crew.wait()


def test_what_is_lost_is_told_as_such_and_frees_its_slot() -> None:
    def before(operation: str, given: Input) -> None:
        if operation == "Report" and given["build"] == "a":
            raise Refused("lost", "LEASE_LOST")

    server = FakeServer([*"abc"], before=before)
    with working(server, FakeExecutor()) as crew:
        server.wait_until(lambda: set(server.ends()) == {"b", "c"})
        crew.agent.leave()
        crew.wait()

    assert conclusions(crew.ended) == {"a": None, "b": "SUCCESS", "c": "SUCCESS"}


def test_a_fault_in_one_build_is_told_and_frees_its_slot() -> None:
    fault = ZeroDivisionError("a fault")

    def before(operation: str, given: Input) -> None:
        if operation == "Report" and given["build"] == "a":
            raise fault

    server = FakeServer([*"ab"], before=before)
    with working(server, FakeExecutor(), replace(HABITS, concurrency=1)) as crew:
        server.wait_until(lambda: "b" in server.ends())
        crew.agent.leave()
        crew.wait()

    assert crew.troubles == [fault]
    assert conclusions(crew.ended) == {"a": None, "b": "SUCCESS"}


def test_a_worker_that_cannot_run_commands_leaves_the_builds_to_others() -> None:
    def command(order: Order, _on_output: OnOutput, _stop: threading.Event) -> Outcome:
        if order.environment["BUILDATLAS_PACKAGE"] == "a":
            assert has_begun.wait(20)
            raise OSError(28, "No space left on device")
        has_begun.set()
        wait_until(lambda: agent._is_leaving)
        return Outcome(Ending.EXITED, 0)

    has_begun = threading.Event()
    server = FakeServer([*"abcd"])
    agent, _, _ = agent_of(server, FakeExecutor(command), UNTIL_IDLE)

    with pytest.raises(CannotBuild, match=r"claims no more: .*No space left on device"):
        agent.run()

    assert server.ends() == {"a": "INFRA_ERROR", "b": "SUCCESS"}
    assert server.builds == ["c", "d"]


def test_whoever_hears_of_ends_may_fail() -> None:
    def fail(_job: Job) -> None:
        raise OSError("nobody reads this")

    server = FakeServer([*"abc"])

    Agent(Api(server), FakeExecutor(), TERMS, UNTIL_IDLE, on_end=fail).run()

    assert server.ends() == dict.fromkeys("abc", "SUCCESS")


def test_a_build_that_is_called_off_is_stopped() -> None:
    stopping = Stopping()
    server = FakeServer(["a"], canceled={"a"})
    api = Api(server, pause=no_pause)

    # The server hears of it after a third of a second.
    Agent(api, stopping, replace(TERMS, lease_seconds=1), UNTIL_IDLE).run()

    assert server.ends() == {"a": "CANCELED"}


def test_a_worker_that_is_told_to_leave_while_its_server_is_away_gives_up_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("buildatlas.worker.jobs._LAST_WORDS", 0.1)
    is_away = threading.Event()

    def before(_operation: str, _given: Input) -> None:
        if is_away.is_set():
            raise AWAY

    server = FakeServer(["a"], before=before)
    stopping = Stopping()
    terms = replace(TERMS, lease_seconds=86_400, kill_after_seconds=0.1)
    ended: list[Job] = []
    agent = Agent(Api(server, pause=no_pause), stopping, terms, HABITS, on_end=ended.append)
    thread = threading.Thread(target=agent.run)
    thread.start()
    assert stopping.has_begun.wait(20)

    is_away.set()
    agent.leave()
    agent.leave()

    thread.join(20)
    assert not thread.is_alive()
    assert conclusions(ended) == {"a": None}


def test_ends_and_trouble_need_nobody() -> None:
    server = FakeServer(["a"], before=raises(AWAY, "Heartbeat"))
    agent = Agent(Api(server), FakeExecutor(), TERMS, UNTIL_IDLE)

    agent.run()

    assert server.ends() == {"a": "SUCCESS"}
