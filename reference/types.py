"""The types of the API, each with the page and the place in it where it is told of."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    is_introspection_type,
    print_ast,
)

from reference.markdown import code, plain

PAGES: Final[Mapping[type[GraphQLNamedType], str]] = {
    GraphQLObjectType: "objects.md",
    GraphQLInterfaceType: "objects.md",
    GraphQLUnionType: "objects.md",
    GraphQLInputObjectType: "inputs.md",
    GraphQLEnumType: "enumerations.md",
    GraphQLScalarType: "scalars.md",
}

ROOTS: Final = {"Query": "queries.md", "Mutation": "mutations.md", "Subscription": "subscriptions.md"}

Described = GraphQLNamedType | GraphQLField | GraphQLArgument | GraphQLInputField | GraphQLEnumValue


def the_types(schema: GraphQLSchema, *kinds: type[GraphQLNamedType]) -> list[GraphQLNamedType]:
    """Return the types of these kinds by name, but for the roots and GraphQL's own accounts of types."""
    return [
        each
        for _, each in sorted(schema.type_map.items())
        if isinstance(each, kinds) and not is_introspection_type(each) and each.name not in ROOTS
    ]


def linked(kind: Any) -> str:
    """Return how a type is written, with a link to where it is told of; from one page of the API to another."""
    match kind:
        case GraphQLNonNull():
            return f"{linked(kind.of_type)}!"
        case GraphQLList():
            return f"\\[{linked(kind.of_type)}\\]"
    return f"[{code(kind.name)}]({PAGES[type(kind)]}#{kind.name})"


def told(described: Described) -> str:
    """Return what is told of something, and for how long it is still there."""
    text = plain(described.description or "")
    reason = getattr(described, "deprecation_reason", None)
    return f"{text} **Deprecated**: {plain(reason)}" if reason else text


def default(given: GraphQLArgument | GraphQLInputField) -> str:
    """Return the default as it was written in the text of the schema; empty where there is none."""
    if given.default is None or given.default.literal is None:
        return ""
    return code(print_ast(given.default.literal))


def undocumented(schema: GraphQLSchema) -> Iterator[str]:
    """Yield the place of each type, field, argument and value that has no description."""
    for name, each in schema.type_map.items():
        if not is_introspection_type(each):
            yield from (place for place, described in _described(name, each) if not described.description)


def _described(name: str, kind: GraphQLNamedType) -> Iterator[tuple[str, Described]]:
    yield name, kind
    match kind:
        case GraphQLEnumType():
            yield from ((f"{name}.{value}", told) for value, told in kind.values.items())
        case GraphQLInputObjectType():
            yield from ((f"{name}.{field}", told) for field, told in kind.fields.items())
        case GraphQLObjectType() | GraphQLInterfaceType():
            for field, told in kind.fields.items():
                yield f"{name}.{field}", told
                yield from ((f"{name}.{field}({given})", each) for given, each in told.args.items())
