"""A server that is killed under write load, again and again, and what is left of what it acknowledged."""

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

import httpx

from storage import dependencies, packages, versions
from storage.database import Database
from tests.api.processes import serve_command

_ROOT: Final = Path(__file__).parents[1]
_START_SECONDS: Final = 60

# Three versions in one mutation, each with needs: what is half-written would show.
_BATCH: Final = ("1.0", "1.1", "2.0")
_NEEDS: Final = ("lib", "base")

_PUBLISH: Final = """
mutation($input: PublishVersionsInput!) { publishVersions(input: $input) { published cursor } }
"""
_YANK: Final = """
mutation($input: SetVersionStatusInput!) { setVersionStatus(input: $input) { cursor } }
"""


@dataclass(slots=True)
class Told:
    """What clients were told, and what they asked for."""

    asked: set[str] = field(default_factory=set)
    published: set[str] = field(default_factory=set)
    yanked: set[str] = field(default_factory=set)
    cursors: list[int] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)
    """Answers that are no acknowledgement, of servers that were up."""

    @property
    def acknowledged(self) -> int:
        """How many writes."""
        return len(self.cursors)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a database holds after all kills."""

    lost: int
    """Acknowledged writes that are not there, or not as acknowledged."""
    half: int
    """Batches of which some is there and some is not."""
    whole: int


class Server:
    """`buildatlas serve` as a process of its own."""

    def __init__(self, url: str, *options: str, environment: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._options = options
        self._environment = environment or {}
        self._process: subprocess.Popen[str] | None = None
        self._drain = threading.Thread()
        self.address = ""

    def start(self) -> None:
        """Start it, and return once it answers."""
        self._process = subprocess.Popen(
            serve_command(self._url, *self._options),
            cwd=_ROOT,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **without_coverage(),
                "BUILDATLAS_LOG_LEVEL": "ERROR",
                "COLUMNS": "500",
                **self._environment,
            },
            start_new_session=True,
        )
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if "serves http" in line:
                self.address = line.partition("serves ")[2].split()[0].rstrip("/")
                break
        else:
            raise RuntimeError("the server does not start")
        self._drain = threading.Thread(target=_read_to_the_end, args=(self._process.stderr,))
        self._drain.start()

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it and whatever it has started, as suddenly as `how` does."""
        if self._process is not None:
            os.killpg(self._process.pid, how)
            self._process.wait()
            self._process = None
            self._drain.join()


def without_coverage() -> dict[str, str]:
    """Return the environment of a process that will be killed, and would leave half a report."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}


def _read_to_the_end(stream: IO[str]) -> None:
    with stream:
        stream.read()


@contextmanager
def clients(server: Server, told: Told, *, number: int) -> Iterator[None]:
    """Have so many clients write for as long as the block runs."""
    over = threading.Event()
    threads = [
        threading.Thread(target=_write, args=(server, told, f"c{each}", over)) for each in range(number)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _write(server: Server, told: Told, name: str, over: threading.Event) -> None:
    with httpx.Client(timeout=30) as client:
        for number in count():
            package = f"{name}-{number}"
            told.asked.add(package)
            if over.is_set():
                return
            if _ask(client, server, told, _PUBLISH, {"versions": [_version(package, v) for v in _BATCH]}):
                told.published.add(package)
                yank = {"package": package, "version": _BATCH[0], "status": "YANKED", "reason": "crash"}
                if _ask(client, server, told, _YANK, yank):
                    told.yanked.add(package)


def _version(package: str, version: str) -> dict[str, object]:
    needs = [{"package": need, "constraint": f">={version}"} for need in _NEEDS]
    return {"package": package, "version": version, "dependencies": needs}


def _ask(
    client: httpx.Client, server: Server, told: Told, mutation: str, input: Mapping[str, object]
) -> bool:
    """Tell whether the server acknowledged it. One that is down is not asked again."""
    try:
        answer = client.post(
            f"{server.address}/graphql", json={"query": mutation, "variables": {"input": input}}
        )
    except httpx.HTTPError:
        time.sleep(0.05)
        return False
    said = answer.json()
    if said.get("errors"):
        told.refused.append(said["errors"])
        time.sleep(0.05)
        return False
    told.cursors.append(int(next(iter(said["data"].values()))["cursor"]))
    return True


def kill_again_and_again(
    url: str,
    kill: Callable[[Server], None],
    *,
    kills: int,
    number: int = 6,
    longest: float = 1.0,
    options: tuple[str, ...] = (),
) -> Told:
    """Have clients write to a server that `kill` ends, and that is started anew, so many times."""
    told, chance, server = Told(), random.Random(kills), Server(url, *options)
    server.start()
    with clients(server, told, number=number):
        for _ in range(kills):
            _wait_for_writes(told)
            time.sleep(chance.uniform(0, longest))
            kill(server)
            server.start()
        _wait_for_writes(told)
    server.kill()
    return told


def _wait_for_writes(told: Told) -> None:
    """Return once this life of the server has acknowledged something."""
    before, deadline = told.acknowledged, time.monotonic() + _START_SECONDS
    while told.acknowledged < before + 5:
        assert time.monotonic() < deadline, f"nothing is acknowledged: {told.refused[-1:]}"
        time.sleep(0.01)


def look(url: str, told: Told) -> Findings:
    """Compare what is there with what was acknowledged."""
    lost = half = whole = 0
    with closing(Database.open(url)) as database, database.read() as connection:
        rows = packages.by_names(connection, told.asked)
        stored = versions.of_packages(connection, [row.id for row in rows.values()])
        ids = [row.id for each in stored.values() for row in each.values()]
        needs = dependencies.of_versions(connection, ids)
    for name in told.asked:
        of_package = list(stored[rows[name].id].values()) if name in rows else []
        is_whole = len(of_package) == len(_BATCH) and all(
            len(needs[row.id]) == len(_NEEDS) for row in of_package
        )
        is_yanked = is_whole and of_package[0].status == "YANKED"
        whole += is_whole
        half += name in rows and not is_whole
        lost += (name in told.published and not is_whole) + (name in told.yanked and not is_yanked)
    return Findings(lost, half, whole)
