"""The order to build packages in."""

from typing import Annotated

import strawberry

from resolvers.plans import Plan
from resolvers.resolutions import Unsolved
from schema.conflicts import ResolutionConflict
from schema.graphs import DependencyCycle, GraphEdge


@strawberry.type(description="One package version to build, and when.")
class PlannedBuild:
    package: str = strawberry.field(description="The package's name.")
    version: str | None = strawberry.field(description="Null when the package has no published version.")
    wave: int = strawberry.field(description="Index of its wave.")
    component: int | None = strawberry.field(description="Index into cycles, when in one.")
    expected_seconds: float | None = strawberry.field(
        description="How long builds of its package took of late. Null: none has succeeded."
    )


@strawberry.type(description="Waves of builds: everything in a wave can run at once.")
class BuildPlan:
    waves: list[list[PlannedBuild]] = strawberry.field(
        description="Wave k needs only waves before k, but for cutEdges: everything in a wave can run at once. "
        "A cyclic component spans consecutive waves in bootstrap order."
    )
    cut_edges: list[GraphEdge] = strawberry.field(
        description="Edges left out to order the cyclic components."
    )
    total_builds: int = strawberry.field(description="How many builds there are in all waves.")
    cycles: list[DependencyCycle] = strawberry.field(description="The cyclic components among them.")
    critical_path: list[str] = strawberry.field(
        description="The longest chain, by expected seconds from build history, else by count."
    )
    critical_path_seconds: float | None = strawberry.field(
        description="How long that takes. Null: no build of any of the packages has succeeded."
    )

    @classmethod
    def of(cls, plan: Plan) -> "BuildPlan":
        """Show a plan."""
        order = plan.order
        return cls(
            waves=[
                [
                    PlannedBuild(
                        package=name,
                        version=plan.versions.get(name),
                        wave=wave,
                        component=order.component_of.get(name),
                        expected_seconds=plan.seconds.get(name),
                    )
                    for name in names
                ]
                for wave, names in enumerate(order.waves)
            ],
            cut_edges=[GraphEdge.of(edge) for edge in order.cut_edges],
            total_builds=sum(map(len, order.waves)),
            cycles=[DependencyCycle.of(cycle) for cycle in order.cycles],
            critical_path=list(order.critical_path),
            critical_path_seconds=order.critical_path_seconds,
        )


BuildPlanResult = Annotated[
    BuildPlan | ResolutionConflict,
    strawberry.union("BuildPlanResult", description="A plan, or why the pins to plan cannot be picked."),
]


def plan_result(answer: Plan | Unsolved) -> BuildPlan | ResolutionConflict:
    """Show what the planner found."""
    return BuildPlan.of(answer) if isinstance(answer, Plan) else ResolutionConflict.of(answer)
