"""GraphQL over HTTP: what a request may look like, and how an answer is sent."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import orjson
import strawberry
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from buildatlas.negotiation import accepts, charset, media_type
from schema.codes import code_of, text_of
from schema.context import Context
from schema.enums import ErrorCode
from schema.errors import SchemaError
from schema.operations import Operation, kind_of
from schema.positions import read_position
from storage.errors import StorageError

# The newer of the two lets the status tell a refused request from an answer; the older is for clients that know no other.
RESPONSE: Final = "application/graphql-response+json"
JSON: Final = "application/json"

AFTER: Final = "Buildatlas-After"
"""The header that names a position of the event log which the answer must not be older than."""

_ALLOWED: Final = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}


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


@dataclass(frozen=True, slots=True)
class GraphQLOverHTTP:
    """The HTTP endpoint: one request, one operation, one answer."""

    schema: strawberry.Schema
    context: Callable[[], Context]
    body_limit: int
    patience: float
    """Seconds that a request waits for the position it names."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        media = accepts(request.headers.get("accept"), (JSON, RESPONSE))
        if media is None:
            unacceptable = BadRequest(
                HTTPStatus.NOT_ACCEPTABLE, f"this endpoint answers in {RESPONSE} or {JSON}"
            )
            return refusal(unacceptable, JSON)
        try:
            check_method(request.method, _ALLOWED)
            operation = await read_operation(request, self.body_limit)
            context = self.context()
            await self._catch_up(context, request.headers.get(AFTER))
            result = await self._execute(operation, context, request.method)
        except BadRequest as problem:
            return refusal(problem, media)
        return _answer(result, media)

    async def _catch_up(self, context: Context, after: str | None) -> None:
        """Wait until this process can read what its client has seen, maybe of another process."""
        if after is None:
            return
        try:
            await context.application.catch_up(read_position(AFTER, after), patience=self.patience)
        except (SchemaError, StorageError) as error:
            raise _not_caught_up(error) from error

    async def _execute(self, operation: Operation, context: Context, method: str) -> ExecutionResult:
        try:
            return await self.schema.execute(
                operation.query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.name,
                allowed_operation_types=_ALLOWED[method],
            )
        except CannotGetOperationTypeError as error:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "the document has no operation of that name") from error
        except InvalidOperationTypeError as error:
            raise _wrong_operation(error.operation_type) from error


def _not_caught_up(error: SchemaError | StorageError) -> BadRequest:
    code = code_of(error)
    if code is ErrorCode.UNAVAILABLE:
        return BadRequest(HTTPStatus.SERVICE_UNAVAILABLE, text_of(error), {"Retry-After": "1"}, code)
    return BadRequest(HTTPStatus.BAD_REQUEST, text_of(error), code=code)


async def read_operation(request: Request, body_limit: int) -> Operation:
    """Return what a request asks for, by GET in its parameters or by POST in its body. Raises BadRequest."""
    if request.method == "POST":
        _check_content_type(request.headers.get("content-type"))
        return _operation(_read_json("body", await _body(request, body_limit)))
    return _operation(_parameters(request.query_params))


def forbid_mutation(operation: Operation) -> None:
    """Raise BadRequest for a mutation: what is asked by GET may be asked again by anybody who has the address."""
    if kind_of(operation) is OperationType.MUTATION:
        raise _wrong_operation(OperationType.MUTATION)


def _wrong_operation(kind: OperationType) -> BadRequest:
    if kind is OperationType.MUTATION:
        return BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, "a mutation must be sent by POST", {"Allow": "POST"})
    return BadRequest(
        HTTPStatus.BAD_REQUEST,
        "a subscription needs a WebSocket to this address, with the subprotocol graphql-transport-ws, "
        "or server-sent events from /graphql/stream",
    )


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
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {limit:,} bytes: send it in parts"
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


def _read_json(place: str, text: bytes) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(HTTPStatus.BAD_REQUEST, f"the {place} is not JSON: {error}") from error


def _parameters(given: Mapping[str, str]) -> dict[str, object]:
    parameters: dict[str, object] = {name: text for name, text in given.items() if text}
    for name in given.keys() & {"variables", "extensions"}:
        parameters[name] = _read_json(f"parameter `{name}`", given[name].encode()) if given[name] else None
    return parameters


def _operation(parameters: object) -> Operation:
    if not isinstance(parameters, dict):
        raise BadRequest(HTTPStatus.BAD_REQUEST, "the body must be a JSON object with the field `query`")
    query, variables, name = (parameters.get(field) for field in ("query", "variables", "operationName"))
    if not isinstance(query, str) or not query:
        raise _wrong_field("query", "a string that holds a GraphQL document")
    if not isinstance(variables, dict | None):
        raise _wrong_field("variables", "an object")
    if not isinstance(name, str | None):
        raise _wrong_field("operationName", "a string")
    if not isinstance(parameters.get("extensions"), dict | None):
        raise _wrong_field("extensions", "an object")
    return Operation(query, variables, name or None)


def _wrong_field(name: str, expected: str) -> BadRequest:
    return BadRequest(HTTPStatus.BAD_REQUEST, f"`{name}` must be {expected}")


def refusal(problem: BadRequest, media: str) -> Response:
    """Return what tells of a problem with a request."""
    body = {"errors": [{"message": str(problem), "extensions": {"code": problem.code.name}}]}
    return _response(body, media, problem.status, problem.headers)


def _answer(result: ExecutionResult, media: str) -> Response:
    errors = result.errors or []
    body: dict[str, object] = {}
    if errors:
        body["errors"] = [error.formatted for error in errors]
    # Without data and without a path nothing was executed: a request error, which has no `data` at all.
    refused = result.data is None and not any(error.path for error in errors)
    if not refused:
        body["data"] = result.data
    status = HTTPStatus.BAD_REQUEST if refused and media == RESPONSE else HTTPStatus.OK
    return _response(body, media, status, {})


def _response(
    body: Mapping[str, object], media: str, status: HTTPStatus, headers: Mapping[str, str]
) -> Response:
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers={"Content-Type": f"{media}; charset=utf-8", "Cache-Control": "no-store", **headers},
    )
