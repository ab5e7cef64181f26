"""What happens to a document before it is executed: parsed, measured, validated; each once for a text that comes again.

How it works: texts that clients repeat are short, so results are kept for the last few
hundred short texts. A text that does not parse is not kept: the parser runs again and
raises where Strawberry expects it. What depends on who asks and on the variables is looked at each time.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from strawberry import Schema
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from resolvers.errors import Refusal
from resolvers.measurements import OPERATION
from schema.context import Context
from schema.costs import Formula, formulas
from schema.errors import SchemaError, TooLarge
from schema.limits import Limits, check_limits
from schema.operations import Operation
from schema.repeatable import repeatable
from schema.rights import Rights, check_rights, rights
from storage.time_limits import time_limit

_KEPT: Final = 512
_LONGEST_KEPT: Final = 8_192

# Enough to see what is wrong with a document.
_MOST_ERRORS: Final = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a document: what is wrong with it or, by the names of its operations, what they need and cost."""

    errors: tuple[GraphQLError, ...] = ()
    rights: Mapping[str | None, Rights] = field(default_factory=dict)
    costs: Mapping[str | None, Formula] = field(default_factory=dict)
    repeatable: frozenset[str | None] = frozenset()

    def executed(self, name: str | None) -> str | None:
        """Return the name of the operation that is meant by `name`, which the only one may be asked for without."""
        if name is None and len(self.rights) == 1:
            (name,) = self.rights
        return name


def is_repeatable(operation: Operation, context: Context, schema: Schema) -> bool:
    """Whether an operation would be executed for whoever asks, and until there is a further event give the same answer.

    One of a text too long to be kept is not looked at: it counts as not repeatable.
    """
    query, limits = operation.query, context.application.limits
    if len(query) > _LONGEST_KEPT or _parsed(query, limits.tokens) is None:
        return False
    checked = _kept_check(query, schema._schema, limits)
    name = checked.executed(operation.name)
    if name not in checked.repeatable:
        return False
    try:
        _cost_of(checked, name, query, operation.variables, context)
    except (Refusal, SchemaError):
        return False
    return True


def name_of(operation: Operation, context: Context) -> str | None:
    """Return the name of the operation that is meant; None when it has none, or its text is too long to be kept."""
    if operation.name is not None or len(operation.query) > _LONGEST_KEPT:
        return operation.name
    document = _parsed(operation.query, context.application.limits.tokens)
    found = get_operation_ast(document) if document else None
    return found.name.value if found and found.name else None


