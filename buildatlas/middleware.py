"""What wraps every request: its id, who may ask, one line in the log, and an answer where all else fails."""

import logging
import time
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from buildatlas.observability import Asked, accepted_request_id, asked, is_refused, request_id
from buildatlas.requests import JSON, response
from buildatlas.settings import is_loopback
from resolvers.measurements import OTHER, REQUEST
from resolvers.measuring import SILENT, Measurer
from schema.enums import ErrorCode

_HEADER: Final = "X-Request-Id"

# How an answer begins: to a request, and to the handshake of a WebSocket that is not to be.
_ANSWER: Final = "http.response.start"
_REFUSAL: Final = "websocket.http.response.start"

# A client may call its method as it likes.
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "WebSocket"})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RequestIds:
    """Gives each request an id, its caller's or a new one, and sends it back."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        current = accepted_request_id(Headers(scope=scope).get(_HEADER))

        # No coroutine of its own: one is made for each message that goes to each of a thousand subscribers.
        def send_with_id(message: Message) -> Awaitable[None]:
            if message["type"] in {_ANSWER, _REFUSAL, "websocket.accept"}:
                MutableHeaders(scope=message)[_HEADER] = current
            return send(message)

        token = request_id.set(current)
        try:
            await self.app(scope, receive, send_with_id)
        finally:
            request_id.reset(token)


@dataclass(frozen=True, slots=True)
class AccessLog:
    """Writes one line for each answered request, and for each refused WebSocket, and records how long it took."""

    app: ASGIApp
    measurer: Measurer = SILENT
    routes: Collection[str] = ()
    """The paths that are told apart."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        method = scope.get("method", "WebSocket")
        started = time.perf_counter()
        known = Asked()

        def send_and_tell(message: Message) -> Awaitable[None]:
            if message["type"] == _REFUSAL:
                is_refused.set(True)
            if message["type"] in {_ANSWER, _REFUSAL}:
                seconds = time.perf_counter() - started
                self._record(method, scope["path"], message["status"], seconds)
                facts = {
                    "method": method,
                    "path": scope["path"],
                    "status": message["status"],
                    "seconds": round(seconds, 6),
                    "viewer": known.viewer,
                    "operation": known.operation,
                }
                log.info("%s %s", method, scope["path"], extra=_given(facts))
            return send(message)

        token = asked.set(known)
        try:
            await self.app(scope, receive, send_and_tell)
        finally:
            asked.reset(token)

    def _record(self, method: str, path: str, status: int, seconds: float) -> None:
        self.measurer.record(
            REQUEST,
            seconds,
            method=method if method in _METHODS else OTHER,
            route=path if path in self.routes else OTHER,
            status=str(status),
        )


def _given(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: fact for name, fact in facts.items() if fact is not None}


@dataclass(frozen=True, slots=True)
class KnownHosts:
    """Refuses requests that name another host than this machine, or one of the `names` that it goes by.

    A site can make its own name point to 127.0.0.1 and then read what it likes as if from
    the same origin. The Host header still tells the name that the browser was given.
    """

    app: ASGIApp
    names: Collection[str] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""
        if scope["type"] == "lifespan" or self._is_known(_host(Headers(scope=scope).get("host", ""))):
            await self.app(scope, receive, send)
            return
        known = " and ".join(("localhost", *self.names))
        refusal = PlainTextResponse(
            f"this server answers only to {known}; BUILDATLAS_HOSTS names further ones",
            status_code=HTTPStatus.MISDIRECTED_REQUEST,
        )
        await refusal(scope, receive, send)

    def _is_known(self, host: str) -> bool:
        return is_loopback(host) or host.lower() in {name.lower() for name in self.names}


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    """Adds to each answer what has browsers be careful with it, where it says nothing else."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == _ANSWER:
                headers = MutableHeaders(scope=message)
                for name, value in _CAREFUL.items():
                    headers.setdefault(name, value)
                if scope.get("scheme") == "https":
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        await self.app(scope, receive, send_with_headers)


_CAREFUL: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Failures:
    """Answers a request that fails in a way nobody has expected: logged here, once, and masked.

    It has to be the innermost: what the others add to an answer, they add to this one too.
    """

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:
            current = request_id.get() or ""
            if is_begun:
                # The web server breaks the connection off and logs the error, without knowing the id.
                error.add_note(f"in request {current}")
                raise
            log.exception("unexpected error", extra={"request_id": current, "path": scope["path"]})
            await _masked(current)(scope, receive, send)


def _masked(current: str) -> Response:
    error = {
        "message": f"Something went wrong in the server. Its log says more: look for request {current}.",
        "extensions": {"code": ErrorCode.INTERNAL_SERVER_ERROR.name, "requestId": current},
    }
    return response({"errors": [error]}, JSON, HTTPStatus.INTERNAL_SERVER_ERROR, {})


def _host(header: str) -> str:
    """Return a Host header without its port."""
    host, colon, port = header.rpartition(":")
    return host if colon and port.isdecimal() else header
