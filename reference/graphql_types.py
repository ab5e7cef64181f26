"""The pages of the types of the API."""

from collections.abc import Iterable, Iterator
from typing import Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
)

from reference.markdown import code, heading, page, paragraph, table
from reference.types import default, linked, the_types, told

_OBJECTS: Final = "What is read. `!` says that a field is never null. A field with arguments has them in the lines below it."
_INPUTS: Final = (
    "What is given. A field with `!` and without a default has to be given; null is as if it were left out."
)
_ENUMERATIONS: Final = (
    "Texts of which only these are allowed. Written without quotes in a document, and with them in JSON."
)
_SCALARS: Final = "What has no fields."


def objects_page(schema: GraphQLSchema) -> str:
    """Return the page of objects, interfaces and unions."""
    kinds = the_types(schema, GraphQLObjectType, GraphQLInterfaceType, GraphQLUnionType)
    return page("Objects", paragraph(_OBJECTS), _sections(kinds, schema))


def inputs_page(schema: GraphQLSchema) -> str:
    """Return the page of input objects."""
    return page("Inputs", paragraph(_INPUTS), _sections(the_types(schema, GraphQLInputObjectType), schema))


def enumerations_page(schema: GraphQLSchema) -> str:
    """Return the page of enumerations."""
    return page(
        "Enumerations", paragraph(_ENUMERATIONS), _sections(the_types(schema, GraphQLEnumType), schema)
    )


def scalars_page(schema: GraphQLSchema) -> str:
    """Return the page of scalars."""
    return page("Scalars", paragraph(_SCALARS), _sections(the_types(schema, GraphQLScalarType), schema))


def given_rows(given: Iterable[tuple[str, GraphQLArgument | GraphQLInputField]]) -> Iterator[list[str]]:
    """Yield a line for each argument, or field of an input."""
    return ([code(name), linked(each.type), default(each), told(each)] for name, each in given)


def _sections(kinds: Iterable[GraphQLNamedType], schema: GraphQLSchema) -> Iterator[str]:
    for kind in kinds:
        yield from heading(2, code(kind.name), kind.name)
        yield from paragraph(told(kind))
        yield from _members(kind, schema)


def _members(kind: GraphQLNamedType, schema: GraphQLSchema) -> Iterator[str]:
    match kind:
        case GraphQLObjectType() | GraphQLInterfaceType():
            yield from _relatives(kind, schema)
            yield from table(["field", "type", "what"], _field_rows(kind.fields.items()))
        case GraphQLUnionType():
            yield from paragraph(f"One of {', '.join(map(linked, kind.types))}.")
        case GraphQLInputObjectType():
            yield from table(["field", "type", "default", "what"], given_rows(kind.fields.items()))
        case GraphQLEnumType():
            values = ([code(name), told(value)] for name, value in kind.values.items())
            yield from table(["value", "what"], values)


def _relatives(kind: GraphQLObjectType | GraphQLInterfaceType, schema: GraphQLSchema) -> Iterator[str]:
    if isinstance(kind, GraphQLInterfaceType):
        yield from paragraph(f"Implemented by {', '.join(map(linked, schema.get_possible_types(kind)))}.")
    elif kind.interfaces:
        yield from paragraph(f"Implements {', '.join(map(linked, kind.interfaces))}.")


def _field_rows(members: Iterable[tuple[str, GraphQLField]]) -> Iterator[list[str]]:
    for name, field in members:
        yield [code(name), linked(field.type), told(field)]
        for argument, each in field.args.items():
            begun = f", {default(each)} when left out" if default(each) else ""
            yield [f"↳ {code(argument)}", linked(each.type) + begun, told(each)]
