"""What belongs to one build: the tries at it, what it produced, and what keeps it from running."""

from datetime import datetime

import strawberry

from resolvers.reasons import Reason
from schema.enums import BlockReasonKind, BuildConclusion
from storage.build_rows import ArtifactRow, AttemptRow


@strawberry.type(description="One try at a build.")
class BuildAttempt:
    number: int = strawberry.field(description="From 1.")
    worker: str = strawberry.field(description="Who made it.")
    started_at: datetime | None = strawberry.field(description="When it began to run.")
    completed_at: datetime | None = strawberry.field(description="When it ended.")
    conclusion: BuildConclusion | None = strawberry.field(description="How it ended. Null: it has not ended.")
    message: str | None = strawberry.field(description="What was said of how it ended.")

    @classmethod
    def of(cls, row: AttemptRow) -> "BuildAttempt":
        """Show a stored attempt."""
        return cls(
            number=row.number,
            worker=row.worker,
            started_at=row.started_at,
            completed_at=row.completed_at,
            conclusion=None if row.conclusion is None else BuildConclusion[row.conclusion],
            message=row.message,
        )


@strawberry.type(description="Something that a build produced, and where it is.")
class Artifact:
    name: str = strawberry.field(description="Unique within the build.")
    uri: str = strawberry.field(description="Where it is.")
    digest: str | None = strawberry.field(description="Digest of its content.")
    size_bytes: float | None = strawberry.field(description="How large it is.")

    @classmethod
    def of(cls, row: ArtifactRow) -> "Artifact":
        """Show a stored artifact."""
        return cls(
            name=row.name,
            uri=row.uri,
            digest=row.digest,
            size_bytes=None if row.size_bytes is None else float(row.size_bytes),
        )


@strawberry.type(description="A root cause that keeps a build from running.")
class BlockReason:
    kind: BlockReasonKind = strawberry.field(description="What it is.")
    package: str = strawberry.field(description="The package that it lies with.")
    path: list[str] = strawberry.field(
        description="A shortest chain of packages from the build to the cause, both ends included."
    )
    transient: bool = strawberry.field(description="Whether it passes by itself.")
    message: str = strawberry.field(description="The reason in words.")

    @classmethod
    def of(cls, reason: Reason) -> "BlockReason":
        """Show a reason."""
        return cls(
            kind=BlockReasonKind[reason.kind.name],
            package=reason.package,
            path=list(reason.path),
            transient=reason.transient,
            message=reason.message,
        )
