"""Writers and readers of one event log in processes of their own, some of which are killed.

A reader tells what it was delivered line by line, so that one that is killed resumes after the last line that came.
"""

import multiprocessing
import random
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

from resolvers.subscriptions import EventSelection, Trimmed, read_events
from storage import events
from storage.database import Connection, Database
from storage.events import Change
from storage.tables import EventKind, SubjectType

_ROOT: Final = Path(__file__).parents[1]
_THREADS: Final = 4
"""Writers of one process."""


@dataclass(slots=True)
class Delivery:
    """What one reader was delivered over all its lives."""

    seqs: list[int] = field(default_factory=list)
    subjects: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    """When, by the clock that all processes share."""
    kills: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """One acknowledged write."""

    cursor: int
    subjects: tuple[int, ...]
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Story:
    """What came of a run."""

    writes: Sequence[Write]
    deliveries: Sequence[Delivery]
    seconds: float
    """From the first write to the last, without the one that was to find the readers ready."""

    @property
    def written(self) -> int:
        """How many events were acknowledged."""
        return sum(len(write.subjects) for write in self.writes)

    def lost(self) -> int:
        """How many deliveries are missing, over all readers."""
        wanted = {subject for write in self.writes for subject in write.subjects}
        return sum(len(wanted - set(each.subjects)) for each in self.deliveries)

    def repeated(self) -> int:
        """How many deliveries came twice."""
        return sum(len(each.seqs) - len(set(each.seqs)) for each in self.deliveries)


def run(url: str, *, writers: int, writes: int, readers: int, kills: int, seed: int = 1) -> Story:
    """Have `writers` write `writes` times each while `readers` read, each killed and resumed about `kills` times."""
    deliveries = [Delivery() for _ in range(readers)]
    over = threading.Event()
    watched = [
        threading.Thread(target=_read_and_kill, args=(url, each, kills, over, random.Random(seed + number)))
        for number, each in enumerate(deliveries)
    ]
    for thread in watched:
        thread.start()
    first = write_many(url, [writers], 1)
    _wait_until_read(deliveries, first)
    done = _write(url, writers, writes)
    _wait_until_read(deliveries, done)
    over.set()
    for thread in watched:
        thread.join()
    seconds = max(write.ended for write in done) - min(write.began for write in done)
    return Story([*first, *done], deliveries, seconds)


def _wait_until_read(deliveries: Sequence[Delivery], writes: Sequence[Write]) -> None:
    """Wait until every reader has been delivered the last event, or for a minute."""
    last = max(write.cursor for write in writes)
    deadline = time.monotonic() + 60
    while any(not each.seqs or each.seqs[-1] < last for each in deliveries) and time.monotonic() < deadline:
        time.sleep(0.01)


def _write(url: str, writers: int, writes: int) -> list[Write]:
    processes = -(-writers // _THREADS)
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(processes) as pool:
        jobs = [
            (url, range(first, min(first + _THREADS, writers)), writes)
            for first in range(0, writers, _THREADS)
        ]
        return [write for some in pool.starmap(write_many, jobs) for write in some]


def write_many(url: str, numbers: Sequence[int], writes: int) -> list[Write]:
    """Write as these writers, in a thread each."""
    with closing(Database.open(url)) as database, ThreadPoolExecutor(len(numbers)) as threads:
        jobs = [threads.submit(_write_as, database, number, writes) for number in numbers]
        return [write for job in jobs for write in job.result()]


def _write_as(database: Database, number: int, writes: int) -> list[Write]:
    chance = random.Random(number)
    fresh = count(number * 1_000_000)
    done: list[Write] = []
    while len(done) < writes:
        subjects = tuple(next(fresh) for _ in range(chance.choice((1, 1, 1, 2, 3))))
        gives_up = chance.random() < 0.1
        began = time.monotonic()
        try:
            cursor = database.write(partial(_append, subjects=subjects, gives_up=gives_up)).cursor
        except KeyError:
            continue
        done.append(Write(cursor, subjects, began, time.monotonic()))
    return done


def _append(connection: Connection, subjects: Sequence[int], *, gives_up: bool) -> None:
    changes = [Change(EventKind.PACKAGE_CHANGED, SubjectType.PACKAGE, each, f"p{each}") for each in subjects]
    events.append(connection, changes, at=datetime.now(UTC))
    if gives_up:
        # Its numbers are lost, or left to another.
        raise KeyError(subjects)


def _read_and_kill(
    url: str, delivery: Delivery, kills: int, over: threading.Event, chance: random.Random
) -> None:
    while not over.is_set():
        after = delivery.seqs[-1] if delivery.seqs else 0
        with subprocess.Popen(
            [sys.executable, "-m", "tests.streams", url, str(after)], cwd=_ROOT, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            listening = threading.Thread(target=_listen, args=(process.stdout, delivery))
            listening.start()
            seen = len(delivery.seqs)
            patience = chance.uniform(0.05, 0.4)
            while not over.wait(0.01):
                if delivery.kills < kills and len(delivery.seqs) > seen:
                    over.wait(patience)
                    break
            if not over.is_set():
                delivery.kills += 1
            process.kill()
            listening.join()


def _listen(lines: IO[Any], delivery: Delivery) -> None:
    for line in lines:
        if line.endswith(b"\n"):
            seq, subject, at = line.split()
            delivery.seqs.append(int(seq))
            delivery.subjects.append(int(subject))
            delivery.times.append(float(at))


def _tell(url: str, after: int) -> None:
    """Print each event after `after`, for as long as this process lives."""
    moved = threading.Event()
    with closing(Database.open(url)) as database:
        database.watch(lambda _: moved.set())
        position = after
        while True:
            moved.clear()
            found = read_events(database, position, selection=EventSelection())
            assert not isinstance(found, Trimmed)
            for row in found.events:
                sys.stdout.write(f"{row.seq} {row.subject_id} {time.monotonic()}\n")
            sys.stdout.flush()
            position = found.position
            if not found.events:
                moved.wait()


if __name__ == "__main__":
    _tell(sys.argv[1], int(sys.argv[2]))
