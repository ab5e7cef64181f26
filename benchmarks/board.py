"""`python -m benchmarks.board [SECONDS] [BUILDS_PER_SECOND]`: a run's board in Chromium while builds end, as many a second.

Builds of one run are moved through all of their states in the database, five events each, and queued again once they are
all done, so that it goes on for as long as is wanted. The server is a process of its own and delivers as ever. One build is
held throughout: the name of its worker is changed with each transaction, and the page searches for its row, so that every
frame looks through all builds. The time until that name is on the page is the lag.
"""

import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import httpx
from playwright.sync_api import CDPSession, Page
from sqlalchemy import Connection, select

from benchmarks.machine import cpu_of
from storage import events
from storage.build_tables import BUILDS
from storage.database import Database
from storage.events import Change
from storage.tables import PACKAGES, EventKind, SubjectType
from storage.transitions import BuildConclusion, BuildStatus
from tests.crashes import Server
from tests.dashboard.catalogue import fill
from tests.dashboard.pages import browsing

_BUILDS: Final = 34_288
"""As many as Debian has."""

_TICKS: Final = 10
"""Transactions a second."""

_START: Final = "mutation { startRun(input: {plan: {}}) { run { id } } }"
_PROBE: Final = "probe"
_STAGES: Final = (
    BuildStatus.ASSIGNED,
    BuildStatus.PREPARING,
    BuildStatus.RUNNING,
    BuildStatus.FINALIZING,
    BuildStatus.COMPLETED,
)
_LATE_FRAME: Final = 50
"""Milliseconds between two frames from which on a reader sees it stutter."""

_WATCH: Final = """lateFrame => {
    const seen = window.seen = {ticks: [], frames: 0, late: 0, worst: 0};
    let last = performance.now();
    const frame = now => {
        seen.frames += 1;
        if (now - last > lateFrame) seen.late += 1;
        seen.worst = Math.max(seen.worst, now - last);
        last = now;
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    let shown = "";
    new MutationObserver(() => {
        const text = document.querySelector(".board-who")?.textContent ?? "";
        if (text !== shown) seen.ticks.push([text, Date.now()]);
        shown = text;
    }).observe(document.querySelector("main"), {subtree: true, childList: true, characterData: true});
}"""


