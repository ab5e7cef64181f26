"""How an exception becomes an error of the API: one table, and what is done with everything else."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from graphql import GraphQLError, GraphQLSyntaxError

import graph.dependencies
import graph.errors
import resolvers.errors
import storage.errors
from schema import errors
from schema.enums import ErrorCode

log = logging.getLogger(__name__)

# Enough to see what is wrong with a document; its text is the client's own.
_LONGEST_MESSAGE: Final = 300


@dataclass(frozen=True, slots=True)
class Shown:
    """How errors of one class are shown: their code, and which of their attributes are facts for the client."""

    code: ErrorCode
    facts: tuple[str, ...] = ()


SHOWN: Final[Mapping[type[Exception], Shown]] = {
    errors.InvalidId: Shown(ErrorCode.BAD_USER_INPUT),
    errors.InvalidPage: Shown(ErrorCode.BAD_USER_INPUT, ("argument",)),
    errors.WrongType: Shown(ErrorCode.BAD_USER_INPUT, ("argument", "found", "expected")),
    errors.Behind: Shown(ErrorCode.UNAVAILABLE, ("position", "newest")),
    errors.RepeatedLabel: Shown(ErrorCode.BAD_USER_INPUT, ("key",)),
    errors.TooLarge: Shown(ErrorCode.LIMIT_EXCEEDED, ("what", "found", "allowed")),
    errors.Busy: Shown(ErrorCode.LIMIT_EXCEEDED, ("waiting",)),
    errors.SlowConsumer: Shown(ErrorCode.SLOW_CONSUMER, ("limit",)),
    errors.Vanished: Shown(ErrorCode.NOT_FOUND),
    # Only the parser nests deep enough for this, and only with a document made for it.
    RecursionError: Shown(ErrorCode.LIMIT_EXCEEDED),
    graph.errors.InvalidName: Shown(ErrorCode.BAD_USER_INPUT, ("text", "problem")),
    graph.errors.InvalidVersion: Shown(ErrorCode.INVALID_VERSION, ("text", "position", "expected")),
    graph.errors.InvalidConstraint: Shown(ErrorCode.INVALID_CONSTRAINT, ("text", "position", "expected")),
    graph.errors.GaveUp: Shown(ErrorCode.GAVE_UP, ("conflicts", "decisions")),
    graph.dependencies.NotInGraph: Shown(ErrorCode.NOT_FOUND, ("name",)),
    storage.errors.IllegalTransition: Shown(
        ErrorCode.ILLEGAL_TRANSITION, ("subject", "origin", "target", "allowed")
    ),
    storage.errors.Unavailable: Shown(ErrorCode.UNAVAILABLE),
    storage.errors.OutOfTime: Shown(ErrorCode.LIMIT_EXCEEDED, ("seconds",)),
    storage.errors.UnknownValue: Shown(ErrorCode.UNAVAILABLE),
    # Of backups and repairs, which no operation makes.
    storage.errors.FileTaken: Shown(ErrorCode.CONFLICT),
    storage.errors.NotEmpty: Shown(ErrorCode.CONFLICT),
    storage.errors.MendRefused: Shown(ErrorCode.CONFLICT),
    resolvers.errors.BadInput: Shown(ErrorCode.BAD_USER_INPUT, ("path", "problem")),
    resolvers.errors.BadVersion: Shown(ErrorCode.INVALID_VERSION, ("path",)),
    resolvers.errors.BadConstraint: Shown(ErrorCode.INVALID_CONSTRAINT, ("path", "package")),
    resolvers.errors.NotFound: Shown(ErrorCode.NOT_FOUND, ("path", "suggestions")),
    resolvers.errors.NotPinned: Shown(ErrorCode.BAD_USER_INPUT, ("path",)),
    resolvers.errors.AlreadyExists: Shown(ErrorCode.ALREADY_EXISTS, ("path", "differences")),
    resolvers.errors.OtherContent: Shown(ErrorCode.CONFLICT, ("path", "differences")),
    resolvers.errors.NotADraft: Shown(ErrorCode.CONFLICT, ("path", "status")),
    resolvers.errors.ClosesCycle: Shown(ErrorCode.DEPENDENCY_CYCLE, ("path", "cycle")),
    resolvers.errors.StillRequired: Shown(ErrorCode.STILL_REQUIRED, ("path", "requirers", "total")),
    resolvers.errors.LeaseLost: Shown(ErrorCode.LEASE_LOST, ("path", "subject")),
    resolvers.errors.InUse: Shown(ErrorCode.CONFLICT, ("path", "builds")),
    resolvers.errors.NotRetried: Shown(ErrorCode.CONFLICT, ("path", "subject")),
    resolvers.errors.NothingToTell: Shown(ErrorCode.CONFLICT, ("path",)),
    resolvers.errors.Gone: Shown(ErrorCode.NOT_FOUND, ("path", "subject")),
    resolvers.errors.TokenTaken: Shown(ErrorCode.ALREADY_EXISTS, ("path", "name")),
    resolvers.errors.Unauthenticated: Shown(ErrorCode.UNAUTHENTICATED),
    resolvers.errors.Forbidden: Shown(ErrorCode.FORBIDDEN, ("token", "needs", "has")),
    resolvers.errors.LimitExceeded: Shown(ErrorCode.LIMIT_EXCEEDED, ("path", "given", "limit")),
}


def shown(error: BaseException | None) -> Shown | None:
    """Return how an error of this class is shown, or None when it is not one we raise on purpose."""
    return next((SHOWN[kind] for kind in type(error).__mro__ if kind in SHOWN), None)


def text_of(error: BaseException) -> str:
    """Return what a client is told of an error that was raised on purpose.

    Where the database is and what its driver says is for whoever runs the server, and goes into the log.
    """
    if isinstance(error, storage.errors.Unavailable):
        log.warning("unavailable: %s", error)
        return f"the database {error.trouble}: try again later"
    return str(error)


def code_of(error: Exception) -> ErrorCode:
    """Return the code of an error that was raised on purpose."""
    found = shown(error)
    if found is None:
        raise error
    return found.code


def facts_of(error: BaseException) -> dict[str, object]:
    """Return what a client can use of an error that was raised on purpose."""
    found = shown(error)
    facts = {name: _plain(getattr(error, name)) for name in found.facts} if found else {}
    cause = getattr(error, "cause", None)
    return {**(facts_of(cause) if isinstance(cause, Exception) else {}), **facts}


def _plain(fact: object) -> object:
    return list(fact) if isinstance(fact, tuple) else fact


def show_errors(
    raised: list[GraphQLError], *, request_id: str, executed: bool, hints: bool = True
) -> list[GraphQLError]:
    """Return the errors that a client gets to see; unexpected ones are logged here, once, and masked.

    Without `hints`, mistakes in a document are not met with the names of what there is.
    """
    if not executed:
        return [_refused_document(error, hints=hints) for error in raised]
    return [_show(error, request_id) for error in raised]


def _refused_document(error: GraphQLError, *, hints: bool) -> GraphQLError:
    """Show why a document is not executed."""
    found = shown(error.original_error)
    if found is not None and error.original_error is not None:
        return _with(error, found.code, facts_of(error.original_error))
    if isinstance(error, GraphQLSyntaxError) and _TOO_LONG in error.message:
        return _with(error, ErrorCode.LIMIT_EXCEEDED, {})
    syntax = isinstance(error, GraphQLSyntaxError)
    code = ErrorCode.GRAPHQL_PARSE_FAILED if syntax else ErrorCode.GRAPHQL_VALIDATION_FAILED
    return _with(error, code, {}, None if hints else error.message.partition(_HINT)[0])


def _show(error: GraphQLError, request_id: str) -> GraphQLError:
    cause = _cause(error)
    found = shown(cause)
    if cause is None:  # GraphQL itself refuses: a variable or an argument of the wrong form.
        return _with(error, ErrorCode.BAD_USER_INPUT, {})
    if found is not None:
        return _with(error, found.code, facts_of(cause), text_of(cause))
    log.error(
        "unexpected error",
        exc_info=(type(cause), cause, cause.__traceback__),
        extra={"request_id": request_id, "path": ".".join(map(str, error.path or ()))},
    )
    masked = GraphQLError("Something went wrong in the server.", nodes=error.nodes, path=error.path)
    return _with(masked, ErrorCode.INTERNAL_SERVER_ERROR, {"requestId": request_id})


def _cause(error: GraphQLError) -> BaseException | None:
    """Return the exception behind an error, or None when GraphQL's own checks raised it."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _with(
    error: GraphQLError, code: ErrorCode, facts: Mapping[str, object], text: str | None = None
) -> GraphQLError:
    message = error.message if text is None else text
    if len(message) > _LONGEST_MESSAGE and code in _ABOUT_DOCUMENTS:
        message = message[: _LONGEST_MESSAGE - 1] + "…"
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code.name, **facts},
    )


# How the parser says that it has come to the limit of tokens.
_TOO_LONG: Final = "Document contains more than "

# How GraphQL's own rules begin to name what may have been meant.
_HINT: Final = " Did you mean "

_ABOUT_DOCUMENTS: Final = {ErrorCode.GRAPHQL_PARSE_FAILED, ErrorCode.GRAPHQL_VALIDATION_FAILED}
