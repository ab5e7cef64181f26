"""Inputs of the solver and of the planner."""

from datetime import datetime

import strawberry

import graph.resolution
from resolvers.plans import PlanRequest
from schema.enums import DependencyKind, GraphScope, PrereleasePolicy, ResolutionStrategy
from schema.kinds import kind_mask
from schema.neighbours import selection


@strawberry.input(description="A package, and the versions of it that would do.")
class RequirementInput:
    package: str = strawberry.field(description="The package's name.")
    constraint: str = strawberry.field(
        default="", description="Such as `>=1.2,<2 || ==3.*`. Empty: any version."
    )

    def to_requirement(self) -> graph.resolution.Requirement:
        """Return the solver's form of it."""
        return graph.resolution.Requirement(self.package, self.constraint)


@strawberry.input(description="A package at one version.")
class PinInput:
    package: str = strawberry.field(description="The package's name.")
    version: str = strawberry.field(description="A PEP 440 version.")


@strawberry.input(description="A question to the solver.")
class ResolveInput:
    requirements: list[RequirementInput] = strawberry.field(description="What is needed.")
    kinds: list[DependencyKind] = strawberry.field(
        default_factory=lambda: [DependencyKind.RUNTIME],
        description="Dependency kinds that are followed from each picked version.",
    )
    include_optional: bool = strawberry.field(
        default=False, description="Also follow dependencies marked optional."
    )
    constraints: list[RequirementInput] = strawberry.field(
        default_factory=list, description="Restrict a package without requiring it."
    )
    overrides: list[RequirementInput] = strawberry.field(
        default_factory=list, description="Replace every declared constraint on a package."
    )
    locked: list[PinInput] = strawberry.field(
        default_factory=list,
        description="Pins of an earlier resolution: kept unless a requirement forbids them.",
    )
    strategy: ResolutionStrategy = strawberry.field(
        default=ResolutionStrategy.HIGHEST, description="Which of several versions that would do is picked."
    )
    prereleases: PrereleasePolicy = strawberry.field(
        default=PrereleasePolicy.IF_NECESSARY, description="When a pre-release may be picked."
    )
    as_of: datetime | None = strawberry.field(
        default=None, description="Ignore versions released after this moment."
    )

    def to_request(self) -> graph.resolution.Question:
        """Return the use case's form of it."""
        return graph.resolution.Question(
            requirements=tuple(each.to_requirement() for each in self.requirements),
            kinds=kind_mask(self.kinds),
            include_optional=self.include_optional,
            constraints=tuple(each.to_requirement() for each in self.constraints),
            overrides=tuple(each.to_requirement() for each in self.overrides),
            locked=tuple((each.package, each.version) for each in self.locked),
            strategy=graph.resolution.Strategy[self.strategy.name],
            prereleases=graph.resolution.PrereleasePolicy[self.prereleases.name],
            as_of=self.as_of,
        )


@strawberry.input(description="What to plan the building of.")
class BuildPlanInput:
    packages: list[str] = strawberry.field(
        default_factory=list,
        description="Exactly the latestVersion of these, or of every active package when empty; dependencies "
        "outside the plan count as built.",
    )
    include_dependents: bool = strawberry.field(
        default=False, description="Also everything that depends on them, directly or not."
    )
    kinds: list[DependencyKind] = strawberry.field(
        default_factory=lambda: [DependencyKind.RUNTIME, DependencyKind.BUILD],
        description="Dependency kinds that order the builds.",
    )
    scope: GraphScope = strawberry.field(
        default=GraphScope.LATEST, description="Which versions make the graph."
    )
    include_optional: bool = strawberry.field(
        default=False, description="Also follow dependencies marked optional."
    )
    resolve: ResolveInput | None = strawberry.field(
        default=None,
        description="Solve first: the plan is over its pins, narrowed to `packages` when given.",
    )

    def to_request(self) -> PlanRequest:
        """Return the use case's form of it."""
        return PlanRequest(
            packages=tuple(self.packages),
            include_dependents=self.include_dependents,
            selection=selection(self.kinds, self.scope, self.include_optional),
            resolve=self.resolve.to_request() if self.resolve else None,
        )
