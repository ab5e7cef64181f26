"""GraphQL over WebSocket: the subprotocol graphql-transport-ws, and nothing that a bad frame can break."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Final, cast

import orjson
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message

from schema.context import Context

# A client says connection_init at once; one that does not is holding a socket for nothing.
_INIT_TIMEOUT: Final = timedelta(seconds=5)

# Operations in flight on one socket, subscriptions and queries alike.
_OPERATIONS: Final = 100


class Frames(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection. A frame of the wrong shape closes it with 4400; a refused operation ends only itself."""

    async def handle_message(self, message: Message) -> None:
        problem = _problem(message)
        if problem is None:
            await super().handle_message(message)
        else:
            await self.handle_invalid_message(problem)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        del error
        return None


class GraphQLOverWebSocket(GraphQL[Context, None]):
    """The WebSocket endpoint."""

    graphql_transport_ws_handler_class = Frames

    def __init__(self, schema: strawberry.Schema, *, context: Callable[[], Context], sockets: int) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=_INIT_TIMEOUT,
            max_subscriptions_per_connection=_OPERATIONS,
        )
        self._context = context
        self._free = sockets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket, or refuse it when as many are open as may be."""
        if self._free <= 0:
            await _refuse(WebSocket(scope, receive, send))
            return
        self._free -= 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._free += 1

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return what the operations of one socket share."""
        del request, response
        return self._context()

    def decode_json(self, data: str | bytes) -> object:
        """Read a frame."""
        return cast("object", orjson.loads(data))

    def encode_json(self, data: object) -> str:
        """Write a frame, as text: bytes would be sent as a binary frame, which the subprotocol does not have."""
        return orjson.dumps(data).decode()


async def _refuse(socket: WebSocket) -> None:
    await socket.send_denial_response(
        Response("too many open WebSockets: try again later", HTTPStatus.SERVICE_UNAVAILABLE)
    )


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
