"""`python -m benchmarks.polling`: what a dashboard costs that polls while nothing changes, with a tag and without.

The server is a process of its own, and one client asks it over one connection, as fast as it is answered. The two ways take turns,
so that whatever else the machine does meets both alike.
"""

import time
from dataclasses import dataclass
from statistics import median
from typing import Final

import httpx

from benchmarks.machine import cpu_of, databases
from tests.api.processes import server_process
from tests.schema.crowd import crowd

_CROWD: Final = 30
_POLLS: Final = 200
_ROUNDS: Final = 7

QUERY: Final = """{
    runs(first: 10) { totalCount nodes { id status conclusion createdAt completedAt total counts { status conclusion count } } }
    builds(first: 50) { totalCount nodes {
        id status conclusion reason attempt worker queuedAt startedAt completedAt
        packageVersion { version package { name status } } run { id } } }
    packages(first: 50) { totalCount nodes { name status updatedAt latestVersion { version status } } }
}"""


@dataclass(frozen=True, slots=True)
class _Way:
    """What polling costs: the server's CPU and the time that passes, each in seconds a poll."""

    cpu: float
    passed: float


def _poll(client: httpx.Client, process: int, status: int, **headers: str) -> _Way:
    cpu, began = cpu_of(process), time.perf_counter()
    for _ in range(_POLLS):
        answer = client.get("/graphql", params={"query": QUERY}, headers=headers)
        assert answer.status_code == status, answer.text
    return _Way((cpu_of(process) - cpu) / _POLLS, (time.perf_counter() - began) / _POLLS)


def _measure(name: str, url: str) -> None:
    with crowd(url, _CROWD):
        pass
    with server_process(url) as server, httpx.Client(base_url=server.address, timeout=60) as client:
        process = server.process.pid
        first = client.get("/graphql", params={"query": QUERY})
        tag = {"If-None-Match": first.headers["etag"]}
        rounds = [(_poll(client, process, 200), _poll(client, process, 304, **tag)) for _ in range(_ROUNDS)]
    whole, unchanged = (
        _Way(median(each.cpu for each in ways), median(each.passed for each in ways))
        for ways in zip(*rounds, strict=True)
    )
    print(
        f"{name}: an answer of {len(first.content):,} bytes {whole.cpu * 1e3:.2f} ms of the server's CPU and "
        f"{1 / whole.passed:,.0f} polls/s; that it still holds {unchanged.cpu * 1e3:.2f} ms and "
        f"{1 / unchanged.passed:,.0f} polls/s: {whole.cpu / unchanged.cpu:.1f} times less CPU, "
        f"{whole.passed / unchanged.passed:.1f} times as many polls",
        flush=True,
    )


def main() -> None:
    """Measure it on both databases."""
    with databases() as urls:
        for name, url in urls.items():
            _measure(name, url)


if __name__ == "__main__":
    main()
