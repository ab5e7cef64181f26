"""The answers of the solver: what it picks, or the conflict in the way."""

from collections.abc import Mapping
from typing import Annotated

import anyio
import strawberry

import graph.resolution
from graph.answer import cycles_among
from resolvers.resolutions import Resolved, Unsolved
from schema.catalogue import PackageVersion
from schema.conflicts import ResolutionConflict
from schema.context import Info
from schema.fields import field
from schema.graphs import DependencyCycle
from schema.statistics import SolverStatistics


@strawberry.type(description="The version picked of one package.")
class Pin:
    version_id: strawberry.Private[int | None]
    package: str = strawberry.field(description="The package's name.")
    version: str = strawberry.field(description="As published.")
    direct: bool = strawberry.field(description="Whether it was required directly.")

    @classmethod
    def of(cls, pin: graph.resolution.Pin, version_ids: Mapping[str, int]) -> "Pin":
        """Show a pin; `version_ids` tells by package where it is stored."""
        return cls(
            version_id=version_ids.get(pin.package),
            package=pin.package,
            version=pin.version,
            direct=pin.direct,
        )

    @field("The version. Null only when simulate supposes it, or when it was deleted meanwhile.")
    async def package_version(self, info: Info) -> PackageVersion | None:
        if self.version_id is None:
            return None
        row = await info.context.loaders.version.load(self.version_id)
        return PackageVersion.of(row) if row else None


@strawberry.type(description="Who required whom, with the declared constraint.")
class ResolutionEdge:
    dependent: str | None = strawberry.field(
        description="The package that requires. Null: the question itself."
    )
    dependency: str = strawberry.field(description="The package that is required.")
    constraint: str = strawberry.field(description="As declared.")


@strawberry.type(description="One version of everything needed, so that all constraints hold.")
class Resolution:
    resolution: strawberry.Private[graph.resolution.Resolution]
    pins: list[Pin] = strawberry.field(description="What was picked, by name.")
    edges: list[ResolutionEdge] = strawberry.field(
        description="Who required whom, with the declared constraint."
    )
    fingerprint: str = strawberry.field(description="Stable over equal input and equal catalogue.")
    statistics: SolverStatistics = strawberry.field(description="How much work it took.")

    @classmethod
    def of(cls, resolved: Resolved) -> "Resolution":
        """Show a solution."""
        resolution = resolved.resolution
        return cls(
            pins=[Pin.of(pin, resolved.version_ids) for pin in resolution.pins],
            edges=[
                ResolutionEdge(
                    dependent=edge.dependent, dependency=edge.dependency, constraint=edge.constraint
                )
                for edge in resolution.edges
            ],
            resolution=resolution,
            fingerprint=resolution.fingerprint,
            statistics=SolverStatistics.of(resolution.statistics, resolved.seconds),
        )

    @field("Dependency cycles among the pins, as strongly connected components.")
    async def cycles(self) -> list[DependencyCycle]:
        found = await anyio.to_thread.run_sync(cycles_among, self.resolution)
        return [DependencyCycle.of(cycle) for cycle in found]


ResolveResult = Annotated[
    Resolution | ResolutionConflict,
    strawberry.union("ResolveResult", description="Pins, or the proof that there are none."),
]


def resolve_result(answer: Resolved | Unsolved) -> Resolution | ResolutionConflict:
    """Show what the solver found."""
    return Resolution.of(answer) if isinstance(answer, Resolved) else ResolutionConflict.of(answer)
