"""The operations of the API that a worker uses, each repeated until it is answered."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from buildatlas.client import Answer, Client, Refused, Unreachable

_CLAIM: Final = """
mutation Claim($input: ClaimBuildsInput!) {
  claimBuilds(input: $input) {
    claims {
      lease
      build {
        id attempt maxAttempts trigger timeoutSeconds leaseExpiresAt
        run { id }
        packageVersion { version package { name } }
      }
    }
  }
}
"""
_HEARTBEAT: Final = """
mutation Heartbeat($input: HeartbeatInput!) { heartbeat(input: $input) { cancelRequested } }
"""
_REPORT: Final = "mutation Report($input: ReportBuildInput!) { reportBuild(input: $input) { cursor } }"
_APPEND: Final = "mutation AppendLog($input: AppendLogInput!) { appendLog(input: $input) { cursor } }"
_LEFT: Final = """
query Left($status: [BuildStatus!]!) { builds(filter: {status: $status}, first: 1) { totalCount } }
"""

# What the server says of itself, and not of what it was asked. A build is not to be lost by a fault that is mended soon.
_PASSING: Final = frozenset({"UNAVAILABLE", "INTERNAL_SERVER_ERROR"})

# Between two attempts at a call, in seconds: from the first to the longest, doubling.
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 10.0

# How often a pause looks whether the answer still matters, in seconds.
_LOOK_EVERY: Final = 0.2


class GaveUp(Exception):
    """The server could not be reached for as long as an answer mattered."""


@dataclass(frozen=True, slots=True)
class Held:
    """A build that this worker holds."""

    build: str
    lease: str
    run: str
    package: str
    version: str
    attempt: int
    max_attempts: int
    trigger: str
    timeout_seconds: int

    def __str__(self) -> str:
        return f"{self.package} {self.version}"


class Api:
    """A server, as a worker speaks to it. Every method may be called from any thread."""

    def __init__(
        self,
        client: Client,
        *,
        on_trouble: Callable[[Exception], None] = lambda _error: None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """`on_trouble` is told whenever a call has to be repeated; `pause` waits for some seconds."""
        self._client = client
        self._on_trouble = on_trouble
        self._pause = pause

    def claim(
        self,
        worker: str,
        *,
        limit: int,
        lease_seconds: int,
        labels: Sequence[Mapping[str, str]],
        request_id: str,
        matters: Callable[[], bool],
    ) -> list[Held]:
        """Return builds to work on, none when there are none. It may be repeated with the same `request_id`."""
        asked = {
            "worker": worker,
            "limit": limit,
            "leaseSeconds": lease_seconds,
            "labels": list(labels),
            "requestId": request_id,
        }
        answer = self._ask(_CLAIM, asked, matters)
        return [_held(each) for each in answer["claimBuilds"]["claims"]]

    def heartbeat(self, held: Held, *, lease_seconds: int) -> bool:
        """Tell that a build is still worked on, once, and return whether it is to end. Raises Refused and Unreachable."""
        asked = {"build": held.build, "lease": held.lease, "leaseSeconds": lease_seconds}
        answer = self._client.ask(_HEARTBEAT, {"input": asked})
        return bool(answer["heartbeat"]["cancelRequested"])

    def report(self, held: Held, status: str, *, matters: Callable[[], bool], **content: object) -> None:
        """Say how far a build is. Raises Refused, and GaveUp once the answer does not matter any more."""
        asked = {"build": held.build, "lease": held.lease, "status": status, **content}
        self._ask(_REPORT, asked, matters)

    def append_log(
        self, held: Held, first_line: int, lines: Sequence[str], *, matters: Callable[[], bool]
    ) -> None:
        """Hand in lines of a build's output. Raises Refused, and GaveUp."""
        asked = {"build": held.build, "lease": held.lease, "firstLine": first_line, "lines": list(lines)}
        self._ask(_APPEND, asked, matters)

    def is_anything_left(self, *, matters: Callable[[], bool]) -> bool:
        """Whether anything is queued, or held by anyone."""
        statuses = ["QUEUED", "ASSIGNED", "PREPARING", "RUNNING", "FINALIZING", "CANCELING"]
        answer = self._patiently(lambda: self._client.ask(_LEFT, {"status": statuses}), matters)
        return bool(answer["builds"]["totalCount"])

    def _ask(self, document: str, asked: Mapping[str, object], matters: Callable[[], bool]) -> Answer:
        return self._patiently(lambda: self._client.ask(document, {"input": asked}), matters)

    def _patiently(self, call: Callable[[], Answer], matters: Callable[[], bool]) -> Answer:
        """Return what `call` returns, calling it again while the server cannot answer and the answer matters."""
        longest = _FIRST_PAUSE
        while True:
            try:
                return call()
            except (Refused, Unreachable) as error:
                if not is_passing(error):
                    raise
                self._on_trouble(error)
                # All of a server's workers would come back at the same moment otherwise.
                pause = longest * random.uniform(0.5, 1.0)  # noqa: S311 - nobody gains by guessing it
                while matters() and pause > 0:
                    self._pause(min(pause, _LOOK_EVERY))
                    pause -= _LOOK_EVERY
                if not matters():
                    raise GaveUp from error
            longest = min(2 * longest, _LONGEST_PAUSE)


def is_passing(error: Refused | Unreachable) -> bool:
    """Whether the same call may be answered a little later."""
    return isinstance(error, Unreachable) or error.code in _PASSING


def _held(claim: Mapping[str, Any]) -> Held:
    build = claim["build"]
    return Held(
        build["id"],
        claim["lease"],
        build["run"]["id"] if build["run"] else "",
        build["packageVersion"]["package"]["name"],
        build["packageVersion"]["version"],
        build["attempt"],
        build["maxAttempts"],
        build["trigger"],
        build["timeoutSeconds"],
    )
