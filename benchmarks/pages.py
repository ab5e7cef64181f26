"""`python -m benchmarks.pages`: how big the dashboard is, and how soon its pages can be read.

The size is that of all its files but the IDE's, each compressed as the server sends it. Each page is opened several times by a
browser that has nothing in its cache, on the catalogue of Julia (all of it where `BUILDATLAS_JULIA` says where that is): when the
first thing is painted, when the largest is, and how much was fetched.
"""

import gzip
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Final

from playwright.sync_api import Browser

from benchmarks.stored import stored_julia
from dashboard.build import BUILT
from tests.api.processes import server_process
from tests.dashboard.pages import browsing

_ROUNDS: Final = 5
_PAGES: Final = {
    "overview": "/",
    "packages": "/packages",
    "a package": "/packages/DataFrames",
    "a version": "/packages/DataFrames/1.6.1",
    "resolve": "/resolve?r=DataFrames&r=CSV",
    "graph": "/graph?focus=DataFrames",
    "cycles": "/cycles",
    "plan": "/plan?package=DataFrames",
    "runs": "/runs",
    "monitoring": "/monitoring",
}
# As Starlette's middleware has it.
_LEVEL: Final = 9

_MARKS: Final = """() => new Promise(tell => new PerformanceObserver(list => {
    const largest = list.getEntries().at(-1).startTime;
    const first = performance.getEntriesByName("first-contentful-paint")[0].startTime;
    const bytes = performance.getEntriesByType("resource").reduce((sum, each) => sum + each.transferSize, 0);
    tell({ first, largest, bytes });
}).observe({ type: "largest-contentful-paint", buffered: true }))"""


def _parts(page: str) -> Iterator[Path]:
    """Yield the files that a page may ever ask for."""
    waiting, known = [BUILT / page], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in known or not path.exists():
            continue
        known.add(path)
        yield path
        if path.suffix in {".html", ".js"}:
            waiting += [
                BUILT / "assets" / name for name in re.findall(r"[\w.-]+\.(?:js|css)", path.read_text())
            ]


def _size() -> None:
    sizes = {path.name: len(gzip.compress(path.read_bytes(), _LEVEL)) for path in _parts("index.html")}
    print(
        f"the dashboard: {sum(sizes.values()) / 1e3:.1f} kB compressed in {len(sizes)} files; the largest of them:"
    )
    for name, size in sorted(sizes.items(), key=lambda each: -each[1])[:5]:
        print(f"  {size / 1e3:6.1f} kB  {name}")


def _open(browser: Browser, address: str) -> dict[str, float]:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.locator("main h1").wait_for()
        page.wait_for_function("() => document.querySelector('main .loading') === null")
        found: dict[str, float] = page.evaluate(_MARKS)
        return found


def _paints(url: str) -> None:
    with server_process(url) as server, browsing() as browser:
        for name, path in _PAGES.items():
            seen = [_open(browser, f"{server.address}/#{path}") for _ in range(_ROUNDS)]
            first, largest, fetched = (
                median(each[mark] for each in seen) for mark in ("first", "largest", "bytes")
            )
            print(
                f"{name:12} first paint {first:5.0f} ms, largest {largest:5.0f} ms, fetched {fetched / 1e3:5.0f} kB"
            )


def main() -> None:
    """Measure, and print what was seen."""
    _size()
    with tempfile.TemporaryDirectory() as folder, stored_julia(Path(folder)):
        _paints(str(Path(folder) / "julia.db"))


if __name__ == "__main__":
    main()
