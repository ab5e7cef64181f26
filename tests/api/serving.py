"""A real server in a thread, and a client of its WebSocket."""

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from buildatlas.server import Server, address_of, listen
from buildatlas.settings import Settings
from buildatlas.traces import OFF, Traces

# Each event takes a few kilobytes.
_WIDE = " ".join(f"a{number}{'x' * 100}: package" for number in range(29))
WIDE_EVENTS = (
    f"subscription($after: String) {{ events(after: $after) {{ ... on Event {{ cursor {_WIDE} }} }} }}"
)
PUBLISH_MANY = """mutation($input: PublishVersionsInput!) {
    publishVersions(input: $input) { published } }"""
PUBLISH = "mutation($input: PublishVersionInput!) { publishVersion(input: $input) { cursor } }"


@contextmanager
def serving(settings: Settings, *, send_buffer: int | None = None, tracing: Traces = OFF) -> Iterator[str]:
    """Serve as long as the block runs, and give the address, without a slash at its end.

    A small `send_buffer` has the server notice sooner that a client does not read.
    """
    ready = threading.Event()
    server = Server(settings, announce=ready.set, tracing=tracing)
    with listen(settings) as listener:
        if send_buffer is not None:
            # Connections inherit it.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert ready.wait(20), "the server did not start"
            yield address_of(listener).rstrip("/")
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the server did not stop"


def publish(address: str, package: str, version: str) -> str:
    """Publish a version over HTTP, and return the cursor of the change."""
    variables = {"input": {"package": package, "version": version}}
    answer = httpx.post(f"{address}/graphql", json={"query": PUBLISH, "variables": variables}, timeout=60)
    return str(answer.json()["data"]["publishVersion"]["cursor"])


def publish_many(address: str, package: str, number: int) -> None:
    """Publish so many versions over HTTP, in one transaction."""
    versions = [{"package": package, "version": f"1.{each}"} for each in range(number)]
    variables = {"input": {"versions": versions, "atomic": True}}
    answer = httpx.post(
        f"{address}/graphql", json={"query": PUBLISH_MANY, "variables": variables}, timeout=60
    ).json()
    assert answer["data"]["publishVersions"]["published"] == number, answer


@contextmanager
def connected(
    address: str, *, initiate: bool = True, protocol: str = "graphql-transport-ws"
) -> Iterator["Socket"]:
    """Give a socket to the server, after the handshake unless `initiate` is false."""
    place = f"{address.replace('http', 'ws', 1)}/graphql"
    with connect(place, subprotocols=[Subprotocol(protocol)], open_timeout=10) as connection:
        socket = Socket(connection)
        if initiate:
            socket.send({"type": "connection_init"})
            assert socket.receive() == {"type": "connection_ack"}
        yield socket


@dataclass
class Socket:
    """A client of graphql-transport-ws."""

    connection: ClientConnection

    def send(self, message: object) -> None:
        self.connection.send(json.dumps(message))

    def receive(self) -> Any:
        return json.loads(self.connection.recv(timeout=10))

    def subscribe(self, query: str, *, id: str = "1", **variables: object) -> None:
        payload = {"query": query, "variables": variables}
        self.send({"type": "subscribe", "id": id, "payload": payload})

    def data(self) -> Mapping[str, Any]:
        """Return the data of the next message, which must hold some."""
        message = self.receive()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        found: Mapping[str, Any] = message["payload"]["data"]
        return found
