"""GraphQL over HTTP: what a request may look like, and how an answer is sent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

import anyio
import strawberry
from graphql import GraphQLError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from buildatlas.negotiation import accepts
from buildatlas.observability import note
from buildatlas.requests import (
    CHALLENGE,
    JSON,
    BadRequest,
    check_method,
    read_body,
    read_json,
    refusal,
    response,
    unavailable,
)
from buildatlas.tags import names_any, names_tag, newest_event, tag_of
from buildatlas.traces import OFF, Facts, Traces, operation_facts
from schema.codes import code_of, text_of
from schema.context import Context
from schema.enums import ErrorCode
from schema.errors import SchemaError
from schema.operations import Operation, is_refused, kind_of
from schema.pipeline import is_repeatable, name_of
from schema.positions import read_position
from storage.errors import StorageError
from storage.monitoring_tables import Scope as Access

# The newer of the two lets the status tell a refused request from an answer; the older is for clients that know no other.
RESPONSE: Final = "application/graphql-response+json"

AFTER: Final = "Buildatlas-After"
"""The header that names a position of the event log which the answer must not be older than."""

KEPT: Final = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}
"""What is said with the tag of an answer: whoever asked may keep it, and has to ask each time whether it still holds."""

_ALLOWED: Final = {
    "GET": {OperationType.QUERY},
    "POST": {OperationType.QUERY, OperationType.MUTATION},
}


class Enter(Protocol):
    """Whatever knows who asks."""

    def __call__(self, headers: Headers, secret: str | None = None) -> Awaitable[Context]:
        """Return what the operations of a request work with. Raises BadRequest."""
        ...


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The largest body of a request, in bytes."""

    ordinary: int
    of_writers: int
    """Of those who may publish many versions at once."""

    def of(self, context: Context) -> int:
        """Return the limit for whoever asks."""
        return self.of_writers if context.viewer.may(Access.WRITE) else self.ordinary


@dataclass(frozen=True, slots=True)
class GraphQLOverHTTP:
    """The HTTP endpoint: one request, one operation, one answer."""

    schema: strawberry.Schema
    enter: Enter
    body_limits: BodyLimits
    patience: float
    """Seconds that a request waits for the position it names."""
    traces: Traces = OFF

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
            context = await self.enter(request.headers)
            operation = await read_operation(request, self.body_limits.of(context))
            note(operation=name_of(operation, context))
            await self._catch_up(context, request.headers.get(AFTER))
            tag = await self._tag(operation, context, request.method, media)
            if tag is not None and names_tag(request.headers, tag):
                return _unchanged(tag)
            result = await self._execute(operation, context, request.method)
        except BadRequest as problem:
            return refusal(problem, media)
        if tag is None or result.errors:
            return _answer(result, media)
        return _unchanged(tag) if names_any(request.headers) else _answer(result, media, _kept(tag))

    async def _catch_up(self, context: Context, after: str | None) -> None:
        """Wait until this process can read what its client has seen, maybe of another process."""
        if after is None:
            return
        try:
            await context.application.catch_up(read_position(AFTER, after), patience=self.patience)
        except (SchemaError, StorageError) as error:
            raise _not_caught_up(error) from error

    async def _tag(self, operation: Operation, context: Context, method: str, media: str) -> str | None:
        """Return the tag of what an operation is about to be answered, or None when nobody may keep that."""
        if method != "GET" or not is_repeatable(operation, context, self.schema):
            return None
        try:
            newest = await anyio.to_thread.run_sync(newest_event, context.atlas.database)
        except StorageError:
            # The execution meets the same, and tells of it.
            return None
        return tag_of(operation, context, newest=newest, media=media)

    async def _execute(self, operation: Operation, context: Context, method: str) -> ExecutionResult:
        try:
            with self.traces.span(*operation_facts(name_of(operation, context))):
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


def span_of(
    operation: Operation, context: Context, traces: Traces
) -> AbstractContextManager[Callable[[Facts], None]]:
    """Give the span of an operation that is delivered result by result; a subscription, which may go on for days, has none."""
    if not traces.is_on or kind_of(operation) is OperationType.SUBSCRIPTION:
        return OFF.span("")
    return traces.span(*operation_facts(name_of(operation, context)))


def _not_caught_up(error: SchemaError | StorageError) -> BadRequest:
    code = code_of(error)
    if code is ErrorCode.UNAVAILABLE:
        return unavailable(error)
    return BadRequest(HTTPStatus.BAD_REQUEST, text_of(error), code=code)


async def read_operation(request: Request, body_limit: int) -> Operation:
    """Return what a request asks for, by GET in its parameters or by POST in its body. Raises BadRequest."""
    if request.method == "POST":
        return _operation(await read_body(request, body_limit))
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


def _parameters(given: Mapping[str, str]) -> dict[str, object]:
    parameters: dict[str, object] = {name: text for name, text in given.items() if text}
    for name in given.keys() & {"variables", "extensions"}:
        parameters[name] = read_json(f"parameter `{name}`", given[name].encode()) if given[name] else None
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


def _kept(tag: str) -> dict[str, str]:
    return {"ETag": tag, **KEPT}


def _unchanged(tag: str) -> Response:
    """Return word that the answer still holds which the client has."""
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=_kept(tag))


def _answer(result: ExecutionResult, media: str, headers: Mapping[str, str] | None = None) -> Response:
    errors = result.errors or []
    body: dict[str, object] = {}
    if errors:
        body["errors"] = [error.formatted for error in errors]
    # A request error has no `data` at all.
    refused = is_refused(result)
    if not refused:
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    status = _status(errors, media) if refused else HTTPStatus.OK
    challenge = CHALLENGE if status is HTTPStatus.UNAUTHORIZED else {}
    return response(body, media, status, {**challenge, **(headers or {})})


def _status(errors: Sequence[GraphQLError], media: str) -> HTTPStatus:
    """Return how a request is answered that is not executed."""
    codes = {(error.extensions or {}).get("code") for error in errors}
    if ErrorCode.UNAUTHENTICATED.name in codes:
        return HTTPStatus.UNAUTHORIZED
    if ErrorCode.FORBIDDEN.name in codes:
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.BAD_REQUEST if media == RESPONSE else HTTPStatus.OK