class Pipeline(SchemaExtension):
    """Prepares one operation, and gives it a context of its own."""

    def __init__(self) -> None:
        self._cost: int | None = None

    def on_operation(self) -> Iterator[None]:
        """Start: what the operation reads is its own, also where many share one socket."""
        self.execution_context.context = self._context.for_operation()
        self.execution_context.parse_options["max_tokens"] = self._limits.tokens
        began = time.perf_counter()
        yield
        self._measure(time.perf_counter() - began)

    def on_parse(self) -> Iterator[None]:
        """Use the parsed document of an earlier operation with the same text."""
        query = self.execution_context.query or ""
        if len(query) <= _LONGEST_KEPT:
            self.execution_context.graphql_document = _parsed(query, self._limits.tokens)
        yield

    def on_validate(self) -> Iterator[None]:
        """Refuse documents that are too large, ambiguous, do not fit the schema, or ask for what may not be asked for."""
        query = self.execution_context.query or ""
        document = cast(DocumentNode, self.execution_context.graphql_document)
        schema = self.execution_context.schema._schema
        checked = (
            _kept_check(query, schema, self._limits)
            if len(query) <= _LONGEST_KEPT
            else _check(document, schema, self._limits)
        )
        errors = checked.errors or _ambiguity(document, self.execution_context._provided_operation_name)
        self.execution_context.pre_execution_errors = list(errors or self._refusals(checked))
        yield

    def on_execute(self) -> Iterator[None]:
        """Note that errors from here on are not about the document, and that time runs.

        Of a subscription this is the beginning only: it may go on for as long as anybody listens.
        """
        self._context.executed = True
        with time_limit(self._limits.seconds):
            yield

    def get_results(self) -> dict[str, Any]:
        """Tell what the operation has cost."""
        return {} if self._cost is None else {"cost": self._cost}

    @property
    def _is_subscription(self) -> bool:
        """Whether there are many answers, each of which would tell the same cost."""
        return self.execution_context.operation_type is OperationType.SUBSCRIPTION

    @property
    def _context(self) -> Context:
        return cast(Context, self.execution_context.context)

    @property
    def _limits(self) -> Limits:
        return self._context.application.limits

    def _measure(self, seconds: float) -> None:
        """Tell how long the operation took and how it ended. By now, its errors are as the client gets to see them."""
        asked = self.execution_context
        document = asked.graphql_document
        operation = get_operation_ast(document, asked._provided_operation_name) if document else None
        if operation and operation.operation.value == "subscription":
            return
        name = operation.name.value if operation and operation.name else None
        errors = asked.pre_execution_errors
        outcome = str((errors[0].extensions or {}).get("code", "ERROR")) if errors else "OK"
        application = self._context.application
        # Names of what was refused would be anybody's to fill the room with.
        known = application.operation_names.known(name if self._context.executed else None)
        application.measurer.record(OPERATION, seconds, operation=known, outcome=outcome)

    def _refusals(self, checked: Checked) -> Iterator[GraphQLError]:
        """Yield why the operation is not executed for whoever asks, if so."""
        context = self._context
        name = checked.executed(self.execution_context._provided_operation_name)
        if name not in checked.rights:
            return
        query, variables = self.execution_context.query or "", self.execution_context.variables
        try:
            cost = _cost_of(checked, name, query, variables, context)
        except (Refusal, SchemaError) as error:
            yield GraphQLError(str(error), original_error=error)
        else:
            self._cost = cost if self._limits.cost is not None and not self._is_subscription else None


def _cost_of(
    checked: Checked, name: str | None, query: str, variables: Mapping[str, Any] | None, context: Context
) -> int:
    """Return what an operation costs. Raises a Refusal or a SchemaError unless it may be executed for whoever asks."""
    check_rights(checked.rights[name], context, query)
    cost, allowed = checked.costs[name].value(variables or {}), context.application.limits.cost
    if allowed is not None and cost > allowed:
        raise TooLarge("cost", found=cost, allowed=allowed)
    return cost


@lru_cache(_KEPT)
def _kept(query: str, tokens: int) -> DocumentNode:
    return parse(query, max_tokens=tokens)


def _parsed(query: str, tokens: int) -> DocumentNode | None:
    try:
        return _kept(query, tokens)
    except (GraphQLError, RecursionError):
        return None


@lru_cache(_KEPT)
def _kept_check(query: str, schema: GraphQLSchema, limits: Limits) -> Checked:
    return _check(_kept(query, limits.tokens), schema, limits)


def _check(document: DocumentNode, schema: GraphQLSchema, limits: Limits) -> Checked:
    # Measured first: some rules of validation are quadratic in the number of fields.
    excess = check_limits(document, limits)
    if excess is not None:
        return Checked((GraphQLError(str(excess), original_error=excess),))
    # When there are more, validation ends with one that says only so.
    errors = tuple(validate(schema, document, specified_rules, max_errors=_MOST_ERRORS)[:_MOST_ERRORS])
    if errors:
        return Checked(errors)
    return Checked((), rights(document, schema), formulas(document, schema), repeatable(document, schema))


def _ambiguity(document: DocumentNode, name: str | None) -> tuple[GraphQLError, ...]:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) > 1 and name is None:
        return (GraphQLError("the document has several operations: name one in `operationName`"),)
    return ()
