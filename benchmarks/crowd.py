"""A crowd of subscribers in a process of its own.

They connect as any client of WebSockets does; from then on frames are only stamped and counted as they come in, so that it is
the server that is measured. Times are by the clock that all processes share.
"""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

PATIENCE: Final = 120
"""How long something is waited for, in seconds."""

_PROTOCOL: Final = Subprotocol("graphql-transport-ws")

_TEXT, _CLOSE, _PING = 1, 8, 9


@dataclass(slots=True)
class Audience:
    """Subscribers in a process of their own, as seen from here."""

    _pipe: Connection

    def until(self, each: int) -> list[str]:
        """Wait until everyone has heard so many; return how those ended who were cut off."""
        self._pipe.send(each)
        ended: list[str] = self._pipe.recv()
        return ended

    def times(self) -> list[list[float]]:
        """Let them go, and return when each heard what."""
        self._pipe.send(None)
        times: list[list[float]] = self._pipe.recv()
        return times


@contextmanager
def gathered(address: str, documents: Sequence[str], after: str) -> Iterator[Audience]:
    """Have one subscriber of each document as long as the block runs, all of them connected before it begins."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_listen_apart, args=(theirs, address, documents, after))
    process.start()
    try:
        ours.recv()
        yield Audience(ours)
    finally:
        process.join(PATIENCE)
        process.kill()


async def subscribed(
    address: str, document: str, after: str, *, create: type[ClientConnection] = ClientConnection
) -> ClientConnection:
    """Connect, and subscribe to what comes after a position."""
    connection = await connect(
        f"{address.replace('http', 'ws', 1)}/graphql",
        subprotocols=[_PROTOCOL],
        ping_interval=None,
        compression=None,
        max_size=None,
        create_connection=create,
    )
    await connection.send(json.dumps({"type": "connection_init"}))
    await connection.recv()
    if isinstance(connection, _Ear):
        connection.is_listening = True
    payload = {"query": document, "variables": {"after": after}}
    await connection.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
    return connection


def _listen_apart(pipe: Connection, address: str, documents: Sequence[str], after: str) -> None:
    asyncio.run(_listen(pipe, address, documents, after))


class _Ear(ClientConnection):
    """A connection that, once told to listen, notes when each result has come in."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.is_listening = False
        self.times: list[float] = []
        self.ended: str | None = None
        self.heard: Callable[[], None] = lambda: None
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        if not self.is_listening:
            super().data_received(data)
            return
        now = time.monotonic()
        self._rest += data
        while (frame := _frame(self._rest)) is not None:
            opcode, payload, size = frame
            self._rest = self._rest[size:]
            if opcode == _TEXT and payload.startswith(b'{"type":"next"'):
                self.times.append(now)
                self.heard()
            elif opcode == _PING:
                self.protocol.send_pong(payload)
                self.send_data()
            else:
                self.ended = str(int.from_bytes(payload[:2], "big")) if opcode == _CLOSE else payload.decode()


def _frame(data: bytes) -> tuple[int, bytes, int] | None:
    """Return a frame's opcode, payload and size, or None while some of it is missing. Servers mask nothing."""
    if len(data) < 2:
        return None
    length, start = data[1], 2
    if length > 125:
        start = 4 if length == 126 else 10
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        return None
    return data[0] & 0x0F, data[start : start + length], start + length


@dataclass(slots=True)
class _Crowd:
    """Subscribers in the process that listens."""

    ears: list[_Ear] = field(default_factory=list)
    total: int = 0
    goal: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self) -> None:
        self.total += 1
        if self.total >= self.goal:
            self.reached.set()

    async def until(self, each: int) -> list[str]:
        """Return once everyone has heard so many, or was cut off, or it takes too long; and how those ended who did."""
        self.goal = each * len(self.ears)
        if self.total < self.goal:
            self.reached.clear()
            with_time = asyncio.wait_for(self.reached.wait(), PATIENCE)
            try:
                await with_time
            except TimeoutError:
                return [
                    ear.ended or f"{len(ear.times)} of {each}" for ear in self.ears if len(ear.times) < each
                ]
        return [ear.ended for ear in self.ears if ear.ended is not None]


async def _listen(pipe: Connection, address: str, documents: Sequence[str], after: str) -> None:
    crowd, loop = _Crowd(), asyncio.get_running_loop()
    for document in documents:
        ear = await subscribed(address, document, after, create=_Ear)
        assert isinstance(ear, _Ear)
        ear.heard = crowd.hear
        crowd.ears.append(ear)
    pipe.send(None)
    while (wanted := await loop.run_in_executor(None, pipe.recv)) is not None:
        pipe.send(await crowd.until(wanted))
    pipe.send([ear.times for ear in crowd.ears])
    for ear in crowd.ears:
        ear.transport.abort()
