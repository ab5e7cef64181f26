"""The answers of the solver."""

from collections.abc import Mapping
from typing import Annotated

import strawberry

import graph.resolution
from resolvers.resolutions import Resolved, Unsolved
from schema.catalogue import PackageVersion
from schema.context import Info
from schema.enums import DerivationKind
from schema.fields import field
from schema.graphs import DependencyCycle


@strawberry.type(description="How much work an answer took.")
class SolverStatistics:
    decisions: int = strawberry.field(description="How often a version was chosen.")
    conflicts: int = strawberry.field(description="How often a choice turned out impossible.")
    packages_considered: int = strawberry.field(description="How many packages were looked at.")
    duration_seconds: float = strawberry.field(description="How long it took.")

    @classmethod
    def of(cls, statistics: graph.resolution.Statistics, seconds: float) -> "SolverStatistics":
        """Show what was counted."""
        return cls(
            decisions=statistics.decisions,
            conflicts=statistics.conflicts,
            packages_considered=statistics.packages_considered,
            duration_seconds=seconds,
        )


@strawberry.type(description="The version picked of one package.")
class Pin:
    version_id: strawberry.Private[int]
    package: str = strawberry.field(description="The package's name.")
    version: str = strawberry.field(description="As published.")
    direct: bool = strawberry.field(description="Whether it was required directly.")

    @field("The version. Null only when it was deleted meanwhile.")
    async def package_version(self, info: Info) -> PackageVersion | None:
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
    pins: list[Pin] = strawberry.field(description="What was picked, by name.")
    edges: list[ResolutionEdge] = strawberry.field(
        description="Who required whom, with the declared constraint."
    )
    cycles: list[DependencyCycle] = strawberry.field(
        description="Dependency cycles among the pins, as strongly connected components."
    )
    fingerprint: str = strawberry.field(description="Stable over equal input and equal catalogue.")
    statistics: SolverStatistics = strawberry.field(description="How much work it took.")

    @classmethod
    def of(cls, resolved: Resolved) -> "Resolution":
        """Show a solution."""
        resolution = resolved.resolution
        return cls(
            pins=_pins(resolution, resolved.version_ids),
            edges=[
                ResolutionEdge(
                    dependent=edge.dependent, dependency=edge.dependency, constraint=edge.constraint
                )
                for edge in resolution.edges
            ],
            cycles=[DependencyCycle.of(cycle) for cycle in resolution.cycles],
            fingerprint=resolution.fingerprint,
            statistics=SolverStatistics.of(resolution.statistics, resolved.seconds),
        )


def _pins(resolution: graph.resolution.Resolution, version_ids: Mapping[str, int]) -> list[Pin]:
    return [
        Pin(
            version_id=version_ids[pin.package],
            package=pin.package,
            version=pin.version,
            direct=pin.direct,
        )
        for pin in resolution.pins
    ]


@strawberry.type(
    description="The fact or conclusion, in words and in parts: `package` at `versions` needs `dependency` at "
    "`constraint`. Causes are indices of earlier steps."
)
class DerivationStep:
    index: int = strawberry.field(description="Its number, from 0.")
    kind: DerivationKind = strawberry.field(description="What it rests on.")
    text: str = strawberry.field(description="The step in words.")
    causes: list[int] = strawberry.field(description="Earlier steps that it follows from.")
    package: str | None = strawberry.field(description="The package it is about.")
    versions: str | None = strawberry.field(description="The versions of it that it is about.")
    dependency: str | None = strawberry.field(description="The package that those need.")
    constraint: str | None = strawberry.field(description="The constraint that they put on it.")

    @classmethod
    def of(cls, step: graph.resolution.DerivationStep) -> "DerivationStep":
        """Show a step."""
        return cls(
            index=step.index,
            kind=DerivationKind[step.kind.name],
            text=step.text,
            causes=list(step.causes),
            package=step.package,
            versions=step.versions,
            dependency=step.dependency,
            constraint=step.constraint,
        )


@strawberry.type(description="Proof, in words and as data, that nothing satisfies the question.")
class ResolutionConflict:
    message: str = strawberry.field(
        description="The explanation as prose, one conclusion a line, the field's standard form: "
        "'Because … and …, … So …'."
    )
    steps: list[DerivationStep] = strawberry.field(
        description="The derivation as data: step k may cite earlier steps."
    )
    statistics: SolverStatistics = strawberry.field(description="How much work it took.")

    @classmethod
    def of(cls, unsolved: Unsolved) -> "ResolutionConflict":
        """Show a proof."""
        conflict = unsolved.conflict
        return cls(
            message=conflict.message,
            steps=[DerivationStep.of(step) for step in conflict.steps],
            statistics=SolverStatistics.of(conflict.statistics, unsolved.seconds),
        )


ResolveResult = Annotated[
    Resolution | ResolutionConflict,
    strawberry.union("ResolveResult", description="Pins, or the proof that there are none."),
]


def resolve_result(answer: Resolved | Unsolved) -> Resolution | ResolutionConflict:
    """Show what the solver found."""
    return Resolution.of(answer) if isinstance(answer, Resolved) else ResolutionConflict.of(answer)
