"""Tokens, and clients that show them or do not."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from buildatlas.settings import Settings
from resolvers import access
from storage.database import Database
from storage.monitoring_tables import Scope
from tests.api.serving import Socket

READ = "{ packages { totalCount } }"
WRITE = 'mutation { registerPackage(input: { name: "a" }) { cursor } }'
BUILD = 'mutation { claimBuilds(input: { worker: "w" }) { claims { lease } } }'
DELETE = 'mutation { deletePackage(input: { name: "a" }) { cursor } }'
EVENTS = "subscription { events { ... on Event { cursor } } }"

HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "graphql-transport-ws",
}
"""The headers by which a client asks for a socket, for one that only looks at what it is answered."""


def token(
    settings: Settings, name: str, scopes: Scope = Scope.READ, *, expires_in: timedelta | None = None
) -> str:
    """Make a token, an hour ago, and return its secret."""
    now = datetime.now(UTC)
    expires_at = None if expires_in is None else now + expires_in
    with closing(Database.open(settings.database_url)) as database:
        made = access.create(database, name, scopes, expires_at=expires_at, now=now - timedelta(hours=1))
    return made.secret


def revoke(settings: Settings, name: str) -> None:
    with closing(Database.open(settings.database_url)) as database:
        assert access.revoke(database, name, now=datetime.now(UTC))


def bearer(secret: str | None) -> dict[str, str]:
    return {} if secret is None else {"Authorization": f"Bearer {secret}"}


def ask(
    address: str, query: str, secret: str | None = None, *, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    return httpx.post(
        f"{address}/graphql", json={"query": query}, headers={**bearer(secret), **(headers or {})}, timeout=10
    )


def stream(
    address: str, query: str, secret: str | None = None, *, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Return all that is sent for an operation that ends."""
    accept = {"Accept": "text/event-stream"}
    return httpx.post(
        f"{address}/graphql/stream",
        json={"query": query},
        headers={**accept, **bearer(secret), **(headers or {})},
        timeout=10,
    )


def streamed(response: httpx.Response) -> Any:
    """Return the first result in a stream."""
    return json.loads(response.text.partition("data: ")[2].partition("\n")[0])


def code(answer: Any) -> str | None:
    """Return the code of the one error of an answer, or None for one without."""
    errors = answer.get("errors", [])
    assert len(errors) <= 1, errors
    return errors[0]["extensions"]["code"] if errors else None


@contextmanager
def open_socket(address: str, *, headers: Mapping[str, str] | None = None) -> Iterator[Socket]:
    """Give a socket before its first message."""
    place = f"{address.replace('http', 'ws', 1)}/graphql"
    protocols = [Subprotocol("graphql-transport-ws")]
    with connect(
        place, subprotocols=protocols, additional_headers=headers or {}, open_timeout=10
    ) as connection:
        yield Socket(connection)


def greet(socket: Socket, payload: Mapping[str, object] | None = None) -> None:
    """Say who one is, and be let in."""
    socket.send({"type": "connection_init", "payload": payload})
    assert socket.receive() == {"type": "connection_ack"}


def told(socket: Socket, query: str) -> Any:
    """Return the first message about an operation."""
    socket.subscribe(query)
    return socket.receive()


def while_open(socket: Socket) -> None:
    """Read whatever comes until the socket is closed, which raises."""
    while True:
        socket.connection.recv(timeout=10)


def closing_of(socket: Socket) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        while_open(socket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason
