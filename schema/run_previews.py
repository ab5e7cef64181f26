"""What a run would be, with nothing written."""

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Final

import strawberry
from strawberry import argument

from resolvers.plans import MOST_BUILDS
from resolvers.preparation import Preparation, PreparedBuild
from resolvers.resolutions import Unsolved
from schema.conflicts import ResolutionConflict
from schema.enums import BuildConclusion, BuildStatus, BuildTrigger
from schema.fields import field
from schema.graphs import GraphEdge
from schema.pagination import page_size
from schema.runs import BuildCount

_STATUSES: Final = list(BuildStatus)
_CONCLUSIONS: Final = [None, *BuildConclusion]


@strawberry.type(description="A build as it would begin.")
class PreviewedBuild:
    package: str = strawberry.field(description="The package's name.")
    version: str = strawberry.field(description="The version that would be built.")
    wave: int = strawberry.field(description="Index of its wave: it needs only what is in waves before.")
    status: BuildStatus = strawberry.field(description="Where it would begin.")
    conclusion: BuildConclusion | None = strawberry.field(
        description="How it would end at once. Null: it would not."
    )
    trigger: BuildTrigger = strawberry.field(description="Why it would be asked for.")
    expected_seconds: float | None = strawberry.field(
        description="How long builds of its package took of late. Null: none has succeeded."
    )
    reason: str | None = strawberry.field(description="Why it would begin so, when there is more to say.")

    @classmethod
    def of(cls, build: PreparedBuild) -> "PreviewedBuild":
        """Show a build."""
        return cls(
            package=build.package,
            version=build.version,
            wave=build.wave,
            status=BuildStatus[build.status],
            conclusion=None if build.conclusion is None else BuildConclusion[build.conclusion],
            trigger=BuildTrigger[build.trigger],
            expected_seconds=build.expected_seconds,
            reason=build.reason,
        )


@strawberry.type(description="A run as it would begin.")
class RunPreview:
    all_builds: strawberry.Private[list[PreviewedBuild]]
    total: int = strawberry.field(description="How many builds it would have.")
    counts: list[BuildCount] = strawberry.field(
        description="How many builds would begin in which state, in the order of the life cycle."
    )
    cut_edges: list[GraphEdge] = strawberry.field(
        description="Edges left out to order cyclic components: no build would wait along them."
    )
    critical_path: list[str] = strawberry.field(
        description="The longest chain, by expected seconds from build history, else by count."
    )
    critical_path_seconds: float | None = strawberry.field(
        description="How long that would take. Null: no build of any of the packages has succeeded."
    )
    supersedes: int = strawberry.field(
        description="How many builds of other runs, claimed by nobody, it would put an end to."
    )

    @classmethod
    def of(cls, preparation: Preparation) -> "RunPreview":
        """Show a preparation."""
        order = preparation.plan.order
        shown = [PreviewedBuild.of(build) for build in preparation.builds]
        return cls(
            all_builds=shown,
            total=len(shown),
            counts=_counts(shown),
            cut_edges=[GraphEdge.of(edge) for edge in order.cut_edges],
            critical_path=list(order.critical_path),
            critical_path_seconds=order.critical_path_seconds,
            supersedes=preparation.supersedes,
        )

    @field("Its builds, wave by wave.")
    def builds(
        self, first: Annotated[int, argument(description="At most this many: 1 to 100000.")] = 1000
    ) -> list[PreviewedBuild]:
        return self.all_builds[: page_size("first", first, largest=MOST_BUILDS)]


RunPreviewResult = Annotated[
    RunPreview | ResolutionConflict,
    strawberry.union("RunPreviewResult", description="A run as it would be, or why it could not be planned."),
]


def preview_result(answer: Preparation | Unsolved) -> RunPreview | ResolutionConflict:
    """Show what a run comes to."""
    return RunPreview.of(answer) if isinstance(answer, Preparation) else ResolutionConflict.of(answer)


def _counts(builds: Iterable[PreviewedBuild]) -> list[BuildCount]:
    many = Counter((build.status, build.conclusion) for build in builds)
    return [
        BuildCount(status=status, conclusion=conclusion, count=many[status, conclusion])
        for status in _STATUSES
        for conclusion in _CONCLUSIONS
        if many[status, conclusion]
    ]
