"""Sessions of browsers: a token is exchanged for a cookie that no script can read and no other site can use."""

from collections.abc import Awaitable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from buildatlas.doorkeeping import COOKIE, is_own
from buildatlas.requests import JSON, BadRequest, check_method, read_object, refusal
from resolvers.access import Viewer, names_of
from schema.enums import ErrorCode

_ALLOWED: Final = ("GET", "POST", "DELETE")
_MOST_BYTES: Final = 4_096


class Recognise(Protocol):
    """Whatever knows who asks."""

    def __call__(self, headers: Headers, secret: str | None = None) -> Awaitable[Viewer]:
        """Return who asks. Raises BadRequest."""
        ...


@dataclass(frozen=True, slots=True)
class Sessions:
    """The endpoint: GET tells who one is, POST begins a session, DELETE ends it."""

    recognise: Recognise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except BadRequest as problem:
            response = refusal(problem, JSON)
        response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        check_method(request.method, _ALLOWED)
        if request.method == "GET":
            return _shown(await self.recognise(request.headers))
        if not is_own(request.headers):
            raise BadRequest(
                HTTPStatus.FORBIDDEN, "sessions are for pages of this server", code=ErrorCode.FORBIDDEN
            )
        if request.method == "DELETE":
            response = Response(status_code=HTTPStatus.NO_CONTENT)
            response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=_is_secure(request))
            return response
        given = await read_object(request, _MOST_BYTES)
        secret = given.get("token")
        if not isinstance(secret, str) or not secret:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "`token` must be a string: the token to sign in with")
        response = _shown(await self.recognise(request.headers, secret))
        response.set_cookie(COOKIE, secret, httponly=True, samesite="strict", secure=_is_secure(request))
        return response


def _shown(viewer: Viewer) -> Response:
    return JSONResponse(
        {"token": viewer.name, "scopes": list(names_of(viewer.scopes)), "isKnown": viewer.is_known}
    )


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
