"""A server and an executor within this process, for a worker to work with."""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from buildatlas.client import Answer, Refused, Unreachable
from buildatlas.worker.api import Held
from buildatlas.worker.execution import Ending, Order, Outcome

Input = Mapping[str, Any]

LEASE_LOST = Refused("the build was given to another since", "LEASE_LOST")
AWAY = Unreachable("http://localhost", "no answer")

PATIENCE = 20.0


@dataclass
class FakeServer:
    """Gives out each build once, and keeps all that it is told."""

    builds: list[str] = field(default_factory=list)
    """Packages that are yet to be given out."""
    blocked: list[str] = field(default_factory=list)
    """Packages that are queued once another has ended."""
    before: Callable[[str, Input], None] = lambda _operation, _input: None
    """Sees each call before it is answered, and may raise instead."""
    calls: list[tuple[str, Input]] = field(default_factory=list)
    canceled: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    timeout_seconds: int = 60
    _claims: dict[str, Answer] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def ask(self, document: str, variables: Mapping[str, Any]) -> Answer:
        found = re.search(r"(?:mutation|query) (\w+)", document)
        assert found
        operation, given = found[1], variables.get("input", variables)
        with self._changed:
            self.calls.append((operation, given))
            self._changed.notify_all()
        self.before(operation, given)
        with self._changed:
            answer: Answer = getattr(self, f"_{operation.lower()}")(given)
            self._changed.notify_all()
        return answer

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, PATIENCE), self.calls

    def told(self, operation: str, build: str | None = None) -> list[Input]:
        """Return all calls of an operation, those about one build if it is named."""
        return [
            given
            for name, given in list(self.calls)
            if name == operation and build in {None, given.get("build")}
        ]

    def ends(self) -> dict[str, str]:
        """Return how each build has ended, as far as was told."""
        return {
            given["build"]: given["conclusion"]
            for given in self.told("Report")
            if given["status"] == "COMPLETED"
        }

    def lines(self, build: str) -> list[str]:
        lines: list[str] = []
        for given in self.told("AppendLog", build):
            assert given["firstLine"] <= len(lines)
            lines[given["firstLine"] :] = given["lines"]
        return lines

    def _claim(self, given: Input) -> Answer:
        if given["requestId"] not in self._claims:
            taken, self.builds = self.builds[: given["limit"]], self.builds[given["limit"] :]
            self.held |= set(taken)
            claims = [claim(package, self.timeout_seconds) for package in taken]
            self._claims[given["requestId"]] = {"claimBuilds": {"claims": claims}}
        return self._claims[given["requestId"]]

    def _heartbeat(self, given: Input) -> Answer:
        return {"heartbeat": {"cancelRequested": given["build"] in self.canceled}}

    def _report(self, given: Input) -> Answer:
        if given["status"] == "COMPLETED":
            self.held.discard(given["build"])
            self.builds, self.blocked = [*self.builds, *self.blocked], []
        return {"reportBuild": {"cursor": "1"}}

    def _appendlog(self, _given: Input) -> Answer:
        return {"appendLog": {"cursor": "1"}}

    def _left(self, _given: Input) -> Answer:
        return {"builds": {"totalCount": len(self.builds) + len(self.held)}}


def claim(package: str, timeout_seconds: int = 60) -> Mapping[str, Any]:
    """Return a claim of the build of a package, which has the package's name for its id."""
    return {
        "lease": "7",
        "build": {
            "id": package,
            "attempt": 1,
            "maxAttempts": 3,
            "trigger": "MANUAL",
            "timeoutSeconds": timeout_seconds,
            "leaseExpiresAt": "2026-01-01T00:00:00Z",
            "run": {"id": "r"},
            "packageVersion": {"version": "1.0", "package": {"name": package}},
        },
    }


def held(package: str = "app") -> Held:
    """Return what a worker has of such a claim."""
    return Held(package, "7", "r", package, "1.0", 1, 3, "MANUAL", 60)


OnOutput = Callable[[bytes], None]


@dataclass
class FakeExecutor:
    """Has a function do what a command would."""

    command: Callable[[Order, OnOutput, threading.Event], Outcome] = lambda _order, _on_output, _stop: (
        Outcome(Ending.EXITED, 0)
    )
    orders: list[Order] = field(default_factory=list)

    def run(self, order: Order, *, on_output: OnOutput, stop: threading.Event) -> Outcome:
        self.orders.append(order)
        return self.command(order, on_output, stop)


def until_stopped(_order: Order, _on_output: OnOutput, stop: threading.Event) -> Outcome:
    """Run until it is told to stop."""
    assert stop.wait(PATIENCE), "it was not told to stop"
    return Outcome(Ending.STOPPED, -15)


def gives(outcome: Outcome, *printed: bytes) -> FakeExecutor:
    """Return an executor whose commands print this and end so."""

    def command(_order: Order, on_output: OnOutput, _stop: threading.Event) -> Outcome:
        for chunk in printed:
            on_output(chunk)
        return outcome

    return FakeExecutor(command)


@dataclass
class Clock:
    """Shows what it is set to."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def no_pause(_seconds: float) -> None:
    """Let others go on."""
    time.sleep(0.001)


def raises(error: Exception, *operations: str, times: int = 1_000_000) -> Callable[[str, Input], None]:
    """Return what answers these operations with an error, so many times."""
    left = [times]

    def before(operation: str, _given: Input) -> None:
        if operation in operations and left[0]:
            left[0] -= 1
            raise error

    return before


def statuses(reports: Sequence[Input]) -> list[tuple[str, str | None]]:
    return [(each["status"], each.get("conclusion")) for each in reports]
