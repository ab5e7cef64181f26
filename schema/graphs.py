"""Cycles, paths and impact: what the dependency graph as a whole can tell."""

import strawberry

import graph.cycles
import graph.dependencies
import graph.impact
from resolvers.graphs import Cycles
from schema.enums import DependencyKind
from schema.kinds import kind_list


@strawberry.type(description="One package needs another.")
class GraphEdge:
    dependent: str = strawberry.field(description="The package that needs.")
    dependency: str = strawberry.field(description="The package that is needed.")
    kinds: list[DependencyKind] = strawberry.field(description="What for, over all declarations of it.")
    optional: bool = strawberry.field(description="Whether every declaration of it is optional.")

    @classmethod
    def of(cls, edge: graph.dependencies.GraphEdge) -> "GraphEdge":
        """Show an edge."""
        return cls(
            dependent=edge.dependent,
            dependency=edge.dependency,
            kinds=kind_list(edge.kinds),
            optional=edge.optional,
        )


@strawberry.type(
    description="A strongly connected component of more than one package, or a package that depends on itself."
)
class DependencyCycle:
    packages: list[str] = strawberry.field(description="All of them, by name.")
    example: list[str] = strawberry.field(
        description="One shortest cycle inside the component, first package repeated at the end."
    )
    suggested_breaks: list[GraphEdge] = strawberry.field(
        description="Edges whose removal makes the component acyclic, soft ones (TEST, DEV, optional) first; "
        "few by heuristic, not proven fewest."
    )

    @classmethod
    def of(cls, cycle: graph.cycles.DependencyCycle) -> "DependencyCycle":
        """Show a component."""
        return cls(
            packages=list(cycle.packages),
            example=list(cycle.example),
            suggested_breaks=[GraphEdge.of(edge) for edge in cycle.suggested_breaks],
        )


@strawberry.type(description="The dependency cycles of a graph.")
class CycleList:
    nodes: list[DependencyCycle] = strawberry.field(description="Largest first, then by name.")
    total_count: int = strawberry.field(description="How many there are.")
    truncated: bool = strawberry.field(description="Whether more exist than are listed.")

    @classmethod
    def of(cls, cycles: Cycles) -> "CycleList":
        """Show cycles."""
        return cls(
            nodes=[DependencyCycle.of(cycle) for cycle in cycles.nodes],
            total_count=cycles.total_count,
            truncated=cycles.total_count > len(cycles.nodes),
        )


@strawberry.type(description="A chain of packages, each needing the next.")
class DependencyPath:
    packages: list[str] = strawberry.field(description="From the dependent to the dependency.")
    length: int = strawberry.field(description="How many steps it takes.")

    @classmethod
    def of(cls, packages: tuple[str, ...]) -> "DependencyPath":
        """Show a path."""
        return cls(packages=list(packages), length=len(packages) - 1)


@strawberry.type(
    description="All paths between two packages, as the sub-graph they cover: never a list of paths."
)
class PathGraph:
    nodes: list[str] = strawberry.field(description="Packages that lie on some path, with both ends.")
    edges: list[GraphEdge] = strawberry.field(description="The edges between them.")
    shortest: DependencyPath | None = strawberry.field(
        description="A shortest path. Null when there is none."
    )
    truncated: bool = strawberry.field(description="Whether nodes were left out, those farthest off first.")

    @classmethod
    def of(cls, paths: graph.impact.PathGraph) -> "PathGraph":
        """Show a sub-graph."""
        return cls(
            nodes=list(paths.nodes),
            edges=[GraphEdge.of(edge) for edge in paths.edges],
            shortest=DependencyPath.of(paths.shortest) if paths.shortest else None,
            truncated=paths.truncated,
        )


@strawberry.type(description="A package of a part of the graph.")
class SubgraphNode:
    package: str = strawberry.field(description="Its name.")
    dependencies: int = strawberry.field(
        description="How many packages it requires in the whole graph, registered or not."
    )
    dependents: int = strawberry.field(description="How many packages require it in the whole graph.")


@strawberry.type(description="Some packages and the dependencies among them.")
class Subgraph:
    nodes: list[SubgraphNode] = strawberry.field(description="The packages, by name.")
    edges: list[GraphEdge] = strawberry.field(description="The dependencies among them, by name.")

    @classmethod
    def of(cls, part: graph.impact.Subgraph) -> "Subgraph":
        """Show a part of the graph."""
        return cls(
            nodes=[
                SubgraphNode(package=each.package, dependencies=each.dependencies, dependents=each.dependents)
                for each in part.nodes
            ],
            edges=[GraphEdge.of(edge) for edge in part.edges],
        )


@strawberry.type(description="A package that a change reaches.")
class ImpactedPackage:
    package: str = strawberry.field(description="Its name.")
    distance: int = strawberry.field(description="How many steps away it is.")
    via: str = strawberry.field(description="The neighbour one step nearer through which it is reached.")


@strawberry.type(description="Everything that a change to some packages reaches.")
class Impact:
    dependents: list[ImpactedPackage] = strawberry.field(
        description="Packages that depend on any of the given ones, directly or not, nearest first."
    )
    total_count: int = strawberry.field(description="How many there are; a lower bound when truncated.")
    truncated: bool = strawberry.field(description="Whether there are more than are listed.")

    @classmethod
    def of(cls, impact: graph.impact.Impact) -> "Impact":
        """Show an impact."""
        return cls(
            dependents=[
                ImpactedPackage(package=each.package, distance=each.distance, via=each.via)
                for each in impact.dependents
            ],
            total_count=impact.total_count,
            truncated=impact.truncated,
        )
