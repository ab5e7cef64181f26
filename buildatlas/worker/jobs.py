"""One build in the hands of a worker, from its claim to its last report."""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Annotated, Any, Final

import msgspec

from buildatlas.client import Refused, Unreachable
from buildatlas.worker.api import Api, GaveUp, Held
from buildatlas.worker.execution import MOST_RESULT, Ending, Executor, Order, Outcome
from buildatlas.worker.output import Output

SKIPPED: Final = 77
"""The exit code that says there was nothing to do, as for tests of Automake."""

TRY_AGAIN: Final = 75
"""The exit code that says it was not the package's fault: sysexits' EX_TEMPFAIL."""

# What is spent at the end on a log that the server does not take, in seconds.
_LOG_PATIENCE: Final = 30.0
# What a worker that is to end spends on a server that does not answer, besides the time that a command is given to end.
_LAST_WORDS: Final = 10.0
_LONGEST_QUOTE: Final = 500


class Stop(Enum):
    """Why a job is to end before its command does."""

    CANCELED = auto()
    """The build was called off."""
    LOST = auto()
    """The worker does not hold it any more."""
    LEAVING = auto()
    """The worker itself is to end."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a worker runs what it claims."""

    command: Sequence[str]
    url: str
    lease_seconds: int
    kill_after_seconds: float


