"""Which operations are answered alike for as long as the event log does not grow, so that an answer once given can be used again.

How it works: a table tells of each field whether it is a function of the log's position and of its arguments. An operation is
repeatable when all that it selects is, by whatever fragment. What the table does not name is not repeatable.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

ARRANGED: Final = frozenset(
    {
        "BuildConnection",
        "BuildCount",
        "BuildEdge",
        "BuildRunConnection",
        "BuildRunEdge",
        "CycleList",
        "DependencyCycle",
        "DependencyPath",
        "GraphEdge",
        "Label",
        "PackageConnection",
        "PackageEdge",
        "PackageVersionConnection",
        "PackageVersionEdge",
        "PageInfo",
        "StateTransitionConnection",
        "StateTransitionEdge",
        "Subgraph",
        "SubgraphNode",
    }
)
"""Types that only arrange what the field that gives them has found: all of their fields are as that one is."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a type."""

    repeatable: frozenset[str]
    """Changed only by transactions that write an event."""
    changing: frozenset[str]


def _fields(*repeatable: str, changing: tuple[str, ...] = ()) -> Fields:
    return Fields(frozenset(" ".join(repeatable).split()), frozenset(changing))


TABLE: Final[Mapping[str, Fields]] = {
    "Query": _fields(
        "build builds cycles node nodes package packages packageVersion path run runs stateTransitions subgraph",
        changing=(
            "alertRules",  # Set without an event.
            "alerts",
            "blockers",  # By the clock, and by which workers have been heard of.
            "errors",  # Seen without an event.
            "buildPlan",  # Where it solves or looks for dependents, within a time limit; so is all that follows.
            "impact",
            "metrics",  # Measured without an event.
            "paths",
            "previewRun",
            "resolve",
            "simulate",
            "server",  # Of this process.
        ),
    ),
    "Node": _fields("id"),
    "Package": _fields(
        "builds createdAt description id labels latestVersion name status statusReason updatedAt version versions",
        changing=("dependencies", "dependents"),  # Traversals stop at a time limit.
    ),
    "PackageVersion": _fields(
        "createdAt dependencies digest id isPrerelease labels latestBuild package releasedAt status statusReason",
        "updatedAt version",
    ),
    "Dependency": _fields("candidates constraint id kinds marker optional package packageName version"),
    "BuildRun": _fields(
        "builds completedAt conclusion counts createdAt cutEdges id labels maxAttempts number priority reason",
        "status timeoutSeconds total trigger workerLabels",
    ),
    "Build": _fields(
        "artifacts attempt attempts completedAt conclusion createdAt dependencies dependents durationSeconds",
        "expectedSeconds id maxAttempts message notBefore outputDigest packageVersion priority queuedAt reason run",
        "startedAt status timeoutSeconds transitions trigger worker workerLabels",
        changing=(
            "blockedBy",  # By the clock, and by which workers have been heard of.
            "leaseExpiresAt",  # A heartbeat writes no event; nor do lines of a log.
            "log",
        ),
    ),
    "BuildAttempt": _fields("completedAt conclusion message number startedAt worker"),
    # Alerts are renewed, and rules set, without an event.
    "Alert": _fields(
        "id",
        changing=(
            "acknowledgedAt",
            "blockedBuilds",
            "deliveries",
            "labels",
            "message",
            "resolvedAt",
            "rule",
            "severity",
            "startedAt",
            "state",
            "value",
        ),
    ),
    "AlertRule": _fields(
        "id",
        changing=(
            "aggregate",
            "comparison",
            "enabled",
            "forSeconds",
            "labels",
            "metric",
            "name",
            "severity",
            "threshold",
            "webhook",
            "windowSeconds",
        ),
    ),
    "Artifact": _fields("digest name sizeBytes uri"),
    "ErrorGroup": _fields(  # Seen without an event.
        "id", changing=("code", "component", "count", "firstSeenAt", "lastSeenAt", "message", "sample")
    ),
    "StateTransition": _fields("actor at attempt conclusion from reason sequence subject to"),
}
"""By type; of those that repeatable fields give and that are not `ARRANGED`."""


def is_repeatable_field(owner: str, name: str) -> bool:
    """Whether a field of a type gives the same at the same position of the event log."""
    return owner in ARRANGED or (owner in TABLE and name in TABLE[owner].repeatable)


def repeatable(document: DocumentNode, schema: GraphQLSchema) -> frozenset[str | None]:
    """Return the names of the operations of a valid document that are repeatable: queries, all of them."""
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    return frozenset(_names(document, _Reader(schema, fragments)))


def _names(document: DocumentNode, reader: "_Reader") -> Iterator[str | None]:
    queries = (
        node
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and node.operation is OperationType.QUERY
    )
    for query in queries:
        if reader.is_repeatable(query.selection_set, reader.schema.query_type):
            yield query.name.value if query.name else None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the selections of one document; each fragment once."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    _known: dict[str, bool] = field(default_factory=dict)

    def is_repeatable(self, selections: SelectionSetNode, owner: GraphQLNamedType | None) -> bool:
        return all(self._is_repeatable(node, owner) for node in selections.selections)

    def _is_repeatable(self, node: SelectionNode, owner: GraphQLNamedType | None) -> bool:
        if isinstance(node, FragmentSpreadNode):
            return self._fragment(node.name.value)
        if isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            return self.is_repeatable(
                node.selection_set, self.schema.get_type(condition.name.value) if condition else owner
            )
        return isinstance(node, FieldNode) and self._field(node, owner)

    def _fragment(self, name: str) -> bool:
        if name not in self._known:
            node = self.fragments[name]
            owner = self.schema.get_type(node.type_condition.name.value)
            self._known[name] = self.is_repeatable(node.selection_set, owner)
        return self._known[name]

    def _field(self, node: FieldNode, owner: GraphQLNamedType | None) -> bool:
        name = node.name.value
        if name.startswith("__"):
            # What the schema says of itself is a matter of the release.
            return True
        if not isinstance(owner, GraphQLObjectType | GraphQLInterfaceType):
            return False
        if not is_repeatable_field(owner.name, name):
            return False
        return node.selection_set is None or self.is_repeatable(
            node.selection_set, get_named_type(owner.fields[name].type)
        )
