"""What an operation may cost at most, told from its document and variables before anything is executed.

How it works: every object costs 1, and what a page or a list is asked of each of its objects costs that many times more as it may
hold. A document is turned once into a formula, in which only the sizes of pages that variables give are open; so a document that
comes again costs a few sums.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

DEFAULT_PAGE: Final = 50
"""Objects on a page of which no size is asked for."""
LIST: Final = 10
"""Objects that a list is taken to hold, where the catalogue decides how many there are."""
FLAT: Final[Mapping[str, int]] = {
    # Bounded by limits of their own, and made in one go.
    "BuildPlan.waves": 1_000,
    "Query.cycles": 1_000,
    "Query.impact": 1_000,
    "PublishVersionsPayload.results": 1_000,
    "Query.metrics": 500,
    "RunPreview.builds": 1_000,
}
"""What some lists cost, whatever is asked of their objects."""

EMBEDDED: Final = frozenset({"Label", "BuildCount"})
"""What lies in its owner's own row, or a few of them: a list of these counts as one object."""

_SIZES: Final = ("first", "last")


@dataclass(frozen=True, slots=True)
class Formula:
    """The cost of a selection."""

    constant: int = 0
    parts: tuple["Part", ...] = ()

    def value(self, variables: Mapping[str, Any]) -> int:
        """Return the cost with these variables."""
        return self.constant + sum(part.value(variables) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Part:
    """So many times the cost of a selection."""

    size: int | str
    """A number, or the variable that gives it."""
    default: int
    each: Formula

    def value(self, variables: Mapping[str, Any]) -> int:
        """Return the cost with these variables; a size that is none is refused where it is used."""
        size = variables.get(self.size, self.default) if isinstance(self.size, str) else self.size
        if not isinstance(size, int) or size < 1:
            size = self.default
        return size * self.each.value(variables)


def formulas(document: DocumentNode, schema: GraphQLSchema) -> Mapping[str | None, Formula]:
    """Return what each operation of a valid document costs, by its name."""
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    return {
        node.name.value if node.name else None: _Accountant(schema, fragments, _defaults(node)).operation(
            node
        )
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }


def _defaults(node: OperationDefinitionNode) -> dict[str, int]:
    """Return the numbers that variables have where none is given."""
    return {
        each.variable.name.value: int(each.default_value.value)
        for each in node.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode)
    }


class _Accountant:
    """Makes the formula of one operation; each fragment is looked at once."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        defaults: Mapping[str, int],
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._defaults = defaults
        self._known: dict[str, Formula] = {}

    def operation(self, node: OperationDefinitionNode) -> Formula:
        root = self._schema.get_root_type(node.operation)
        assert root is not None
        return self._selection(node.selection_set, root)

    def _selection(self, selections: SelectionSetNode, owner: GraphQLOutputType) -> Formula:
        constant, parts = 0, list[Part]()
        for formula in self._formulas(selections, owner):
            constant += formula.constant
            parts += formula.parts
        return Formula(constant, tuple(parts))

    def _formulas(self, selections: SelectionSetNode, owner: GraphQLOutputType) -> Iterator[Formula]:
        for node in selections.selections:
            if isinstance(node, FragmentSpreadNode):
                yield self._fragment(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                yield self._selection(node.selection_set, self._condition(node, owner))
            elif isinstance(node, FieldNode):
                yield self._field(node, owner)

    def _fragment(self, name: str) -> Formula:
        if name not in self._known:
            node = self._fragments[name]
            self._known[name] = self._selection(node.selection_set, self._condition(node, None))
        return self._known[name]

    def _condition(
        self, node: InlineFragmentNode | FragmentDefinitionNode, owner: GraphQLOutputType | None
    ) -> GraphQLOutputType:
        condition = node.type_condition
        found = self._schema.get_type(condition.name.value) if condition else owner
        return cast(GraphQLOutputType, found)

    def _field(self, node: FieldNode, owner: GraphQLOutputType) -> Formula:
        definition = _definition(node, owner)
        if (
            definition is None
            or node.selection_set is None
            or not is_composite_type(get_named_type(definition.type))
        ):
            return Formula()
        flat = FLAT.get(f"{getattr(owner, 'name', '')}.{node.name.value}")
        if flat is not None:
            return Formula(flat)
        named: Any = get_named_type(definition.type)
        inner = self._selection(node.selection_set, named)
        size = self._size(node, definition, owner)
        if size is None:
            return Formula(inner.constant + 1, inner.parts)
        return Formula(1, (Part(*size, Formula(inner.constant + 1, inner.parts)),))

    def _size(
        self, node: FieldNode, definition: GraphQLField, owner: GraphQLOutputType
    ) -> tuple[int | str, int] | None:
        """Return how many objects a field may give, or which variable says so, and how many it is without that."""
        if not definition.args.keys() & set(_SIZES):
            return (LIST, LIST) if _is_long(definition.type, owner) else None
        default = next(
            (
                definition.args[name].default_value
                for name in _SIZES
                if name in definition.args and isinstance(definition.args[name].default_value, int)
            ),
            DEFAULT_PAGE,
        )
        for argument in node.arguments or ():
            if argument.name.value in _SIZES:
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value), default
                if isinstance(argument.value, VariableNode):
                    name = argument.value.name.value
                    return name, self._defaults.get(name, default)
        return default, default


def _definition(node: FieldNode, owner: GraphQLOutputType) -> GraphQLField | None:
    if isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
        found: GraphQLField | None = owner.fields.get(node.name.value)
        return found
    return None


def _is_long(kind: GraphQLOutputType, owner: GraphQLOutputType) -> bool:
    """Whether it is a list, and neither a page that is counted already nor of what counts as one."""
    if not is_list_type(kind.of_type if is_non_null_type(kind) else kind):
        return False
    return get_named_type(kind).name not in EMBEDDED and not getattr(owner, "name", "").endswith("Connection")
