"""Documents that schemathesis generates from the schema, with arguments that hit what exists."""

from functools import cache
from typing import Any, Final

import schemathesis
from graphql import (
    REMOVE,
    DocumentNode,
    FloatValueNode,
    GraphQLNamedType,
    IntValueNode,
    Node,
    ObjectFieldNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    introspection_from_schema,
    is_required_argument,
    visit,
)
from graphql.language.visitor import VisitorActionEnum
from hypothesis import strategies as st
from schemathesis.graphql import nodes
from schemathesis.hooks import HookContext, HookDispatcher, HookScope
from schemathesis.specs.graphql.schemas import GraphQLSchema

from schema.root import schema
from tests.fuzzing.known import Known
from tests.fuzzing.values import FLOATS, MOMENTS, NUMBERS, Values

FIELDS: Final = tuple(
    f"{kind.name}.{field}"
    for kind in (schema._schema.query_type, schema._schema.mutation_type)
    if kind is not None
    for field in kind.fields
)
"""Every field that can be asked for by itself, as `Query.package`."""

# One value of so many is left as it was generated.
_UNFAMILIAR: Final = 8


def cases(field: str, known: Known) -> st.SearchStrategy[schemathesis.Case[Any]]:
    """Return a strategy for requests that ask for one of FIELDS."""
    kind, _, name = field.partition(".")
    hooks = HookDispatcher(scope=HookScope.TEST)
    values = Values(known)

    def familiar(_context: HookContext, body: DocumentNode) -> st.SearchStrategy[DocumentNode]:
        return _familiar(body, values, name)

    hooks.register_hook_with_name(familiar, "flatmap_body")
    return _loaded()[kind][name].as_strategy(hooks=hooks)


@cache
def _loaded() -> GraphQLSchema:
    schemathesis.graphql.scalar("DateTime", MOMENTS.map(nodes.String))
    return schemathesis.graphql.from_dict({**introspection_from_schema(schema._schema)})


@st.composite
def _familiar(draw: st.DrawFn, document: DocumentNode, values: Values, root: str) -> DocumentNode:
    """Return `document` with most of its values replaced by such as mean something."""
    types = TypeInfo(schema._schema)
    changed = visit(document, TypeInfoVisitor(types, _Replacing(draw, values, types, root)))
    assert isinstance(changed, DocumentNode)
    return changed


class _Replacing(Visitor):
    """Replaces the values in a document by those that are drawn for their types and names."""

    def __init__(self, draw: st.DrawFn, values: Values, types: TypeInfo, root: str) -> None:
        super().__init__()
        self._draw = draw
        self._values = values
        self._types = types
        self._root = root
        self._fields: list[str] = []

    def enter_argument(self, *_: Any) -> VisitorActionEnum | None:
        """Leave out some that need not be given: all together they are refused more often than not."""
        argument = self._types.get_argument()
        assert argument is not None
        return None if is_required_argument(argument) or self._draw(st.booleans()) else REMOVE

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        """Remember which field of an input the values within are of."""
        self._fields.append(node.name.value)

    def leave_object_field(self, *_: Any) -> None:
        """Forget it."""
        self._fields.pop()

    def enter_string_value(self, node: StringValueNode, *_: Any) -> Node | None:
        """Put a text in place of another."""
        found = self._texts()
        return None if found is None or self._is_left() else StringValueNode(value=self._draw(found))

    def enter_int_value(self, node: IntValueNode, *_: Any) -> Node | None:
        """Put a number in place of another."""
        if self._type_name() == "ID":
            return StringValueNode(value=self._draw(self._values.ids(self._argument(), self._root)))
        return None if self._is_left() else IntValueNode(value=str(self._draw(NUMBERS)))

    def enter_float_value(self, node: FloatValueNode, *_: Any) -> Node | None:
        """Put a number in place of another."""
        return None if self._is_left() else FloatValueNode(value=str(self._draw(FLOATS)))

    def _texts(self) -> st.SearchStrategy[str] | None:
        if self._type_name() == "ID":
            return self._values.ids(self._argument(), self._root)
        return self._values.texts(self._argument()) if self._type_name() == "String" else None

    def _type_name(self) -> str | None:
        found = self._types.get_input_type()
        named: GraphQLNamedType | None = None if found is None else get_named_type(found)
        return None if named is None else named.name

    def _argument(self) -> str:
        if self._fields:
            return self._fields[-1]
        (name,) = (name for name, each in self._arguments().items() if each is self._types.get_argument())
        return name

    def _arguments(self) -> dict[str, Any]:
        field = self._types.get_field_def()
        assert field is not None
        return field.args

    def _is_left(self) -> bool:
        return self._draw(st.integers(1, _UNFAMILIAR)) == _UNFAMILIAR
