"""`python -m benchmarks.live [resume|fanout|rate|slow]…`: what live delivery costs, and that it loses nothing.

The server is a process of its own, and so are its subscribers, all in one.
"""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

import httpx
from websockets.exceptions import ConnectionClosed

from benchmarks.crowd import PATIENCE, Audience, gathered, subscribed
from benchmarks.machine import cpu_of, databases, memory_of
from tests.api.serving import PUBLISH, PUBLISH_MANY
from tests.crashes import Server
from tests.live_chaos import Chaos, Plan

_SINGLES: Final = 200
_RATE_SECONDS: Final = 20
_RATE_BATCH: Final = 100
_IDLE_SECONDS: Final = 5
_PACKAGES: Final = 100

_SAME: Final = (
    "subscription($after: String) { events(after: $after) { ... on Event { cursor kind package version } } }"
)
# Thirty kilobytes an event: what the system keeps of a connection is full after some hundred.
_WIDE: Final = (
    "subscription($after: String) {{ events(after: $after) {{ ... on Event {{ cursor {} }} }} }}".format(
        " ".join(f"a{number}{'x' * 1_000}: package" for number in range(29))
    )
)
_SLOW_SINGLES: Final = 600


@dataclass(slots=True)
class _Service:
    """A running server, and a writer."""

    server: Server
    client: httpx.Client
    fresh: Iterator[int] = field(default_factory=count)

    def publish(self) -> str:
        """Publish one version, and return the position."""
        return str(self._ask(PUBLISH, self._version())["cursor"])

    def publish_many(self, number: int) -> None:
        """Publish so many in one transaction."""
        versions = [self._version() for _ in range(number)]
        assert self._ask(PUBLISH_MANY, {"versions": versions, "atomic": True})["published"] == number

    def _version(self) -> dict[str, str]:
        """Return a new version of a package; of a new package it would be two events."""
        number = next(self.fresh)
        return {"package": f"p{number % _PACKAGES}", "version": f"1.{number // _PACKAGES}"}

    def _ask(self, document: str, input: object) -> Any:
        question = {"query": document, "variables": {"input": input}}
        answer = self.client.post(f"{self.server.address}/graphql", json=question).json()
        return next(iter(answer["data"].values()))

    def cpu(self) -> float:
        """Return the seconds of a processor that the server has used."""
        return cpu_of(self.server.pid)

    def memory(self) -> float:
        """Return the megabytes of memory that the server has."""
        return memory_of(self.server.pid)

    def idle(self) -> float:
        """Return the seconds of a processor that the server uses in a second without events."""
        before = self.cpu()
        time.sleep(_IDLE_SECONDS)
        return (self.cpu() - before) / _IDLE_SECONDS


@contextmanager
def _service() -> Iterator[_Service]:
    with tempfile.TemporaryDirectory() as folder, httpx.Client(timeout=PATIENCE) as client:
        server = Server(str(Path(folder) / "atlas.db"), environment={"BUILDATLAS_SOCKET_LIMIT": "10000"})
        server.start()
        try:
            service = _Service(server, client)
            service.publish_many(_PACKAGES)
            for _ in range(20):  # So that what is done once only is done.
                service.publish()
            yield service
        finally:
            server.kill()


@dataclass(frozen=True, slots=True)
class _Round:
    """What came of single publishes."""

    after_acknowledged: list[float]
    """Milliseconds, one for each event and subscriber."""
    last_heard: list[float]
    """Milliseconds until the last subscriber had it, one for each event."""
    cpu: float
    """Milliseconds of a processor for each event, the write included."""
    ended: list[str]
    """How those subscribers ended who were cut off."""


def _publish_singly(service: _Service, audience: Audience, number: int) -> _Round:
    """Publish one version after the other, each when everyone has heard the last."""
    service.publish()
    audience.until(1)
    idle, before, began = service.idle(), service.cpu(), time.monotonic()
    acknowledged = []
    ended: list[str] = []
    for each in range(number):
        service.publish()
        acknowledged.append(time.monotonic())
        ended = audience.until(each + 2)
    spent = service.cpu() - before - idle * (time.monotonic() - began)
    heard = [times[1:] for times in audience.times()]
    late = [[(times[n] - at) * 1e3 for times in heard] for n, at in enumerate(acknowledged)]
    return _Round(
        [each for event in late for each in event],
        [max(event, default=0) for event in late],
        spent / number * 1e3,
        ended,
    )


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.1f} ms (p99 {quantiles(values, n=100)[98]:.1f})" if values else "-"


def _show_fanout(name: str, documents: Sequence[str]) -> None:
    with _service() as service:
        bare = service.memory()
        with gathered(service.server.address, documents, service.publish()) as audience:
            grown = service.memory() - bare
            found = _publish_singly(service, audience, _SINGLES)
    print(
        f"{name}: {_SINGLES} events, each with a subscriber {_spread(found.after_acknowledged)} after the write was "
        f"acknowledged, with the last of them {_spread(found.last_heard)}; server's CPU {found.cpu:.1f} ms an event, "
        f"memory {bare:.0f} MB, with subscribers {grown:+.1f} MB; cut off {len(found.ended)}",
        flush=True,
    )


