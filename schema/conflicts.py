"""Why there is no solution, as the API tells it."""

from datetime import datetime

import strawberry

import graph.resolution
from resolvers.resolutions import Unsolved
from schema.enums import DerivationKind, RelaxationKind, RequirementSource
from schema.statistics import SolverStatistics


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


@strawberry.type(description="One entry of the question.")
class Requirement:
    package: str = strawberry.field(description="The package's name.")
    constraint: str = strawberry.field(description="As given.")
    source: RequirementSource = strawberry.field(description="Where it was given.")

    @classmethod
    def of(cls, asked: graph.resolution.Asked) -> "Requirement":
        """Show an entry."""
        return cls(
            package=asked.requirement.package,
            constraint=asked.requirement.constraint,
            source=RequirementSource[asked.source.name],
        )


@strawberry.type(description="One change to the question that was tried and found to solve it.")
class Relaxation:
    kind: RelaxationKind = strawberry.field(description="What is changed.")
    description: str = strawberry.field(description="The change in words.")
    package: str | None = strawberry.field(description="Whose entry is widened or dropped.")
    constraint: str | None = strawberry.field(description="What it is widened to.")
    as_of: datetime | None = strawberry.field(description="The moment to ask about.")
    entry: Requirement | None = strawberry.field(
        description="The entry that is widened or dropped, as given."
    )

    @classmethod
    def of(cls, relaxation: graph.resolution.Relaxation) -> "Relaxation":
        """Show a relaxation."""
        asked = relaxation.asked
        return cls(
            kind=RelaxationKind[relaxation.kind.name],
            description=relaxation.description,
            package=asked.requirement.package if asked else None,
            constraint=relaxation.constraint,
            as_of=relaxation.as_of,
            entry=Requirement.of(asked) if asked else None,
        )


@strawberry.type(description="Proof, in words and as data, that nothing satisfies the question.")
class ResolutionConflict:
    message: str = strawberry.field(
        description="The explanation as prose, about a screen at most: what cannot hold together, each reason on a "
        "line with the versions it leaves, and what would work. The `steps` hold the whole."
    )
    steps: list[DerivationStep] = strawberry.field(
        description="The derivation as data: step k may cite earlier steps."
    )
    core: list[Requirement] = strawberry.field(
        description="A minimal set of the given requirements that cannot hold together."
    )
    core_is_minimal: bool = strawberry.field(
        description="Whether none of `core` can be left out, as was tried for each. False only when time ran out first."
    )
    relaxations: list[Relaxation] = strawberry.field(
        description="Single changes to the input that were each tried and found to solve, the best first."
    )
    statistics: SolverStatistics = strawberry.field(description="How much work it took.")

    @classmethod
    def of(cls, unsolved: Unsolved) -> "ResolutionConflict":
        """Show a proof."""
        conflict = unsolved.conflict
        return cls(
            message=conflict.message,
            steps=[DerivationStep.of(step) for step in conflict.steps],
            core=[Requirement.of(asked) for asked in conflict.core],
            core_is_minimal=conflict.core_is_minimal,
            relaxations=[Relaxation.of(relaxation) for relaxation in conflict.relaxations],
            statistics=SolverStatistics.of(conflict.statistics, unsolved.seconds),
        )