def main() -> None:
    """Measure it, and print what was found."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    rate = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "atlas.db")
        _fill(path)
        server = Server(path)
        server.start()
        try:
            with closing(Database.open(path)) as database:
                run = _start(server.address)
                with _board(f"{server.address}/#/runs/{run}?text={_PROBE}") as tab:
                    _measure(tab, _Feed(database, rate // _TICKS), server, seconds)
        finally:
            server.kill()


def _fill(path: str) -> None:
    names = [_PROBE, *(f"p{number}" for number in range(_BUILDS - 1))]
    lines = (f'{{"name": "{name}", "version": "1"}}'.encode() for name in names)
    fill(path, lines)


def _start(address: str) -> str:
    answer = httpx.post(f"{address}/graphql", json={"query": _START}, timeout=300).json()
    return str(answer["data"]["startRun"]["run"]["id"])


@dataclass(slots=True)
class _Feed:
    """Moves builds, some of them with each transaction."""

    database: Database
    each: int
    told: dict[str, float] = field(default_factory=dict)
    """When the transaction was acknowledged that named a worker so."""
    number: int = 0
    events: int = 0
    _idle: deque[int] = field(default_factory=deque)
    _names: dict[int, str] = field(default_factory=dict)
    _run: int = 0
    _probe: int = 0
    _stages: deque[list[int]] = field(default_factory=deque)

    def begin(self) -> None:
        """Have the probe held, and nothing else."""
        named = BUILDS.join(PACKAGES, PACKAGES.c.id == BUILDS.c.package_id)
        asked = select(BUILDS.c.id, BUILDS.c.run_id, PACKAGES.c.name).select_from(named).order_by(BUILDS.c.id)
        with self.database.read() as connection:
            rows = connection.execute(asked).all()
        self._names = {row.id: row.name for row in rows}
        self._run = rows[0].run_id
        self._probe = next(id_ for id_, name in self._names.items() if name == _PROBE)
        self._idle.extend(id_ for id_ in self._names if id_ != self._probe)
        self.database.write(self._hold, of_catalogue=False)

    def tick(self) -> None:
        """Move the builds of each stage one further."""
        self.number += 1
        worker = f"tick {self.number}"
        fresh = [self._idle.popleft() for _ in range(self.each)]
        self._stages.appendleft(fresh)
        self.database.write(lambda connection: self._move(connection, worker), of_catalogue=False)
        self.told[worker] = time.time() * 1e3
        if len(self._stages) == len(_STAGES):
            self._idle.extend(self._stages.pop())

    def _hold(self, connection: Connection) -> None:
        now = datetime.now(UTC)
        held = {
            "status": BuildStatus.ASSIGNED,
            "worker": "begin",
            "lease_expires_at": now + timedelta(days=1),
        }
        self._set(connection, [self._probe], held, now)
        self._set(connection, [self._probe], {"status": BuildStatus.RUNNING, "started_at": now}, now)

    def _move(self, connection: Connection, worker: str) -> None:
        now = datetime.now(UTC)
        # Those that have been here before begin again, each with one attempt more.
        done = BUILDS.c.status == BuildStatus.COMPLETED
        again = {"status": BuildStatus.QUEUED, "conclusion": None, "completed_at": None}
        fresh = BUILDS.c.id.in_(self._stages[0])
        values = {**again, "max_attempts": BUILDS.c.max_attempts + 1}
        connection.execute(BUILDS.update().where(fresh, done).values(values))
        for ids, stage in zip(self._stages, _STAGES, strict=False):
            self._set(connection, ids, {"status": stage, **_moments(stage, now)}, now)
        self._set(connection, [self._probe], {"worker": worker}, now)

    def _set(self, connection: Connection, ids: Sequence[int], values: dict[str, Any], now: datetime) -> None:
        connection.execute(BUILDS.update().where(BUILDS.c.id.in_(ids)).values(values))
        told = [
            Change(EventKind.BUILD_CHANGED, SubjectType.BUILD, id_, self._names[id_], "1", self._run)
            for id_ in ids
        ]
        events.append(connection, told, at=now)
        self.events += len(told)


def _moments(stage: BuildStatus, now: datetime) -> dict[str, Any]:
    match stage:
        case BuildStatus.ASSIGNED:
            return {"worker": "builder", "lease_expires_at": now + timedelta(hours=1)}
        case BuildStatus.RUNNING:
            return {"started_at": now}
        case BuildStatus.COMPLETED:
            ending = BuildConclusion.SUCCESS
            return {"conclusion": ending, "completed_at": now, "lease_expires_at": None}
        case _:
            return {}


@dataclass(frozen=True, slots=True)
class _Tab:
    page: Page
    developer: CDPSession
    browser: CDPSession

    def metrics(self) -> dict[str, float]:
        """Return what the browser counts of the tab, garbage let go before."""
        self.developer.send("HeapProfiler.collectGarbage")
        found = self.developer.send("Performance.getMetrics")["metrics"]
        return {each["name"]: each["value"] for each in found}

    def cpu(self) -> float:
        """Return the seconds of a processor that the browser has used, the drawing included."""
        return float(
            sum(each["cpuTime"] for each in self.browser.send("SystemInfo.getProcessInfo")["processInfo"])
        )


@contextmanager
def _board(address: str) -> Iterator[_Tab]:
    with browsing() as browser:
        page = browser.new_page()
        page.set_default_timeout(300_000)
        began = time.monotonic()
        page.goto(address)
        page.locator(".board-row").wait_for()
        page.locator(".loading").wait_for(state="detached")
        print(f"{_BUILDS:,} builds shown after {time.monotonic() - began:.1f} s", flush=True)
        developer = page.context.new_cdp_session(page)
        developer.send("Performance.enable")
        yield _Tab(page, developer, browser.new_browser_cdp_session())


def _measure(tab: _Tab, feed: _Feed, server: Server, seconds: int) -> None:
    feed.begin()
    tab.page.evaluate(_WATCH, _LATE_FRAME)
    before, tab_cpu, cpu, began = tab.metrics(), tab.cpu(), cpu_of(server.pid), time.monotonic()
    heaps = [before["JSHeapUsedSize"]]
    wrote = 0.0
    while (passed := time.monotonic() - began) < seconds:
        due = began + feed.number / _TICKS
        time.sleep(max(0.0, due - time.monotonic()))
        start = time.monotonic()
        feed.tick()
        wrote += time.monotonic() - start
        if passed >= seconds / 10 * len(heaps):
            heaps.append(tab.metrics()["JSHeapUsedSize"])
    took, written = time.monotonic() - began, feed.events
    last = f"tick {feed.number}"
    tab.page.locator(".board-who", has_text=last).first.wait_for()
    caught_up = time.monotonic() - began - took
    after = tab.metrics()
    heaps.append(after["JSHeapUsedSize"])
    seen = tab.page.evaluate("window.seen")
    lags = [at - feed.told[text] for text, at in seen["ticks"] if text in feed.told]
    cut = quantiles(lags, n=100)
    print(
        f"{feed.number * feed.each / took:,.0f} builds/s, {written / took:,.0f} events/s for {took:.0f} s "
        f"({wrote / took:.0%} of it writing)"
    )
    print(
        f"lag: median {median(lags):.0f} ms, 99 % {cut[98]:.0f} ms, most {max(lags):.0f} ms "
        f"of {len(lags):,} ticks seen of {feed.number:,}; the last shown {caught_up:.1f} s after the end"
    )
    print(f"heap after each tenth: {', '.join(f'{each / 1e6:.1f}' for each in heaps)} MB")
    print(
        f"browser: {(tab.cpu() - tab_cpu) / took:.0%} of a core; {after['Nodes']:.0f} nodes, "
        f"before {before['Nodes']:.0f}; {seen['late']:,} of {seen['frames']:,} frames later than {_LATE_FRAME} ms, "
        f"the worst {seen['worst']:.0f} ms; server {(cpu_of(server.pid) - cpu) / took:.0%} of a core",
        flush=True,
    )


if __name__ == "__main__":
    main()