def _fanout() -> None:
    _show_fanout("nobody", [])
    _show_fanout("100 subscribers, one document", [_SAME] * 100)
    _show_fanout("1,000 subscribers, one document", [_SAME] * 1_000)
    apart = [_SAME.replace("kind", f"a{number}: kind") for number in range(100)]
    _show_fanout("100 subscribers, 100 documents", apart)


def _rate() -> None:
    _show_rate("each batch when all have the last", is_in_step=True)
    _show_rate("batches as fast as they are acknowledged", is_in_step=False)


def _show_rate(name: str, *, is_in_step: bool) -> None:
    subscribers = 100
    with (
        _service() as service,
        gathered(service.server.address, [_SAME] * subscribers, service.publish()) as audience,
    ):
        service.publish()
        audience.until(1)
        before, began, number = service.cpu(), time.monotonic(), 0
        while time.monotonic() < began + _RATE_SECONDS:
            service.publish_many(_RATE_BATCH)
            number += _RATE_BATCH
            if is_in_step:
                audience.until(1 + number)
        wrote = time.monotonic() - began
        ended = audience.until(1 + number)
        cpu = service.cpu() - before
        seconds = max(times[-1] for times in audience.times()) - began
    print(
        f"{subscribers} subscribers, {name}: {number:,} events written in {wrote:.1f} s, with everyone after "
        f"{seconds:.1f} s: {number / seconds:,.0f} events/s, {number * subscribers / seconds:,.0f} deliveries/s; server's "
        f"CPU {cpu / seconds:.0%} of a core, {cpu / number / subscribers * 1e6:.0f} µs a delivery; "
        f"cut off {len(ended)} {sorted(set(ended))}",
        flush=True,
    )


async def _dawdle(pipe: Connection, address: str, after: str) -> None:
    """Subscribe and read nothing until told to; then tell how many came, and how it ended."""
    connection = await subscribed(address, _WIDE, after)
    connection.transport.pause_reading()
    pipe.send(None)
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    connection.transport.resume_reading()
    number = 0
    try:
        while True:
            await asyncio.wait_for(connection.recv(), 10)
            number += 1
    except TimeoutError:
        pipe.send(f"was not cut off, after {number} events")
    except ConnectionClosed as closed:
        pipe.send(f"was closed with {closed.rcvd.code if closed.rcvd else closed}, after {number} events")


def _dawdle_apart(pipe: Connection, address: str, after: str) -> None:
    asyncio.run(_dawdle(pipe, address, after))


def _slow() -> None:
    subscribers = 100
    for is_there in (False, True):
        with _service() as service:
            after = service.publish()
            ours, theirs = multiprocessing.Pipe()
            slow = multiprocessing.get_context("spawn").Process(
                target=_dawdle_apart, args=(theirs, service.server.address, after)
            )
            if is_there:
                slow.start()
                ours.recv()
            with gathered(service.server.address, [_SAME] * subscribers, after) as audience:
                before = service.memory()
                found = _publish_singly(service, audience, _SLOW_SINGLES)
                grown = service.memory() - before
            end = "nobody is slow"
            if is_there:
                ours.send(None)
                end = f"the slow one {ours.recv()}"
                slow.join()
        print(
            f"{subscribers} subscribers, {end}: {_SLOW_SINGLES} events of which each is with them "
            f"{_spread(found.after_acknowledged)} after the write was acknowledged; server's CPU {found.cpu:.1f} ms an "
            f"event, memory {before:.0f} MB, then {grown:+.1f} MB; cut off {len(found.ended)}",
            flush=True,
        )


def _show_resume(name: str, url: str, *options: str) -> None:
    plan = Plan(cuts=1_000, kills=20, subscribers=45, streams=5, life=2.5, pause=1.5, options=options)
    chaos = Chaos(url, plan)
    found = chaos.run()
    print(
        f"{name}: {plan.subscribers} subscribers over WebSocket and {plan.streams} of server-sent events, cut off "
        f"{chaos.cuts:,} times, {chaos.kills} servers killed in {chaos.seconds:.0f} s; {found.events:,} events, delivered "
        f"{found.delivered:,}: lost {found.lost}, repeated {found.repeated}, out of order {found.out_of_order}, "
        f"false {found.false}",
        flush=True,
    )


def _resume() -> None:
    with databases() as urls:
        for name, url in urls.items():
            _show_resume(f"{name}, two servers", url)
    with databases() as urls:
        for name, url in urls.items():
            _show_resume(f"{name}, two servers of two processes each", url, "--workers", "2")


_PARTS: Final = {"resume": _resume, "fanout": _fanout, "rate": _rate, "slow": _slow}


def main() -> None:
    """Run the parts that are named, or all."""
    for name in sys.argv[1:] or _PARTS:
        _PARTS[name]()


if __name__ == "__main__":
    main()
