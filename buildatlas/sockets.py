"""GraphQL over WebSocket: the subprotocol graphql-transport-ws, and nothing that a bad frame can break.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import orjson
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import Message as ASGIMessage
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from buildatlas.connections import Connections, TooManyOpen, client_address
from buildatlas.doorkeeping import expulsion, secret_in
from buildatlas.origins import is_foreign
from buildatlas.requests import BadRequest
from buildatlas.traces import OFF, Traces
from buildatlas.transport import Enter, span_of
from schema.context import Context
from schema.enums import ErrorCode
from schema.errors import SlowConsumer
from schema.operations import Operation
from schema.streams import Kind, Message, Streams

log = logging.getLogger(__name__)

PROTOCOL: Final = "graphql-transport-ws"

# A client says connection_init at once; one that does not is holding a socket for nothing.
_INIT_SECONDS: Final = 5.0

# How often it is looked whether who has connected would still be let in, in seconds.
_RECOGNISE_EVERY: Final = 5.0

# A reason in a closing frame has at most 123 bytes.
_LONGEST_REASON: Final = 120


class _Closed(Exception):
    """The connection is to end, with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


TRY_AGAIN_LATER: Final = 1013
"""Of WebSocket itself. Clients take it for no reason to give up."""
BAD_REQUEST: Final = 4400
UNAUTHORIZED: Final = 4401
FORBIDDEN: Final = 4403
WRONG_PROTOCOL: Final = 4406
INIT_TIMEOUT: Final = 4408
DUPLICATE: Final = 4409
TOO_MANY_INITS: Final = 4429
SLOW_CONSUMER: Final = 4508
"""Ours: the client may connect again and resume."""


