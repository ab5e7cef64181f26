"""One subscription to a server: the subprotocol graphql-transport-ws, as its client.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from buildatlas.client import Answer, Refused, Unreachable, credentials, raise_first

_PROTOCOL: Final = Subprotocol("graphql-transport-ws")

# How a server ends the connection of who shows no valid token.
_FORBIDDEN: Final = 4403

# There is one operation on a socket.
_ID: Final = "1"

# For the connection, and again for the handshake: no query has to be answered for either.
_PATIENCE: Final = 10.0

# For the goodbye: nothing is lost without it.
_CLOSE_PATIENCE: Final = 1.0


async def subscribe(
    url: str, document: str, variables: Mapping[str, Any], *, acknowledged: Callable[[], object]
) -> AsyncGenerator[Answer, None]:
    """Yield the data of each message, until the server says that there will be no more.

    `acknowledged` is called once the server has taken the connection. Raises Refused, and Unreachable also when the
    connection is lost.
    """
    place = _place(url)
    try:
        # A part of a snapshot is of any size, and a server that has been chosen is trusted with that.
        async with connect(
            place,
            subprotocols=[_PROTOCOL],
            open_timeout=_PATIENCE,
            close_timeout=_CLOSE_PATIENCE,
            max_size=None,
        ) as connection:
            if connection.subprotocol != _PROTOCOL:
                raise _stranger(place)
            await _initiate(connection, place)
            acknowledged()
            payload = {"query": document, "variables": dict(variables)}
            await _say(connection, {"type": "subscribe", "id": _ID, "payload": payload})
            while (data := _data(await _hear(connection, place), place)) is not None:
                yield data
    except ConnectionClosed as error:
        if error.rcvd is not None and error.rcvd.code == _FORBIDDEN:
            raise Refused(error.rcvd.reason, "UNAUTHENTICATED") from error
        raise _lost(place, error) from error
    except (OSError, WebSocketException) as error:
        raise _lost(place, error) from error


def _lost(place: str, error: Exception) -> Unreachable:
    return Unreachable(place, f"no connection ({str(error) or type(error).__name__})")


def _place(url: str) -> str:
    """Return where the server at `url` takes WebSockets; what is no URL at all is left to whoever opens it."""
    scheme, there, rest = (url.rstrip("/").removesuffix("/graphql") + "/graphql").partition("://")
    return {"http": "ws", "https": "wss"}.get(scheme, scheme) + there + rest


async def _initiate(connection: ClientConnection, place: str) -> None:
    shown = credentials(os.environ)
    await _say(connection, {"type": "connection_init", **({"payload": shown} if shown else {})})
    async with asyncio.timeout(_PATIENCE):
        answer = await _hear(connection, place)
    if answer["type"] != "connection_ack":
        raise _stranger(place)


async def _hear(connection: ClientConnection, place: str) -> dict[str, Any]:
    """Return the next message that is about more than the connection."""
    while True:
        message = _read(await connection.recv(), place)
        if message["type"] == "ping":
            await _say(connection, {"type": "pong"})
        elif message["type"] != "pong":
            return message


async def _say(connection: ClientConnection, message: Mapping[str, Any]) -> None:
    await connection.send(orjson.dumps(message).decode())


def _read(frame: str | bytes, place: str) -> dict[str, Any]:
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError as error:
        raise _stranger(place) from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _stranger(place)
    return message


def _data(message: Mapping[str, Any], place: str) -> Answer | None:
    """Return the data of a message; None: it was the last. Raises Refused, and Unreachable for what is no such message."""
    match message:
        case {"type": "next", "payload": {"data": dict() as data}}:
            raise_first(message["payload"].get("errors"))
            return data
        case {"type": "next", "payload": {"errors": list() as errors}} | {
            "type": "error",
            "payload": list() as errors,
        } if errors:
            raise_first(errors)
        case {"type": "complete"}:
            return None
    raise _stranger(place)


def _stranger(place: str) -> Unreachable:
    return Unreachable(place, "an answer that is not graphql-transport-ws: is this Buildatlas?")
