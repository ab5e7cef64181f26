"""What happens to a document before it is executed: parsed, measured, validated; each once for a text that comes again.

How it works: texts that clients repeat are short, so results are kept for the last few
hundred short texts. A text that does not parse is not kept: the parser runs again and
raises where Strawberry expects it.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, cast

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension

from schema.context import Context
from schema.limits import Limits, check_limits

LIMITS: Final = Limits()

_KEPT: Final = 512
_LONGEST_KEPT: Final = 8_192

# Enough to see what is wrong with a document.
_MOST_ERRORS: Final = 5


class Pipeline(SchemaExtension):
    """Prepares one operation, and gives it a context of its own."""

    def on_operation(self) -> Iterator[None]:
        """Start: what the operation reads is its own, also where many share one socket."""
        context: Context = self.execution_context.context
        self.execution_context.context = context.for_operation()
        self.execution_context.parse_options["max_tokens"] = LIMITS.tokens
        yield

    def on_parse(self) -> Iterator[None]:
        """Use the parsed document of an earlier operation with the same text."""
        query = self.execution_context.query or ""
        if len(query) <= _LONGEST_KEPT:
            self.execution_context.graphql_document = _parsed(query)
        yield

    def on_validate(self) -> Iterator[None]:
        """Refuse documents that are too large, ambiguous or do not fit the schema."""
        query = self.execution_context.query or ""
        document = cast(DocumentNode, self.execution_context.graphql_document)
        schema = self.execution_context.schema._schema
        errors = _checked(query, schema) if len(query) <= _LONGEST_KEPT else _check(document, schema)
        errors = errors or _ambiguity(document, self.execution_context._provided_operation_name)
        self.execution_context.pre_execution_errors = list(errors)
        yield

    def on_execute(self) -> Iterator[None]:
        """Note that errors from here on are not about the document."""
        context: Context = self.execution_context.context
        context.executed = True
        yield


@lru_cache(_KEPT)
def _kept(query: str) -> DocumentNode:
    return parse(query, max_tokens=LIMITS.tokens)


def _parsed(query: str) -> DocumentNode | None:
    try:
        return _kept(query)
    except (GraphQLError, RecursionError):
        return None


@lru_cache(_KEPT)
def _checked(query: str, schema: GraphQLSchema) -> tuple[GraphQLError, ...]:
    return _check(_kept(query), schema)


def _check(document: DocumentNode, schema: GraphQLSchema) -> tuple[GraphQLError, ...]:
    # Measured first: some rules of validation are quadratic in the number of fields.
    excess = check_limits(document, LIMITS)
    if excess is not None:
        return (GraphQLError(str(excess), original_error=excess),)
    # When there are more, validation ends with one that says only so.
    return tuple(validate(schema, document, specified_rules, max_errors=_MOST_ERRORS)[:_MOST_ERRORS])


def _ambiguity(document: DocumentNode, name: str | None) -> tuple[GraphQLError, ...]:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) > 1 and name is None:
        return (GraphQLError("the document has several operations: name one in `operationName`"),)
    return ()
