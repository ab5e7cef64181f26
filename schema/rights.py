"""Which scopes an operation needs: those of the fields that it begins with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from resolvers.errors import Unauthenticated
from schema.context import Context
from schema.fields import SCOPE
from storage.monitoring_tables import Scope


def scope_of(schema: GraphQLSchema, kind: OperationType, field: str) -> Scope:
    """Return what a root field needs. Raises KeyError for one of a mutation or subscription that does not say so."""
    if kind is OperationType.QUERY or field.startswith("__"):
        return Scope.READ
    root = schema.get_root_type(kind)
    assert isinstance(root, GraphQLObjectType)
    scope: Scope = root.fields[field].extensions["strawberry-definition"].metadata[SCOPE]
    return scope


@dataclass(frozen=True, slots=True)
class Rights:
    """What an operation takes."""

    scopes: frozenset[Scope]
    introspects: bool


def rights(document: DocumentNode, schema: GraphQLSchema) -> Mapping[str | None, Rights]:
    """Return what each operation of a valid document takes, by its name."""
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    found: dict[str | None, Rights] = {}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            names = set(root_fields(node.selection_set, fragments))
            scopes = frozenset(scope_of(schema, node.operation, name) for name in names)
            found[node.name.value if node.name else None] = Rights(
                scopes, not names.isdisjoint({"__schema", "__type"})
            )
    return found


def check_rights(taken: Rights, context: Context, query: str) -> None:
    """Raise Unauthenticated or Forbidden unless whoever asks may execute what takes this."""
    viewer, exposure = context.viewer, context.application.exposure
    for scope in taken.scopes:
        viewer.demand(scope)
    if viewer.is_known:
        return
    if taken.introspects and exposure.hides_schema:
        raise Unauthenticated("the schema is shown to those who show a token")
    if exposure.trusted_documents is not None and query not in exposure.trusted_documents:
        raise Unauthenticated("without a token only the documents are executed that this server trusts")


def root_fields(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[str]:
    """Yield the names of the fields of a selection, also of those in fragments."""
    for selection in selections.selections:
        if isinstance(selection, FieldNode):
            yield selection.name.value
        elif isinstance(selection, FragmentSpreadNode):
            yield from root_fields(fragments[selection.name.value].selection_set, fragments)
        elif isinstance(selection, InlineFragmentNode):
            yield from root_fields(selection.selection_set, fragments)
