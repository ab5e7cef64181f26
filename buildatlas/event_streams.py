"""GraphQL over server-sent events: graphql-sse with a connection for each operation, which a browser's EventSource can read.

https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from buildatlas.connections import Connections, TooManyOpen, client_address
from buildatlas.doorkeeping import expulsion
from buildatlas.negotiation import accepts
from buildatlas.observability import note
from buildatlas.requests import JSON, BadRequest, check_method, refusal
from buildatlas.traces import OFF, Traces
from buildatlas.transport import BodyLimits, Enter, forbid_mutation, read_operation, span_of
from schema.context import Context
from schema.enums import ErrorCode
from schema.errors import SlowConsumer
from schema.operations import Operation
from schema.pipeline import name_of
from schema.streams import Kind, Message, Stream, Streams

EVENT_STREAM: Final = "text/event-stream"

_ALLOWED: Final = ("GET", "POST")

# Proxies close what is silent for longer than half a minute or so.
_KEEP_ALIVE_SECONDS: Final = 12.0
_KEEP_ALIVE: Final = ":\n\n"

# How often it is looked whether who has connected would still be let in, in seconds.
_RECOGNISE_EVERY: Final = 5.0


@dataclass(frozen=True, slots=True)
class GraphQLOverEvents:
    """The endpoint of event streams: one request, one operation, all of its results."""

    streams: Streams
    enter: Enter
    body_limits: BodyLimits
    connections: Connections
    traces: Traces = OFF

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with ExitStack() as counted:
            response = await self._answer(Request(scope, receive), counted)
            await response(scope, receive, send)

    async def _answer(self, request: Request, counted: ExitStack) -> Response:
        try:
            _check_accept(request.headers.get("accept"))
            check_method(request.method, _ALLOWED)
            counted.enter_context(self.connections.any())
            context = await self.enter(request.headers)
            counted.enter_context(self.connections.one_of(context.viewer, client_address(request.scope)))
            operation = await read_operation(request, self.body_limits.of(context))
            note(operation=name_of(operation, context))
            if request.method == "GET":
                forbid_mutation(operation)
        except TooManyOpen as full:
            return refusal(_too_many(full), JSON)
        except BadRequest as problem:
            return refusal(problem, JSON)
        # A browser that connects again says what it has got.
        after = request.headers.get("last-event-id") or None
        return StreamingResponse(
            self._events(request.headers, operation, context, after),
            media_type=EVENT_STREAM,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _events(
        self, headers: Headers, operation: Operation, context: Context, after: str | None
    ) -> AsyncIterator[str]:
        # The client learns at once that it is connected.
        yield _KEEP_ALIVE
        expelled = asyncio.create_task(self._expel(headers, context))
        try:
            with span_of(operation, context, self.traces):
                async with self.streams.deliver(operation, context, after=after) as stream:
                    async for text in _texts(stream, until=expelled):
                        yield text
        except SlowConsumer:
            # It ends without `complete`, so the client connects again, and goes on after the last that it has.
            return
        finally:
            expelled.cancel()

    async def _expel(self, headers: Headers, context: Context) -> None:
        """Return once who asked may not do any more what they might when they did."""
        while True:
            await asyncio.sleep(_RECOGNISE_EVERY)
            if await expulsion(self.enter(headers), context.viewer) is not None:
                return


def _too_many(full: TooManyOpen) -> BadRequest:
    return BadRequest(HTTPStatus.SERVICE_UNAVAILABLE, str(full), code=ErrorCode.LIMIT_EXCEEDED)


def _check_accept(header: str | None) -> None:
    if accepts(header, (EVENT_STREAM,)) is None:
        raise BadRequest(HTTPStatus.NOT_ACCEPTABLE, f"this endpoint answers in {EVENT_STREAM}")


async def _texts(stream: Stream, *, until: asyncio.Future[None]) -> AsyncIterator[str]:
    """Yield what is sent: the messages, and now and then a sign of life. Nothing more once `until` is done."""
    coming: asyncio.Future[Message] | None = None
    try:
        while not until.done():
            coming = coming or asyncio.ensure_future(anext(stream))
            either: set[asyncio.Future[Any]] = {coming, until}
            await asyncio.wait(either, timeout=_KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                yield _KEEP_ALIVE
                continue
            try:
                message = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            for text in _written(message):
                yield text
    finally:
        if coming is not None:
            coming.cancel()


def _written(message: Message) -> list[str]:
    place = "" if message.cursor is None else f"id: {message.cursor}\n"
    match message.kind:
        case Kind.NEXT:
            return [f"event: next\n{place}data: {message.payload}\n\n"]
        case Kind.ERROR:
            # The protocol has no event for it: a result that holds nothing but errors.
            return [f'event: next\ndata: {{"errors":{message.payload}}}\n\n', _COMPLETE]
        case _:
            return [_COMPLETE]


_COMPLETE: Final = "event: complete\ndata:\n\n"
