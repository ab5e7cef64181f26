"""What monitoring costs and how exact it is: `python -m benchmarks.monitoring [quantiles|month|throughput]`.

quantiles   1,000,000 values over a day, by the minute, by the hour and by the day as they are rolled up, against the exact
            percentiles: the error by value, and by rank.
month       a month of minutes of one series, rolled up as a server does it, asked for in several ways; the bar is 100 ms.
throughput  operations a second of one server process that measures and of one that does not, by turns, as a ratio.
"""

import asyncio
import bisect
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import httpx
import psutil

from resolvers.metrics import MetricRequest, query
from resolvers.rollups import DAY, HOUR, MINUTE, add, roll_up
from resolvers.sketches import CLUSTERS, Summary, added_up, summary_of
from storage.database import Database
from storage.monitoring_rows import MetricRow
from storage.monitoring_tables import MetricAggregate

VALUES: Final = 1_000_000
RANKS: Final = (0.5, 0.95, 0.99)
NOW: Final = datetime(2026, 3, 1, tzinfo=UTC)
MONTH: Final = timedelta(days=30)

_DRAWS: Final[dict[str, Callable[[random.Random], float]]] = {
    "latencies (lognormal)": lambda draw: draw.lognormvariate(-4, 1.2),
    "uniform": lambda draw: draw.random(),
    "two humps": lambda draw: draw.gauss(0.01, 0.001) if draw.random() < 0.7 else draw.gauss(1, 0.1),
    "heavy tail (Pareto 1.2)": lambda draw: draw.paretovariate(1.2),
}


def quantiles() -> None:
    print(f"{VALUES:,} values over a day of 1,440 minutes")
    for name, draw_one in _DRAWS.items():
        draw = random.Random(7)
        values = [draw_one(draw) for _ in range(VALUES)]
        minutes = [_summary(values[n::1_440]) for n in range(1_440)]
        hours = [added_up(minutes[n : n + 60], clusters=CLUSTERS[3_600]) for n in range(0, 1_440, 60)]
        exact = sorted(values)
        print(f"  {name}")
        for what, parts in (("minutes", minutes), ("hours", hours)):
            whole = added_up(parts, clusters=CLUSTERS[86_400])
            print(f"    day of its {what:8}", "  ".join(_error(whole, exact, rank) for rank in RANKS))
    print(
        "  bytes of a sketch:",
        *(f"{each}: {len(_sketch(values[:each])):,}" for each in (10, 100, 10_000)),
    )


def _summary(values: Sequence[float]) -> Summary:
    found = summary_of(values)
    assert found is not None
    return found


def _sketch(values: Sequence[float]) -> bytes:
    sketch = _summary(values).row("", "", {}, NOW, MINUTE).sketch
    assert sketch is not None
    return sketch


def _error(whole: Summary, exact: Sequence[float], rank: float) -> str:
    found, true = whole.quantile(rank), exact[int(rank * len(exact))]
    off = bisect.bisect_left(exact, found) / len(exact) - rank
    return f"P{rank * 100:.0f} {100 * (found / true - 1):+.3f} % (rank {100 * off:+.4f} %)"


def month() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(Database.open(str(Path(folder) / "m.db"))) as database,
    ):
        draw = random.Random(7)
        minutes = int(MONTH.total_seconds()) // 60
        for start in range(0, minutes, 1_440):
            rows = list(_minutes(draw, NOW - MONTH + timedelta(minutes=start)))
            database.write(partial(add, rows=rows))
        began = time.perf_counter()
        made = roll_up(database, now=NOW + timedelta(minutes=2))
        print(
            f"{minutes:,} minutes of 60 values, {made} roll-ups made in {time.perf_counter() - began:.2f} s"
        )
        for seconds in (5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * MINUTE):
            for aggregate in (MetricAggregate.MEAN, MetricAggregate.P95):
                _ask(database, seconds, aggregate)


