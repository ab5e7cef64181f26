"""What every endpoint that takes JSON does with a request: reading it, and refusing it."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from buildatlas.negotiation import charset, media_type
from schema.codes import code_of, text_of
from schema.enums import ErrorCode

JSON: Final = "application/json"

CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="buildatlas"'}
"""What an answer with 401 says that it takes."""


class BadRequest(Exception):
    """The request is refused before there is anything to execute."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        headers: Mapping[str, str] | None = None,
        code: ErrorCode = ErrorCode.BAD_USER_INPUT,
    ) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        self.code = code

    def __str__(self) -> str:
        return self.message


def unavailable(error: Exception) -> BadRequest:
    """Return the refusal of a request that may be sent again a little later."""
    return BadRequest(HTTPStatus.SERVICE_UNAVAILABLE, text_of(error), {"Retry-After": "1"}, code_of(error))


def check_method(method: str, methods: Collection[str]) -> None:
    """Raise BadRequest for a method that is none of these."""
    if method not in methods:
        allowed = {"Allow": ", ".join(methods)}
        raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not a method of this endpoint", allowed)


def _check_content_type(header: str | None) -> None:
    # JSON only: a form on another site can post plain text or url-encoded fields without asking, but not this.
    if header is None or media_type(header) != JSON:
        raise BadRequest(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send the body as {JSON}")
    if charset(header) not in {"utf-8", "utf8"}:
        raise BadRequest(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body in UTF-8")


async def _body(request: Request, limit: int) -> bytes:
    too_large = BadRequest(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {limit:,} bytes: send it in parts",
        code=ErrorCode.LIMIT_EXCEEDED,
    )
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise too_large
    except ClientDisconnect as error:
        raise BadRequest(HTTPStatus.BAD_REQUEST, "the body ended early") from error
    return bytes(body)


def read_json(place: str, text: bytes) -> object:
    """Return what a JSON text says. Raises BadRequest, which names the place that it comes from."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(HTTPStatus.BAD_REQUEST, f"the {place} is not JSON: {error}") from error


def refusal(problem: BadRequest, media: str) -> Response:
    """Return what tells of a problem with a request."""
    body = {"errors": [{"message": str(problem), "extensions": {"code": problem.code.name}}]}
    return response(body, media, problem.status, problem.headers)


def response(
    body: Mapping[str, object], media: str, status: HTTPStatus, headers: Mapping[str, str]
) -> Response:
    """Return an answer in JSON that nobody keeps, unless `headers` say otherwise."""
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers={"Content-Type": f"{media}; charset=utf-8", "Cache-Control": "no-store", **headers},
    )


async def read_body(request: Request, limit: int) -> object:
    """Return what the JSON in a body says. Raises BadRequest."""
    _check_content_type(request.headers.get("content-type"))
    return read_json("body", await _body(request, limit))


async def read_object(request: Request, limit: int) -> dict[str, object]:
    """Return the JSON object in a body. Raises BadRequest."""
    found = await read_body(request, limit)
    if not isinstance(found, dict):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "the body must be a JSON object")
    return found
