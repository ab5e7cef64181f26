"""What a document may ask for, checked before anything is validated or executed.

How it works: one pass measures each fragment once and adds what it holds wherever it
is spread, so the work is linear in the document however fragments multiply. A
fragment that spreads itself counts as empty here; validation refuses it by name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from schema.errors import TooLarge


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one operation may hold of each."""

    tokens: int = 2_000
    """Of the document's text; counted by the parser, which stops there."""
    depth: int = 12
    introspection_depth: int = 20
    """Depth under `__schema` and `__type`: the usual introspection query goes 13 levels deep by itself."""
    fields: int = 500
    aliases: int = 30
    directives: int = 50
    cost: int | None = None
    """As `costs` counts it; None: whatever it costs."""
    seconds: float | None = None
    """How long it may take; None: as long as it does."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection holds, with all of its fragments."""

    depth: int = 0
    introspection_depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def __add__(self, other: "Measure") -> "Measure":
        return Measure(
            max(self.depth, other.depth),
            max(self.introspection_depth, other.introspection_depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
        )


_NAMES: Final[Mapping[str, str]] = {
    "depth": "levels of fields",
    "introspection_depth": "levels of introspection",
    "fields": "fields",
    "aliases": "aliases",
    "directives": "directives",
}


def check_limits(document: DocumentNode, limits: Limits) -> TooLarge | None:
    """Return the first limit that an operation of `document` breaks, or None."""
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    ruler = _Ruler(fragments)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            for broken in _broken(ruler.measure(node), limits):
                return broken
    return None


def _broken(measure: Measure, limits: Limits) -> Iterator[TooLarge]:
    for name, words in _NAMES.items():
        found, allowed = getattr(measure, name), getattr(limits, name)
        if found > allowed:
            yield TooLarge(words, found=found, allowed=allowed)


@dataclass(slots=True)
class _Ruler:
    fragments: Mapping[str, FragmentDefinitionNode]
    measured: dict[str, Measure] = field(default_factory=dict)

    def measure(self, node: OperationDefinitionNode | FragmentDefinitionNode | InlineFragmentNode) -> Measure:
        return Measure(directives=len(node.directives or ())) + self._selections(node.selection_set)

    def _selections(self, selections: SelectionSetNode | None) -> Measure:
        total = Measure()
        for selection in selections.selections if selections else ():
            total += self._selection(selection)
        return total

    def _selection(self, node: SelectionNode) -> Measure:
        match node:
            case FieldNode():
                return self._field(node)
            case FragmentSpreadNode():
                return Measure(directives=len(node.directives or ())) + self._fragment(node.name.value)
            case _:
                return self.measure(cast(InlineFragmentNode, node))

    def _field(self, node: FieldNode) -> Measure:
        inner = self._selections(node.selection_set)
        if node.name.value in {"__schema", "__type"}:
            depth, introspection = 1, max(inner.depth, inner.introspection_depth) + 1
        else:
            depth, introspection = inner.depth + 1, inner.introspection_depth
        return Measure(
            depth,
            introspection,
            inner.fields + 1,
            inner.aliases + (node.alias is not None),
            inner.directives + len(node.directives or ()),
        )

    def _fragment(self, name: str) -> Measure:
        if name not in self.measured:
            self.measured[name] = Measure()
            if name in self.fragments:
                self.measured[name] = self.measure(self.fragments[name])
        return self.measured[name]