class Artifact(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Something that a command says it has produced."""

    name: str
    uri: str
    digest: str | None = None
    size_bytes: Annotated[float, msgspec.Meta(ge=0)] | None = None


class Result(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What a command says in its result file."""

    output_digest: str | None = None
    message: str | None = None
    artifacts: list[Artifact] = []


@dataclass(slots=True, eq=False)
class Job:
    """A build that is being worked on."""

    api: Api
    held: Held
    terms: Terms
    clock: Callable[[], float] = time.monotonic
    conclusion: str | None = None
    """How it ended, as far as the server has been told."""
    seconds: float = 0.0
    fault: str | None = None
    """What kept its command from being run at all, which says nothing of the build."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _why: Stop | None = None
    _kept_until: float = 0.0
    _leaves_at: float = math.inf
    _output: Output | None = None

    def __post_init__(self) -> None:
        self.keep(self.clock())

    def keep(self, since: float) -> None:
        """Note that the server has heard of it, at the moment when it was asked or later."""
        self._kept_until = since + self.terms.lease_seconds

    def stop(self, why: Stop) -> None:
        """Have it end soon; what was said first counts, but that it is lost."""
        if self._why is None or why is Stop.LOST:
            self._why = why
        if why is Stop.LEAVING:
            self._leaves_at = min(self._leaves_at, self.clock() + self.terms.kill_after_seconds + _LAST_WORDS)
        self._stop.set()
        if why is Stop.LOST and self._output is not None:
            # Its command may be waiting for the server to take what it prints.
            self._output.drop()

    @property
    def is_kept(self) -> bool:
        """Whether the worker may still hold it. Without contact for a whole lease, another may have it by now."""
        return self._why is not Stop.LOST and self.clock() < self._kept_until

    def run(self, executor: Executor) -> None:
        """Do all of it. What goes wrong with the server ends the job, and nothing else."""
        started = self.clock()
        try:
            if self._is_begun():
                self._execute(executor)
            else:
                self._conclude("CANCELED", {})
        except (Refused, Unreachable, GaveUp):
            # It is somebody else's, or will be soon.
            self.stop(Stop.LOST)
        self.seconds = self.clock() - started

    def _is_begun(self) -> bool:
        """Tell the server. False when the build has been called off since it was claimed."""
        try:
            self.api.report(self.held, "RUNNING", matters=self._matters)
        except Refused as error:
            if error.code == "ILLEGAL_TRANSITION":
                return False
            raise
        return True

    def _execute(self, executor: Executor) -> None:
        self._output = output = Output(lambda first_line, lines: self._deliver(output, first_line, lines))
        order = Order(
            self.terms.command,
            self._environment(),
            self.held.timeout_seconds,
            self.terms.kill_after_seconds,
        )
        try:
            outcome = executor.run(order, on_output=output.write, stop=self._stop)
        except Exception as error:
            # No room on the disk, no scheduler: whatever it is, another worker may have more luck.
            outcome = Outcome(Ending.NOT_STARTED, detail=f"its worker could not run it: {error!r}")
        if outcome.ending is Ending.NOT_STARTED:
            self.fault = outcome.detail
        output.close(patience=_LOG_PATIENCE if self._matters() else 0)
        if self._why is not Stop.LOST:
            self._end(outcome, output)

    def _matters(self) -> bool:
        """Whether to go on asking a server that does not answer."""
        return self.is_kept and self.clock() < self._leaves_at

    def _deliver(self, output: Output, first_line: int, lines: Sequence[str]) -> bool:
        try:
            self.api.append_log(
                self.held, first_line, lines, matters=lambda: output.is_wanted and self._matters()
            )
        except Refused as error:
            if error.code in LOST_CODES:
                self.stop(Stop.LOST)
            return False
        except (Unreachable, GaveUp):
            return False
        return True

    def _end(self, outcome: Outcome, output: Output) -> None:
        conclusion, content = self._said(outcome, output)
        try:
            self._conclude(conclusion, content)
        except Refused as error:
            if error.code not in _REFUSING_CODES:
                raise
            problem = f"the server refuses what its result file says: {error}"
            self._conclude("FAILURE", {"message": _storable(problem)})

    def _conclude(self, conclusion: str, content: Mapping[str, Any]) -> None:
        self.api.report(self.held, "COMPLETED", conclusion=conclusion, matters=self._matters, **content)
        self.conclusion = conclusion

    def _said(self, outcome: Outcome, output: Output) -> tuple[str, Mapping[str, Any]]:
        if outcome.ending is Ending.STOPPED:
            if self._why is Stop.CANCELED:
                return "CANCELED", {}
            return "INFRA_ERROR", {"message": "its worker was stopped"}
        if outcome.ending is Ending.TIMED_OUT:
            return "TIMED_OUT", {"message": f"it took longer than {self.held.timeout_seconds} s"}
        if outcome.ending is not Ending.EXITED:
            return "INFRA_ERROR", {"message": _storable(outcome.detail)}
        conclusion = _CONCLUSIONS.get(outcome.exit_code or 0, "FAILURE")
        try:
            return conclusion, _content(outcome, output, _result(outcome.result))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problem = f"its result file is not as it should be: {error}"
            # What asks to be tried again is, whatever else it says.
            return conclusion if outcome.exit_code == TRY_AGAIN else "FAILURE", {
                "message": _storable(problem)
            }

    def _environment(self) -> dict[str, str]:
        held = self.held
        return {
            "BUILDATLAS_URL": self.terms.url,
            "BUILDATLAS_BUILD": held.build,
            "BUILDATLAS_RUN": held.run,
            "BUILDATLAS_PACKAGE": held.package,
            "BUILDATLAS_VERSION": held.version,
            "BUILDATLAS_ATTEMPT": str(held.attempt),
            "BUILDATLAS_MAX_ATTEMPTS": str(held.max_attempts),
            "BUILDATLAS_TRIGGER": held.trigger,
            "BUILDATLAS_TIMEOUT_SECONDS": str(held.timeout_seconds),
        }


LOST_CODES: Final = frozenset({"LEASE_LOST", "NOT_FOUND"})
"""What the server says of a build that this worker does not hold any more."""

# Of a last report that can never be taken in as it is.
_REFUSING_CODES: Final = frozenset({"BAD_USER_INPUT", "LIMIT_EXCEEDED"})

_CONCLUSIONS: Final[Mapping[int, str]] = {0: "SUCCESS", SKIPPED: "SKIPPED", TRY_AGAIN: "INFRA_ERROR"}


def _result(text: bytes | None) -> Result:
    if not text:
        return Result()
    if len(text) > MOST_RESULT:
        raise msgspec.DecodeError(f"it has more than {MOST_RESULT:,} bytes")
    return msgspec.json.decode(text, type=Result)


def _storable(text: str) -> str:
    """Return a text that somebody else has written as a part of a message."""
    return text[:_LONGEST_QUOTE].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _content(outcome: Outcome, output: Output, result: Result) -> dict[str, Any]:
    """Return what is reported of a command that has ended by itself, besides how."""
    message = result.message
    if message is None and outcome.exit_code:
        quote = _storable(output.last_line)
        message = f"exit code {outcome.exit_code}" + (f": {quote}" if quote else "")
    content = {
        "message": message,
        "outputDigest": result.output_digest,
        "artifacts": [msgspec.to_builtins(each) for each in result.artifacts],
    }
    return {name: value for name, value in content.items() if value}
