"""A line between a client and a server, which can be cut, and tapped."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

_CHUNK: Final = 64 * 1024


class Line:
    """Passes on what comes to its own address, to `server` and back."""

    def __init__(self, server: str) -> None:
        self.server = server
        """Where connections to come are passed on to."""
        self.address = ""
        self._asked = bytearray()
        self._answered = bytearray()
        self._is_broken = False
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def asked(self) -> str:
        """All that clients have sent."""
        return self._asked.decode(errors="replace")

    @property
    def answered(self) -> str:
        """All that servers have sent."""
        return self._answered.decode(errors="replace")

    @contextmanager
    def broken(self) -> Iterator[None]:
        """Cut every connection, and drop each that is made while the block runs."""
        self._is_broken = True
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result()
        try:
            yield
        finally:
            self._is_broken = False

    async def _cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    def run(self, is_ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve(is_ready))

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self, is_ready: threading.Event) -> None:
        listening = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.address = "http://127.0.0.1:{1}".format(*listening.sockets[0].getsockname())
        is_ready.set()
        await self._over.wait()
        listening.close()
        await self._cut()
        await listening.wait_closed()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            if not self._is_broken:
                place = urlsplit(self.server)
                answers, asks = await asyncio.open_connection(place.hostname, place.port)
                self._open |= {writer, asks}
                await asyncio.gather(_pump(reader, asks, self._asked), _pump(answers, writer, self._answered))
        writer.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: bytearray) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            record += chunk
            writer.write(chunk)
            await writer.drain()
    writer.close()


@contextmanager
def line_to(server: str) -> Iterator[Line]:
    """Give a line to the server of this address, as long as the block runs."""
    line = Line(server)
    is_ready = threading.Event()
    thread = threading.Thread(target=line.run, args=(is_ready,))
    thread.start()
    assert is_ready.wait(10), "the line is not there"
    try:
        yield line
    finally:
        line.end()
        thread.join(10)
        assert not thread.is_alive(), "the line does not end"