def _minutes(draw: random.Random, begin: datetime) -> Iterator[MetricRow]:
    for minute in range(1_440):
        part = _summary([draw.lognormvariate(-4, 1.2) for _ in range(60)])
        yield part.row("load", "s", {"site": "paris"}, begin + timedelta(minutes=minute), MINUTE)


def _ask(database: Database, seconds: int, aggregate: MetricAggregate) -> None:
    request = MetricRequest("load", since=NOW - MONTH, until=NOW, bucket_seconds=seconds, aggregate=aggregate)
    took = []
    for _ in range(9):
        # Not by the clock, which other tasks of the machine move on.
        began = time.process_time()
        (series,) = query(database, request, now=NOW)
        took.append(time.process_time() - began)
    print(
        f"  {aggregate:5} by {seconds:6,} s: {len(series.points):6,} points in "
        f"{min(took) * 1000:7.1f} ms of the processor"
    )


OPERATION: Final = "query Packages { packages(first: 10) { nodes { name latestVersion { version } } } }"
CLIENTS: Final = 8
ROUND_SECONDS: Final = 4.0
ROUNDS: Final = 9


def throughput() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "t.db")
        with closing(Database.open(path)):
            pass
        with _server(path, "1") as on, _server(path, "0") as off:
            _publish(on.url)
            for server in (on, off):
                server.serve(2.0)
            rounds = [
                # By turns, and each first as often: what else the machine does weighs on both.
                {server: server.serve(ROUND_SECONDS) for server in ((on, off) if number % 2 else (off, on))}
                for number in range(ROUNDS)
            ]
    for what, figure in (("operations/s", 0), ("processor ms an operation", 1)):
        with_it, without = ([each[server][figure] for each in rounds] for server in (on, off))
        ratios = [a / b for a, b in zip(with_it, without, strict=True)]
        print(
            f"{what}: measuring {statistics.median(with_it):,.2f}, not measuring {statistics.median(without):,.2f}; ratio "
            f"{statistics.median(ratios):.3f} (median of {ROUNDS} rounds, {min(ratios):.3f} to {max(ratios):.3f})"
        )


@dataclass(frozen=True, slots=True)
class Server:
    """A server process."""

    url: str
    process: psutil.Process

    def serve(self, seconds: float) -> tuple[float, float]:
        """Have it serve for so long, and return operations a second, and the processor time of each in milliseconds."""
        before = self._processor()
        rate, done = asyncio.run(_load(self.url, seconds))
        return rate, (self._processor() - before) / done * 1_000

    def _processor(self) -> float:
        times = self.process.cpu_times()
        return times.user + times.system


@contextmanager
def _server(path: str, measuring: str) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "buildatlas.cli", "serve", "--port", str(port), "--database", path],
        env={**os.environ, "BUILDATLAS_MEASURING": measuring, "BUILDATLAS_LOG_LEVEL": "ERROR"},
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            try:
                httpx.get(f"{url}/readyz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield Server(url, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _publish(url: str) -> None:
    document = "mutation($v: [PublishVersionInput!]!) { publishVersions(input: { versions: $v }) { failed } }"
    versions = [{"package": f"p{n}", "version": "1"} for n in range(100)]
    answer = httpx.post(f"{url}/graphql", json={"query": document, "variables": {"v": versions}})
    assert answer.json()["data"]["publishVersions"]["failed"] == 0


async def _load(url: str, seconds: float) -> tuple[float, int]:
    """Return how many operations a second `CLIENTS` clients are answered, and how many they were."""
    done = 0
    end = time.perf_counter() + seconds

    async def client(session: httpx.AsyncClient) -> None:
        nonlocal done
        while time.perf_counter() < end:
            answer = await session.post(f"{url}/graphql", json={"query": OPERATION})
            assert len(answer.json()["data"]["packages"]["nodes"]) == 10
            done += 1

    began = time.perf_counter()
    async with httpx.AsyncClient() as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began), done


_PARTS: Final = {"quantiles": quantiles, "month": month, "throughput": throughput}


def main(chosen: Sequence[str]) -> None:
    for name in chosen or _PARTS:
        _PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
