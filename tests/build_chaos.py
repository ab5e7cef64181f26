"""A run that is built by workers and servers which are killed at random moments, and what has become of each build."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from resolvers import doctor
from resolvers.atlas import Atlas
from resolvers.batches import publish_all
from resolvers.builds import retry_build
from resolvers.drafts import DependencyRequest, PublishRequest
from resolvers.plans import PlanRequest
from resolvers.preparation import StartRequest
from resolvers.reasons import blocked_by
from resolvers.runs import RunChange, start
from storage import attempts, builds, history, runs, waits
from storage.build_rows import AttemptRow, BuildRow
from storage.builds import BuildFilter
from storage.database import Connection, Database
from storage.rows import TransitionRow
from storage.tables import SubjectType
from storage.transitions import RELEASING, BuildConclusion, BuildStatus, RunStatus
from storage.waits import Side
from tests.crashes import Server, without_coverage

_ROOT: Final = Path(__file__).parents[1]

# By what is known of the build alone, so that each attempt ends otherwise and each story in the same way. Of two hundred
# packages one fails, and every other of these still does when it is tried again; of a hundred attempts eight meet an error
# that is not theirs; and each takes up to a fifth of a second.
_COMMAND: Final = """
n=$(printf %s "$BUILDATLAS_PACKAGE $BUILDATLAS_ATTEMPT" | cksum | cut -d' ' -f1)
m=$(printf %s "$BUILDATLAS_PACKAGE" | cksum | cut -d' ' -f1)
echo "builds $BUILDATLAS_PACKAGE, attempt $BUILDATLAS_ATTEMPT"
sleep 0.$((n / 100 % 2))$((n / 1000 % 10))
[ $((m % 400)) -eq 0 ] && { echo "does not compile"; exit 1; }
[ $((m % 400)) -eq 200 ] && [ "$BUILDATLAS_TRIGGER" != RETRY ] && { echo "does not compile yet"; exit 1; }
[ $((n % 100)) -lt 8 ] && exit 75
exit 0
"""

# Lost leases count as attempts, and there are many.
_MOST_ATTEMPTS: Final = 100
_LEASE_SECONDS: Final = 2


@dataclass(frozen=True, slots=True)
class Findings:
    """What has become of a run."""

    ends: Mapping[str, int]
    """Builds by conclusion."""
    is_completed: bool
    lost: list[str]
    """Builds that have not ended, or whose end nothing explains."""
    held_twice: list[str]
    """Builds of which two attempts were under way at once, or that ended well more than once."""
    out_of_order: list[str]
    """Builds that were given out before something that they wait for had ended."""
    attempts: int
    is_content: bool
    """Whether the doctor finds nothing wrong."""


def fill(database: Database, count: int, *, width: int = 40, seed: int = 1) -> None:
    """Publish packages in chains side by side, of which some need one of another chain as well."""
    chance = random.Random(seed)
    items = []
    for number in range(count):
        needed = {number - width} if number >= width else set()
        if number >= width and chance.random() < 0.1:
            needed.add(chance.randrange(number - number % width))
        needs = tuple(DependencyRequest(f"p{each}") for each in sorted(needed))
        items.append(PublishRequest(f"p{number}", "1", needs))
    publish_all(database, items, atomic=True, now=datetime.now(UTC))


@dataclass(slots=True)
class Chaos:
    """Servers and workers on one database, and how often they were killed."""

    url: str
    folder: Path
    servers: int
    workers: int
    seed: int = 1
    kills: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    seconds: float = 0.0

    def run(self, run_id: int, *, pause: tuple[float, float], patience: float) -> None:
        """Kill one at a time, each after a pause between these two, until the run has ended and what failed was retried."""
        chance = random.Random(self.seed)
        started = time.monotonic()
        with self._servers() as servers, self._workers([address for _, address in servers]) as crew:
            for is_last in (False, True):
                while not _has_ended(self.url, run_id):
                    assert time.monotonic() < started + patience, "the run does not end"
                    time.sleep(chance.uniform(*pause))
                    self._kill_one(chance, [server for server, _ in servers], crew)
                if not is_last:
                    self.retried = _retry_failed(self.url, run_id)
        self.seconds = time.monotonic() - started

    def _kill_one(self, chance: random.Random, servers: list[Server], crew: "list[_Worker]") -> None:
        if chance.random() < 0.25:
            server = chance.choice(servers)
            server.kill()
            server.start()
            self.kills["servers"] += 1
        else:
            worker = chance.choice(crew)
            worker.kill()
            worker.start()
            self.kills["workers"] += 1

    @contextmanager
    def _servers(self) -> Iterator[list[tuple[Server, str]]]:
        environment = {"BUILDATLAS_BACKOFF_SECONDS": "1", "BUILDATLAS_RECOVERY_SECONDS": "1"}
        found: list[tuple[Server, str]] = []
        try:
            for _ in range(self.servers):
                port = _free_port()
                server = Server(self.url, "--port", str(port), environment=environment)
                server.start()
                found.append((server, f"http://127.0.0.1:{port}"))
            yield found
        finally:
            for server, _ in found:
                server.kill()

    @contextmanager
    def _workers(self, addresses: list[str]) -> "Iterator[list[_Worker]]":
        crew = [
            _Worker(addresses[number % len(addresses)], self.folder / f"worker-{number}.log")
            for number in range(self.workers)
        ]
        try:
            for worker in crew:
                worker.start()
            yield crew
        finally:
            for worker in crew:
                worker.kill()


class _Worker:
    """`buildatlas worker` as a process of its own."""

    def __init__(self, address: str, log: Path) -> None:
        self._address = address
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            *(sys.executable, "-m", "buildatlas.cli", "worker", "--url", self._address),
            *("--concurrency", "4", "--lease", str(_LEASE_SECONDS), "--poll", "0.2"),
            *("--", "sh", "-c", _COMMAND),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=_ROOT, stdout=log, stderr=log, env=without_coverage(), start_new_session=True
            )

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def begin(url: str, count: int) -> int:
    """Make a catalogue of so many packages, and start a run of all of them."""
    with closing(Database.open(url)) as database:
        fill(database, count)
        request = StartRequest(PlanRequest(), max_attempts=_MOST_ATTEMPTS)
        started = start(Atlas(database), request, now=datetime.now(UTC))
        assert isinstance(started, RunChange)
        return started.run.id


def look(url: str, run_id: int) -> Findings:
    """Look at what has become of a run, from what the database itself has kept of it."""
    with closing(Database.open(url)) as database:
        is_content = doctor.examine(database).is_content
        with database.read() as connection:
            rows = _builds(connection, run_id)
            run = runs.by_ids(connection, [run_id])[run_id]
            tries = attempts.of_builds(connection, [row.id for row in rows])
            changes = _changes(connection)
            waited_for = waits.pages_of(connection, Side.DEPENDENCIES, [row.id for row in rows], limit=1_000)
            reasons = blocked_by(connection, rows, now=datetime.now(UTC))
    ended_at = {row.id: _last(changes[row.id]) for row in rows}
    return Findings(
        ends=Counter(str(row.conclusion) for row in rows),
        is_completed=run.status is RunStatus.COMPLETED,
        lost=[str(row.id) for row in rows if not _is_explained(row, tries[row.id], bool(reasons[row.id]))],
        held_twice=[str(row.id) for row in rows if not _is_one_at_a_time(changes[row.id], tries[row.id])],
        out_of_order=[
            str(row.id)
            for row in rows
            for first in _given_out(changes[row.id])[:1]
            for other in waited_for[row.id]
            if not (other.conclusion in RELEASING and ended_at[other.id].id < first.id)
        ],
        attempts=sum(map(len, tries.values())),
        is_content=is_content,
    )


def _builds(connection: Connection, run_id: int) -> list[BuildRow]:
    return builds.page(connection, BuildFilter(run_id=run_id), limit=1_000_000)


def _changes(connection: Connection) -> dict[int, list[TransitionRow]]:
    """Return the history of every build."""
    found: dict[int, list[TransitionRow]] = {}
    after = 0
    while page := history.page(connection, after=after, limit=10_000):
        for change in page:
            if change.subject_type is SubjectType.BUILD:
                found.setdefault(change.subject_id, []).append(change)
        after = page[-1].id
    return found


def _last(changes: list[TransitionRow]) -> TransitionRow:
    return changes[-1]


def _given_out(changes: list[TransitionRow]) -> list[TransitionRow]:
    return [change for change in changes if change.target == BuildStatus.ASSIGNED]


def _is_explained(build: BuildRow, tries: list[AttemptRow], has_reasons: bool) -> bool:
    """Whether a build has ended, and something tells why as it has."""
    if build.status is not BuildStatus.COMPLETED:
        return False
    if build.conclusion is BuildConclusion.DEP_FAILED:
        return build.cause_id is not None and bool(build.status_reason) and has_reasons
    return bool(tries) and tries[-1].conclusion is build.conclusion


def _is_one_at_a_time(changes: list[TransitionRow], tries: list[AttemptRow]) -> bool:
    """Whether each attempt was over before the next began, with a lease of its own, and the build ended well at most once."""
    given_out = _given_out(changes)
    ends = [change for change in changes if change.target == BuildStatus.COMPLETED]
    return (
        [change.attempt for change in given_out] == [each.number for each in tries]
        and len({each.lease_token for each in tries}) == len(tries)
        and all(change.origin == BuildStatus.QUEUED for change in given_out)
        and all(each.completed_at is not None for each in tries)
        and sum(change.conclusion in RELEASING for change in ends) <= 1
        and changes[-1] is ends[-1]
    )


def _retry_failed(url: str, run_id: int) -> int:
    """Have what has failed by itself tried again, and return how many that are."""
    failed = BuildFilter(run_id=run_id, conclusions=(BuildConclusion.FAILURE,))
    with closing(Database.open(url)) as database:
        with database.read() as connection:
            rows = builds.page(connection, failed, limit=10_000)
        for row in rows:
            retry_build(database, row.id, now=datetime.now(UTC))
    return len(rows)


def _has_ended(url: str, run_id: int) -> bool:
    with closing(Database.open(url)) as database, database.read() as connection:
        return runs.by_ids(connection, [run_id])[run_id].status is RunStatus.COMPLETED


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port
