import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from buildatlas import subscribing
from buildatlas.client import Answer, Refused, Unreachable
from buildatlas.subscribing import subscribe

ACK = {"type": "connection_ack"}
COMPLETE = {"type": "complete", "id": "1"}
ERROR = {"message": "no such page", "extensions": {"code": "BAD_USER_INPUT"}}


def following(number: int) -> dict[str, Any]:
    return {"type": "next", "id": "1", "payload": {"data": {"number": number}}}


class Script:
    """A server that says what it is given, and keeps what it hears."""

    def __init__(self, *says: object) -> None:
        self._says = says
        self.heard: list[Any] = []

    async def __call__(self, connection: ServerConnection) -> None:
        await self._hear(connection, "connection_init")
        for each in self._says:
            await connection.send(each if isinstance(each, str | bytes) else json.dumps(each))
            if each is ACK:
                await self._hear(connection, "subscribe")
        if self._says[-1] is COMPLETE:
            self.heard += [json.loads(frame) async for frame in connection]

    async def _hear(self, connection: ServerConnection, type: str) -> None:
        while not self.heard or self.heard[-1]["type"] != type:
            self.heard.append(json.loads(await connection.recv()))


Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, protocol: str | None) -> AsyncIterator[str]:
    protocols = None if protocol is None else [Subprotocol(protocol)]
    async with serve(handler, "127.0.0.1", 0, subprotocols=protocols) as server:
        (listener,) = server.sockets
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@dataclass
class Taken:
    """What has come."""

    data: list[Answer] = field(default_factory=list)
    connections: int = 0

    def connect(self) -> None:
        self.connections += 1

    async def follow(self, url: str) -> None:
        async with aclosing(subscribe(url, "doc", {"a": 1}, acknowledged=self.connect)) as answers:
            async for data in answers:
                self.data.append(data)


def take(handler: Handler, taken: Taken, protocol: str | None = "graphql-transport-ws") -> None:
    """Subscribe, and keep what comes until there is no more."""

    async def story() -> None:
        async with serving(handler, protocol) as url:
            await taken.follow(url)

    asyncio.run(asyncio.wait_for(story(), 20))


def refused(*says: object) -> Exception:
    with pytest.raises((Refused, Unreachable)) as caught:
        take(Script(*says), Taken())
    return caught.value


def test_each_message_is_delivered_until_the_last() -> None:
    script, taken = Script(ACK, following(1), following(2), COMPLETE), Taken()

    take(script, taken)

    assert taken == Taken([{"number": 1}, {"number": 2}], connections=1)
    assert script.heard == [
        {"type": "connection_init"},
        {"type": "subscribe", "id": "1", "payload": {"query": "doc", "variables": {"a": 1}}},
    ]


def test_a_token_is_shown_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUILDATLAS_TOKEN", "bat_x")
    script = Script(ACK, COMPLETE)

    take(script, Taken())

    assert script.heard[0] == {"type": "connection_init", "payload": {"Authorization": "Bearer bat_x"}}


def test_a_token_that_is_not_valid_is_no_reason_to_try_again() -> None:
    async def refuse(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.close(4403, "the token ci has been revoked")

    with pytest.raises(Refused, match="the token ci has been revoked") as caught:
        take(refuse, Taken())
    assert caught.value.code == "UNAUTHENTICATED"


def test_a_connection_that_is_closed_for_another_reason_may_be_tried_again() -> None:
    async def leave(connection: ServerConnection) -> None:
        await connection.close(1012, "restarting")

    with pytest.raises(Unreachable, match="restarting"):
        take(leave, Taken())


def test_pings_are_answered_and_pongs_are_not() -> None:
    script = Script({"type": "ping"}, ACK, {"type": "pong"}, {"type": "ping"}, COMPLETE)

    take(script, Taken())

    assert [each["type"] for each in script.heard].count("pong") == 2


@pytest.mark.parametrize(
    "message",
    [
        {"type": "error", "id": "1", "payload": [ERROR]},
        {"type": "next", "id": "1", "payload": {"data": None, "errors": [ERROR]}},
        {"type": "next", "id": "1", "payload": {"data": {"number": None}, "errors": [ERROR]}},
    ],
)
def test_a_refusal_is_told_with_its_code(message: object) -> None:
    error = refused(ACK, message)

    assert isinstance(error, Refused)
    assert (str(error), error.code) == ("no such page", "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "says",
    [
        ("hello",),
        (b"\xff",),
        ([],),
        ({"type": 5},),
        ({"type": "next"},),
        (ACK, {"type": "next", "id": "1", "payload": {"data": None}}),
        (ACK, {"type": "error", "id": "1", "payload": []}),
        (ACK, {"type": "error", "id": "1", "payload": "no"}),
        (ACK, {"type": "connection_init"}),
    ],
)
def test_what_does_not_speak_the_protocol_is_not_taken_for_a_server(says: tuple[object, ...]) -> None:
    error = refused(*says)

    assert isinstance(error, Unreachable)
    assert "is this Buildatlas" in str(error)


@pytest.mark.parametrize("protocol", [None, "chat"])
def test_a_server_of_another_subprotocol_is_not_taken_for_one(protocol: str | None) -> None:
    with pytest.raises(Unreachable):
        take(Script(ACK), Taken(), protocol)


def test_a_connection_that_is_lost_is_told() -> None:
    taken = Taken()

    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:\d+/graphql: no connection \(received 1000"):
        take(Script(ACK, following(1)), taken)

    assert taken.data == [{"number": 1}]


def test_a_server_that_does_not_greet_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribing, "_PATIENCE", 0.5)

    with pytest.raises(Unreachable, match=r"no connection \(TimeoutError\)"):
        take(ServerConnection.wait_closed, Taken())


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://127.0.0.1:1", "ws://127.0.0.1:1/graphql"),
        ("https://127.0.0.1:1/graphql/", "wss://127.0.0.1:1/graphql"),
        ("ws://127.0.0.1:1/atlas", "ws://127.0.0.1:1/atlas/graphql"),
        ("nonsense", "nonsense/graphql"),
    ],
)
def test_no_connection_at_all_is_told_with_the_address(url: str, place: str) -> None:
    with pytest.raises(Unreachable, match="no connection") as caught:
        asyncio.run(Taken().follow(url))

    assert caught.value.url == place
