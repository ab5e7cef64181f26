"""Inputs of what is done with runs and builds."""

import strawberry

from resolvers.claims import ClaimRequest
from resolvers.preparation import StartRequest
from resolvers.reports import ArtifactRequest, LogRequest, ReportRequest
from schema.enums import BuildConclusion, BuildStatus, BuildTrigger, ReportedStatus
from schema.inputs import LabelInput, label_pairs
from schema.questions import BuildPlanInput
from schema.states import stored_conclusions, stored_statuses
from schema.subjects import read_row
from storage import build_tables, builds, transitions
from storage.tables import SubjectType


@strawberry.input(description="Which builds a list holds. All that is given must be true of each.")
class BuildFilter:
    run: strawberry.ID | None = strawberry.field(default=None, description="Of this run.")
    package: str | None = strawberry.field(default=None, description="Of the package of this name.")
    status: list[BuildStatus] | None = strawberry.field(default=None, description="In one of these states.")
    conclusion: list[BuildConclusion] | None = strawberry.field(
        default=None, description="Ended in one of these ways."
    )
    worker: str | None = strawberry.field(
        default=None, description="Held by the worker of this name, or held by it last."
    )

    def to_filter(self) -> builds.BuildFilter:
        """Return storage's form of it. Raises InvalidId and WrongType."""
        return builds.BuildFilter(
            run_id=None if self.run is None else read_row("filter.run", self.run, SubjectType.RUN),
            package=self.package,
            statuses=stored_statuses(self.status),
            conclusions=stored_conclusions(self.conclusion),
            worker=self.worker,
        )


@strawberry.input(description="What to build, and how.")
class StartRunInput:
    plan: BuildPlanInput = strawberry.field(description="What to build. Each package needs a version.")
    trigger: BuildTrigger = strawberry.field(
        default=BuildTrigger.MANUAL,
        description="Why. What comes in as a dependent has DEPENDENCY_CHANGE instead.",
    )
    priority: int = strawberry.field(
        default=0, description="What is higher is claimed first: -1000000 to 1000000."
    )
    max_attempts: int = strawberry.field(
        default=3, description="How often to try before an INFRA_ERROR is left to stand: 1 to 100."
    )
    timeout_seconds: int = strawberry.field(
        default=3600, description="How long each try may run: at least 1, at most a year."
    )
    labels: list[LabelInput] = strawberry.field(
        default_factory=list, description="Words to attach to the run."
    )
    worker_labels: list[LabelInput] = strawberry.field(
        default_factory=list, description="Only workers that offer all of these get its builds."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="A repeat with the same key returns the first run."
    )

    def to_request(self) -> StartRequest:
        """Return the use case's form of it. Raises RepeatedLabel."""
        return StartRequest(
            plan=self.plan.to_request(),
            trigger=build_tables.BuildTrigger[self.trigger.name],
            priority=self.priority,
            max_attempts=self.max_attempts,
            timeout_seconds=self.timeout_seconds,
            labels=label_pairs(self.labels),
            worker_labels=label_pairs(self.worker_labels),
            idempotency_key=self.idempotency_key,
        )


@strawberry.input(description="A run to call off.")
class CancelRunInput:
    id: strawberry.ID = strawberry.field(description="Which run.")
    reason: str | None = strawberry.field(default=None, description="Why.")

    def row(self) -> int:
        """Return the number of the run. Raises InvalidId and WrongType."""
        return read_row("id", self.id, SubjectType.RUN)


@strawberry.input(description="A build to call off.")
class CancelBuildInput:
    id: strawberry.ID = strawberry.field(description="Which build.")
    reason: str | None = strawberry.field(default=None, description="Why.")

    def row(self) -> int:
        """Return the number of the build. Raises InvalidId and WrongType."""
        return read_row("id", self.id, SubjectType.BUILD)


@strawberry.input(description="A build to try again.")
class RetryBuildInput:
    id: strawberry.ID = strawberry.field(description="Which build.")

    def row(self) -> int:
        """Return the number of the build. Raises InvalidId and WrongType."""
        return read_row("id", self.id, SubjectType.BUILD)


