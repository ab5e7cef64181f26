"""How much work an answer took."""

import strawberry

import graph.resolution


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
