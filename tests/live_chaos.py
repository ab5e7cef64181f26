"""Subscribers that are cut off and servers that are killed at random moments, and what each subscriber was delivered in all."""

import asyncio
import json
import random
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, Final, NamedTuple, Protocol

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from storage import events
from storage.database import Database
from tests.api.processes import wait_until
from tests.api.serving import PUBLISH_MANY
from tests.crashes import Server

_PATIENCE: Final = 60
_QUERY: Final = """subscription($after: String) { events(after: $after) {
    __typename ... on Event { cursor package version } } }"""
_PROTOCOL: Final = Subprotocol("graphql-transport-ws")

# How long those wait who found a server gone, in seconds.
_BREATH: Final = 0.05


class Told(NamedTuple):
    """One event, as it was written or delivered."""

    seq: int
    package: str | None
    version: str | None


class Listening(Protocol):
    """A way to subscribe. `listen` does so until the connection ends."""

    got: list[Told]
    is_subscribed: bool

    async def listen(self, address: str) -> None: ...


@dataclass(slots=True)
class OverWebSocket:
    """A subscriber that speaks graphql-transport-ws."""

    got: list[Told] = field(default_factory=list)
    is_subscribed: bool = False

    async def listen(self, address: str) -> None:
        """Take what comes after the last that it has."""
        place = f"{address.replace('http', 'ws', 1)}/graphql"
        async with connect(place, subprotocols=[_PROTOCOL], ping_interval=None) as connection:
            try:
                await connection.send(json.dumps({"type": "connection_init"}))
                await connection.recv()
                payload = {"query": _QUERY, "variables": {"after": _last(self.got)}}
                await connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
                self.is_subscribed = True
                async for text in connection:
                    message = json.loads(text)
                    assert message["type"] == "next", message
                    self.got.append(_told(message["payload"]))
            finally:
                # Without a word, as a cable that is pulled.
                connection.transport.abort()


@dataclass(slots=True)
class OverEvents:
    """A subscriber that reads server-sent events, and resumes as a browser does."""

    got: list[Told] = field(default_factory=list)
    is_subscribed: bool = False

    async def listen(self, address: str) -> None:
        """Take what comes after the last that it has."""
        headers = {"Accept": "text/event-stream", "Last-Event-ID": _last(self.got)}
        async with (
            httpx.AsyncClient(timeout=_PATIENCE) as client,
            client.stream(
                "POST", f"{address}/graphql/stream", json={"query": _QUERY}, headers=headers
            ) as answer,
        ):
            assert answer.status_code == 200, answer
            self.is_subscribed = True
            data = ""
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    data = line.removeprefix("data: ")
                elif not line and data:
                    self.got.append(_told(json.loads(data)))
                    data = ""


def _last(got: Sequence[Told]) -> str:
    return str(got[-1].seq if got else 0)


def _told(result: Mapping[str, Any]) -> Told:
    event = result["data"]["events"]
    assert event["__typename"] == "Event", event
    return Told(int(event["cursor"]), event["package"], event["version"])


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is to happen."""

    cuts: int
    """Subscribers that are cut off, in all. The last few come at once, so it may be some more."""
    kills: int
    """Servers that are killed, in all."""
    subscribers: int
    """Over WebSocket; `streams` more read server-sent events."""
    streams: int = 1
    servers: int = 2
    writers: int = 4
    life: float = 2.0
    """How long a subscriber listens at most before it is cut off, in seconds."""
    pause: float = 1.0
    """How long all servers are up at most between two kills, in seconds."""
    options: tuple[str, ...] = ()
    """Of `buildatlas serve`."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was delivered, held against the log."""

    events: int
    delivered: int
    lost: int
    """Deliveries that are missing, over all subscribers."""
    repeated: int
    out_of_order: int
    false: int
    """Deliveries of what the log does not hold, or holds otherwise."""


