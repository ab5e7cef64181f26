"""Operations with variables, and what may be given for those: of the right type, and of any other."""

import json
from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    is_leaf_type,
    is_required_input_field,
)
from graphql import get_named_type as named
from hypothesis import strategies as st

from schema.root import schema
from tests.fuzzing.values import FLOATS, MOMENTS, NUMBERS, Values, mostly

PARAMETERS: Final = ("query", "variables", "operationName", "extensions")
"""What a request can say."""

# JSON can spell half of a surrogate pair, which no UTF-8 can.
TEXT: Final = st.text(st.characters(), max_size=20)

JUNK: Final = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), NUMBERS, st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
"""Anything that JSON can say, and NaN."""


def operations(values: Values) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for what a client sends to have any field executed, subscriptions included."""
    return st.one_of(
        [
            st.fixed_dictionaries(
                {
                    "query": st.just(_document(kind, name, field)),
                    "variables": _inputs(field.args, values, name),
                }
            )
            for kind, name, field in _fields()
        ]
    )


def bodies(values: Values) -> st.SearchStrategy[bytes]:
    """Return a strategy for the bodies of requests that have some of the right form."""
    wrong = st.one_of(JUNK, st.sampled_from(["{", "{ nothing }", "{ server { version } }"]))
    right = operations(values)
    odd = st.builds(
        lambda operation, other: {**operation, **other},
        right,
        st.dictionaries(st.sampled_from(PARAMETERS), wrong, max_size=2),
    )
    written = mostly(right, odd, odd).map(lambda body: json.dumps(body).encode())
    return mostly(written, written.flatmap(damaged))


@st.composite
def damaged(draw: st.DrawFn, text: bytes) -> bytes:
    """Return what is left of `text` when a part is cut out, and maybe something else takes its place."""
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    return text[:start] + draw(st.binary(max_size=8)) + text[end:]


def _fields() -> list[tuple[str, str, GraphQLField]]:
    kinds = {
        "query": schema._schema.query_type,
        "mutation": schema._schema.mutation_type,
        "subscription": schema._schema.subscription_type,
    }
    return [
        (kind, name, field)
        for kind, of in kinds.items()
        if of is not None
        for name, field in of.fields.items()
    ]


def _document(kind: str, name: str, field: GraphQLField) -> str:
    declared = ", ".join(f"${each}: {argument.type}" for each, argument in field.args.items())
    given = ", ".join(f"{each}: ${each}" for each in field.args)
    selected = "" if is_leaf_type(named(field.type)) else " { __typename }"
    return (
        f"{kind} Fuzzed({declared}) {{ {name}({given}){selected} }}"
        if given
        else f"{kind} Fuzzed {{ {name}{selected} }}"
    )


def _inputs(declared: Mapping[str, Any], values: Values, root: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for what is given for these arguments, or these fields of an input."""
    strategies = {
        name: mostly(_value(each.type, name, values, root), JUNK) for name, each in declared.items()
    }
    needed = {name for name, each in declared.items() if _is_required(each)}
    return st.fixed_dictionaries(
        {name: each for name, each in strategies.items() if name in needed},
        optional={name: each for name, each in strategies.items() if name not in needed},
    )


def _is_required(declared: Any) -> bool:
    if isinstance(declared, GraphQLArgument):
        # A variable of such a type must be given, although the argument may have a default.
        return isinstance(declared.type, GraphQLNonNull)
    return is_required_input_field(declared)


def _value(kind: GraphQLInputType, name: str, values: Values, root: str) -> st.SearchStrategy[Any]:
    """Return a strategy for values of this type, of an argument or field of this name within a root field."""
    if isinstance(kind, GraphQLNonNull):
        return _value(kind.of_type, name, values, root)
    if isinstance(kind, GraphQLList):
        return st.lists(mostly(_value(kind.of_type, name, values, root), JUNK), max_size=3)
    if isinstance(kind, GraphQLInputObjectType):
        return _inputs(kind.fields, values, root)
    if isinstance(kind, GraphQLEnumType):
        return st.sampled_from(list(kind.values))
    texts = values.texts(name)
    return {
        "ID": values.ids(name, root),
        "String": TEXT if texts is None else texts,
        "Int": NUMBERS,
        "Float": FLOATS,
        "Boolean": st.booleans(),
        "DateTime": MOMENTS,
    }[kind.name]
