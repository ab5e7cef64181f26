"""Builds as a worker brings them on, over the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.dashboard.asking import ask

_START: Final = "mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }"
_CLAIM: Final = """mutation($input: ClaimBuildsInput!) {
    claimBuilds(input: $input) { claims { lease build { id packageVersion { package { name } } } } } }"""
_REPORT: Final = "mutation($input: ReportBuildInput!) { reportBuild(input: $input) { cursor } }"
_LOG: Final = "mutation($input: AppendLogInput!) { appendLog(input: $input) { cursor } }"


@dataclass(slots=True)
class Held:
    """A build that the worker holds."""

    worker: "Worker"
    id: str
    package: str
    lease: str
    lines: int = 0

    def run(self) -> None:
        """Begin with it."""
        self._report(status="RUNNING")

    def end(self, conclusion: str, **said: object) -> None:
        """Be done with it."""
        self._report(status="COMPLETED", conclusion=conclusion, **said)

    def say(self, *lines: str) -> None:
        """Print."""
        self.worker.ask(_LOG, build=self.id, lease=self.lease, firstLine=self.lines, lines=lines)
        self.lines += len(lines)

    def _report(self, **how: object) -> None:
        self.worker.ask(_REPORT, build=self.id, lease=self.lease, **how)


@dataclass(frozen=True, slots=True)
class Worker:
    """Starts runs, and works at them."""

    address: str
    name: str = "w1"

    def ask(self, query: str, **input: object) -> Mapping[str, Any]:
        """Return the one answer of a mutation."""
        (found,) = ask(self.address, query, input=input).values()
        assert isinstance(found, Mapping)
        return found

    def start(self, *packages: str, **options: object) -> str:
        """Start a run, and return its id."""
        return str(self.ask(_START, plan={"packages": packages}, **options)["run"]["id"])

    def claim(self, limit: int = 1, **offers: object) -> Sequence[Held]:
        """Take what is to be built next, for so long that no lease runs out."""
        claims = self.ask(_CLAIM, worker=self.name, limit=limit, leaseSeconds=3600, **offers)["claims"]
        return [
            Held(self, each["build"]["id"], each["build"]["packageVersion"]["package"]["name"], each["lease"])
            for each in claims
        ]

    def build(self, conclusion: str = "SUCCESS", **said: object) -> Held:
        """Take the next build, and end it."""
        (held,) = self.claim()
        held.run()
        held.end(conclusion, **said)
        return held
