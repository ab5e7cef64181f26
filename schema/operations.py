"""What a client asks to execute."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    Node,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    visit,
)
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

_KEPT: Final = 512
# Longer documents are refused before anything is executed.
_MOST_TOKENS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Operation:
    """A document, and what of it to execute with which values."""

    query: str
    variables: dict[str, object] | None = None
    name: str | None = None
    """Of the operation in the document; None where there is one only."""


def is_refused(result: ExecutionResult) -> bool:
    """Whether nothing was executed: the result of an operation that was has data, or errors that say where."""
    return result.data is None and not any(error.path for error in result.errors or ())


def kind_of(operation: Operation) -> OperationType | None:
    """Return whether it is a query, a mutation or a subscription; None when the document does not tell."""
    chosen = _chosen(_parsed(operation.query), operation.name)
    return OperationType(chosen[0].operation.value) if len(chosen) == 1 else None


def position_variable(operation: Operation) -> str | None:
    """Return the variable that gives a subscription its `after`, and nothing else; None when there is none such."""
    return _position_variable(operation.query, operation.name)


@lru_cache(_KEPT)
def _position_variable(query: str, name: str | None) -> str | None:
    document = _parsed(query)
    if document is None:
        return None
    uses = _Uses()
    visit(document, uses)
    found = {variable for each in _chosen(document, name) for variable in _given_as_after(each)}
    # Where it says something else as well, who gives another value wants another thing.
    return next(iter(found)) if len(found) == 1 and all(uses.count[each] == 1 for each in found) else None


def _parsed(query: str) -> DocumentNode | None:
    try:
        return parse(query, no_location=True, max_tokens=_MOST_TOKENS)
    except (GraphQLError, RecursionError):
        return None


def _chosen(document: DocumentNode | None, name: str | None) -> list[OperationDefinitionNode]:
    definitions = document.definitions if document else ()
    operations = [each for each in definitions if isinstance(each, OperationDefinitionNode)]
    return [each for each in operations if name is None or (each.name and each.name.value == name)]


def _given_as_after(operation: OperationDefinitionNode) -> Iterator[str]:
    for selection in operation.selection_set.selections:
        for argument in (selection.arguments or ()) if isinstance(selection, FieldNode) else ():
            if argument.name.value == "after" and isinstance(argument.value, VariableNode):
                yield argument.value.name.value


class _Uses(Visitor):
    """Counts how often each variable is used."""

    def __init__(self) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()

    def enter_variable(self, node: VariableNode, _key: Any, parent: Node | None, *_: Any) -> None:
        """Count one, unless that is where it is declared."""
        if not (parent is not None and getattr(parent, "kind", "") == "variable_definition"):
            self.count[node.name.value] += 1