class Chaos:
    """Servers on one database, those who write through them, and those who listen."""

    def __init__(self, url: str, plan: Plan, *, seed: int = 1) -> None:
        self.cuts = 0
        self.kills = 0
        self.acknowledged = 0
        self.seconds = 0.0
        self._url = url
        self._plan = plan
        self._chance = random.Random(seed)
        self._addresses: list[str] = []
        self._all_are_cut = asyncio.Event()
        self._over = asyncio.Event()
        self._listeners: list[Listening] = [
            *(OverWebSocket() for _ in range(plan.subscribers)),
            *(OverEvents() for _ in range(plan.streams)),
        ]

    def run(self) -> Findings:
        """Let all of it happen, and tell what each was delivered."""
        started = time.monotonic()
        with _servers(self._url, self._plan) as servers:
            self._addresses = list(servers)
            asyncio.run(self._happen(list(servers.values())))
        self.seconds = time.monotonic() - started
        return _look(self._url, [each.got for each in self._listeners])

    async def _happen(self, servers: Sequence[Server]) -> None:
        async with asyncio.TaskGroup() as tasks:
            listening = [tasks.create_task(self._listen(each)) for each in self._listeners]
            writing = [tasks.create_task(self._write(f"w{each}")) for each in range(self._plan.writers)]
            for _ in range(self._plan.kills):
                await asyncio.sleep(self._chance.uniform(0, self._plan.pause))
                server = self._chance.choice(servers)
                await asyncio.to_thread(server.kill)
                await asyncio.to_thread(server.start)
                self.kills += 1
            await self._all_are_cut.wait()
            self._over.set()
            await asyncio.gather(*writing)
            await self._until_heard(await self._publish("last", "1"))
            for task in listening:
                task.cancel()

    async def _listen(self, listener: Listening) -> None:
        while True:
            # At the end all listen for as long as it takes.
            life = None if self._all_are_cut.is_set() else self._chance.uniform(0, self._plan.life)
            listener.is_subscribed = False
            try:
                async with asyncio.timeout(life) as limit:
                    await listener.listen(self._chance.choice(self._addresses))
            except (OSError, WebSocketException, httpx.HTTPError):
                if limit.expired() and listener.is_subscribed:
                    self._count_cut()
                    continue
            await asyncio.sleep(_BREATH)

    def _count_cut(self) -> None:
        self.cuts += 1
        if self.cuts >= self._plan.cuts:
            self._all_are_cut.set()

    async def _write(self, name: str) -> None:
        for number in count():
            if self._over.is_set():
                return
            with suppress(httpx.HTTPError):
                await self._publish(f"{name}-{number}", *"123"[: self._chance.choice((1, 1, 2, 3))])
                self.acknowledged += 1
            await asyncio.sleep(self._chance.uniform(0, 2 * _BREATH))

    async def _publish(self, package: str, *versions: str) -> int:
        """Publish at any of the servers, and return the position of the last of it. Raises HTTPError."""
        wanted = [{"package": package, "version": each} for each in versions]
        variables = {"input": {"versions": wanted, "atomic": True}}
        document = PUBLISH_MANY.replace("{ published }", "{ cursor }")
        async with httpx.AsyncClient(timeout=_PATIENCE) as client:
            answer = await client.post(
                f"{self._chance.choice(self._addresses)}/graphql",
                json={"query": document, "variables": variables},
            )
        return int(answer.json()["data"]["publishVersions"]["cursor"])

    async def _until_heard(self, last: int) -> None:
        """Return once everyone was delivered what has this position, or after a minute."""
        # What is missing then is told by what is found.
        with suppress(AssertionError):
            await asyncio.to_thread(
                wait_until,
                lambda: all(int(_last(each.got)) >= last for each in self._listeners),
                seconds=_PATIENCE,
            )


@contextmanager
def _servers(url: str, plan: Plan) -> Iterator[dict[str, Server]]:
    """Give servers by their addresses, which they keep over all their lives."""
    with ExitStack() as ends:
        found = {}
        for _ in range(plan.servers):
            port = _free_port()
            server = Server(url, "--port", str(port), *plan.options)
            server.start()
            ends.callback(server.kill)
            found[f"http://127.0.0.1:{port}"] = server
        yield found


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _look(url: str, deliveries: Sequence[Sequence[Told]]) -> Findings:
    with closing(Database.open(url)) as database, database.read() as connection:
        rows = events.after(connection, 0, limit=events.newest(connection) + 1)
    log = {Told(row.seq, row.package, row.version) for row in rows}
    return Findings(
        events=len(log),
        delivered=sum(map(len, deliveries)),
        lost=sum(len(log.difference(got)) for got in deliveries),
        repeated=sum(len(got) - len(set(got)) for got in deliveries),
        out_of_order=sum(later.seq < earlier.seq for got in deliveries for earlier, later in pairwise(got)),
        false=sum(len(set(got) - log) for got in deliveries),
    )