@dataclass(slots=True)
class GraphQLOverWebSocket:
    """The WebSocket endpoint."""

    streams: Streams
    enter: Enter
    connections: Connections
    most_operations: int
    """How many may be under way on one socket, subscriptions and queries alike."""
    origins: Collection[str] = ()
    """Sites whose pages may open a socket, besides our own."""
    traces: Traces = OFF

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket, or refuse it when as many are open as may be."""
        socket = WebSocket(scope, receive, send)
        if is_foreign(socket.headers, self.origins):
            await _refuse(
                socket, HTTPStatus.FORBIDDEN, "this server takes no WebSockets from pages of other sites"
            )
            return
        try:
            with self.connections.any():
                await _Connection(self, socket.headers, client_address(scope), receive, send).serve(scope)
        except TooManyOpen as full:
            await _refuse(socket, HTTPStatus.SERVICE_UNAVAILABLE, str(full))


async def _refuse(socket: WebSocket, status: HTTPStatus, problem: str) -> None:
    await socket.send_denial_response(PlainTextResponse(problem, status))


@dataclass(slots=True, eq=False)
class _Connection:
    """One socket."""

    endpoint: GraphQLOverWebSocket
    headers: Headers
    address: str
    receive: Receive
    send: Send
    counted: ExitStack = field(default_factory=ExitStack)
    """Among those of its client, once that is known."""
    operations: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    context: Context | None = None
    """Set when the client has said who it is."""
    secret: str | None = None
    is_initiated: bool = False
    is_closed: bool = False

    async def serve(self, scope: Scope) -> None:
        """Serve it to its end."""
        if PROTOCOL not in scope["subprotocols"]:
            await self.send({"type": "websocket.accept", "headers": []})
            await self._close(WRONG_PROTOCOL, "Subprotocol not acceptable")
            return
        await self.receive()
        await self.send({"type": "websocket.accept", "subprotocol": PROTOCOL, "headers": []})
        watching = [asyncio.create_task(each()) for each in (self._expect_init, self._expect_revocation)]
        try:
            with self.counted:
                await self._listen()
        except _Closed as closed:
            await self._close(closed.code, closed.reason)
        finally:
            tasks = [*watching, *self.operations.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _expect_init(self) -> None:
        await asyncio.sleep(_INIT_SECONDS)
        if not self.is_initiated:
            await self._close(INIT_TIMEOUT, "Connection initialisation timeout")

    async def _expect_revocation(self) -> None:
        """End the connection once whoever opened it may not do any more what they might when they did."""
        while True:
            await asyncio.sleep(_RECOGNISE_EVERY)
            if self.context is not None:
                entering = self.endpoint.enter(self.headers, self.secret)
                reason = await expulsion(entering, self.context.viewer)
                if reason is not None:
                    await self._close(FORBIDDEN, reason)
                    return

    async def _listen(self) -> None:
        while not self.is_closed:
            event = await self.receive()
            if event["type"] == "websocket.disconnect":
                return
            await self._handle(_read(event))

    async def _handle(self, message: Mapping[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._initiate(message.get("payload"))
            case "ping":
                await self._say({"type": "pong"})
            case "pong":
                pass
            case "subscribe":
                await self._subscribe(message["id"], message["payload"])
            case "complete":
                self._complete(message["id"])
            case other:
                raise _Closed(BAD_REQUEST, f"Unknown message type: {other}")

    async def _initiate(self, payload: object) -> None:
        if not isinstance(payload, dict | None):
            raise _Closed(BAD_REQUEST, "Invalid connection init payload")
        if self.is_initiated:
            raise _Closed(TOO_MANY_INITS, "Too many initialisation requests")
        self.is_initiated = True
        try:
            self.secret = secret_in(payload)
            context = await self.endpoint.enter(self.headers, self.secret)
            self.counted.enter_context(self.endpoint.connections.one_of(context.viewer, self.address))
        except TooManyOpen as full:
            raise _Closed(TRY_AGAIN_LATER, str(full)) from full
        except BadRequest as refusal:
            is_away = refusal.status is HTTPStatus.SERVICE_UNAVAILABLE
            raise _Closed(TRY_AGAIN_LATER if is_away else FORBIDDEN, str(refusal)) from refusal
        self.context = context
        await self._say({"type": "connection_ack"})

    async def _subscribe(self, id: str, payload: Mapping[str, Any]) -> None:
        if self.context is None:
            raise _Closed(UNAUTHORIZED, "Unauthorized")
        if id in self.operations:
            raise _Closed(DUPLICATE, f"Subscriber for {id} already exists")
        # Now, and not when it would begin: of many that come at once the last ones are refused.
        if len(self.operations) >= self.endpoint.most_operations:
            with suppress(OSError):
                await self._send_text(_frame(_named(id), _too_many(self.endpoint.most_operations)))
            return
        operation = Operation(payload["query"], payload.get("variables"), payload.get("operationName"))
        task = asyncio.create_task(self._run(id, operation, self.context))
        self.operations[id] = task

    def _complete(self, id: str) -> None:
        task = self.operations.pop(id, None)
        if task is not None:
            task.cancel()

    async def _run(self, id: str, operation: Operation, context: Context) -> None:
        # Once and for all of its messages.
        named = _named(id)
        # The client has gone, or is told by the end of the connection.
        with suppress(OSError), span_of(operation, context, self.endpoint.traces):
            try:
                async with self.endpoint.streams.deliver(operation, context) as stream:
                    async for message in stream:
                        if message.is_last and self.operations.get(id) is asyncio.current_task():
                            del self.operations[id]
                        await self._send_text(_frame(named, message))
            except SlowConsumer as slow:
                await self._close(SLOW_CONSUMER, str(slow))

    async def _say(self, message: Mapping[str, Any]) -> None:
        with suppress(OSError):
            await self._send_text(orjson.dumps(message).decode())

    def _send_text(self, text: str) -> Awaitable[None]:
        """Send one frame. Raises OSError once the client has gone."""
        return self._send({"type": "websocket.send", "text": text})

    async def _send(self, message: ASGIMessage) -> None:
        try:
            await self.send(message)
        except RuntimeError as error:
            # The web server has closed the socket by itself, and takes nothing more for it.
            raise ConnectionAbortedError(str(error)) from error

    async def _close(self, code: int, reason: str) -> None:
        self.is_closed = True
        with suppress(OSError):
            await self._send({"type": "websocket.close", "code": code, "reason": _cut(reason)})


def _too_many(most: int) -> Message:
    error = {
        "message": f"at most {most} operations may be under way on one connection",
        "extensions": {"code": ErrorCode.LIMIT_EXCEEDED.name},
    }
    return Message(Kind.ERROR, orjson.dumps([error]).decode())


def _frame(named: str, message: Message) -> str:
    payload = f',"payload":{message.payload}' if message.payload else ""
    return f'{{"type":"{message.kind.value}"{named}{payload}}}'


def _named(id: str) -> str:
    return f',"id":{orjson.dumps(id).decode()}'


def _cut(reason: str) -> str:
    return reason.encode()[:_LONGEST_REASON].decode(errors="ignore")


def _read(event: Mapping[str, Any]) -> Mapping[str, Any]:
    text = event.get("text")
    if text is None:
        raise _Closed(BAD_REQUEST, "WebSocket message type must be text")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _Closed(BAD_REQUEST, "WebSocket message must be valid JSON") from error
    problem = _problem(message)
    if problem is not None:
        raise _Closed(BAD_REQUEST, problem)
    found: Mapping[str, Any] = message
    return found


def _problem(message: object) -> str | None:
    """Return what keeps `message` from being a frame of the subprotocol, or None."""
    if not isinstance(message, dict):
        return "a message must be a JSON object"
    if not isinstance(message.get("type"), str):
        return "a message must have a `type`"
    if message["type"] in {"subscribe", "complete"} and not isinstance(message.get("id"), str):
        return "the `id` of an operation must be a string"
    if message["type"] == "subscribe":
        return _payload_problem(message.get("payload"))
    return None


def _payload_problem(payload: object) -> str | None:
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return "`payload.query` must be a string"
    if not isinstance(payload.get("variables"), dict | None):
        return "`payload.variables` must be an object"
    if not isinstance(payload.get("operationName"), str | None):
        return "`payload.operationName` must be a string"
    return None