@strawberry.input(description="A worker that has time.")
class ClaimBuildsInput:
    worker: str = strawberry.field(description="Its name, which no other worker has.")
    limit: int = strawberry.field(default=1, description="At most this many builds: 1 to 100.")
    lease_seconds: int = strawberry.field(
        default=60, description="For how long it holds them without being heard of: 1 to 86400."
    )
    labels: list[LabelInput] = strawberry.field(default_factory=list, description="What this worker offers.")
    request_id: str | None = strawberry.field(
        default=None, description="A repeat with the same id returns the same claims."
    )

    def to_request(self) -> ClaimRequest:
        """Return the use case's form of it. Raises RepeatedLabel."""
        return ClaimRequest(
            worker=self.worker,
            limit=self.limit,
            lease_seconds=self.lease_seconds,
            labels=label_pairs(self.labels),
            request_id=self.request_id,
        )


_LEASE = "The fencing token that came with its claim."


@strawberry.input(description="A worker's word that it still holds a build.")
class HeartbeatInput:
    build: strawberry.ID = strawberry.field(description="Which build.")
    lease: str = strawberry.field(description=_LEASE)
    lease_seconds: int = strawberry.field(
        default=60, description="For how long it holds it from now on: 1 to 86400."
    )

    def row(self) -> int:
        """Return the number of the build. Raises InvalidId and WrongType."""
        return read_row("build", self.build, SubjectType.BUILD)


@strawberry.input(description="Something that a build produced.")
class ArtifactInput:
    name: str = strawberry.field(description="Takes the place of what the build had under this name.")
    uri: str = strawberry.field(description="Where it is.")
    digest: str | None = strawberry.field(default=None, description="Digest of its content.")
    size_bytes: float | None = strawberry.field(default=None, description="How large it is; a whole number.")

    def to_request(self) -> ArtifactRequest:
        """Return the use case's form of it."""
        return ArtifactRequest(self.name, self.uri, self.digest, self.size_bytes)


@strawberry.input(description="An identical report with the same lease answers as the first did.")
class ReportBuildInput:
    build: strawberry.ID = strawberry.field(description="Which build.")
    lease: str = strawberry.field(description=_LEASE)
    status: ReportedStatus = strawberry.field(description="How far it is.")
    conclusion: BuildConclusion | None = strawberry.field(
        default=None,
        description="How it ended, with COMPLETED: SUCCESS, FAILURE, TIMED_OUT, INFRA_ERROR, CANCELED or SKIPPED.",
    )
    message: str | None = strawberry.field(default=None, description="What there is to say.")
    artifacts: list[ArtifactInput] = strawberry.field(
        default_factory=list, description="What it has produced: at most 1000."
    )
    output_digest: str | None = strawberry.field(
        default=None,
        description="Digest of what was produced: when equal to the last success, dependents are not rebuilt.",
    )

    def to_request(self) -> ReportRequest:
        """Return the use case's form of it. Raises InvalidId and WrongType."""
        conclusion = self.conclusion
        return ReportRequest(
            build_id=read_row("build", self.build, SubjectType.BUILD),
            lease=self.lease,
            status=transitions.BuildStatus[self.status.name],
            conclusion=None if conclusion is None else transitions.BuildConclusion[conclusion.name],
            message=self.message,
            artifacts=tuple(each.to_request() for each in self.artifacts),
            output_digest=self.output_digest,
        )


@strawberry.input(
    description="firstLine numbers the first line within this attempt, from 0; lines already stored are ignored."
)
class AppendLogInput:
    build: strawberry.ID = strawberry.field(description="Which build.")
    lease: str = strawberry.field(description=_LEASE)
    first_line: int = strawberry.field(description="Number of the first of these lines.")
    lines: list[str] = strawberry.field(
        description="What was printed, each line without its end: at most 10000."
    )

    def to_request(self) -> LogRequest:
        """Return the use case's form of it. Raises InvalidId and WrongType."""
        return LogRequest(
            build_id=read_row("build", self.build, SubjectType.BUILD),
            lease=self.lease,
            first_line=self.first_line,
            lines=tuple(self.lines),
        )
