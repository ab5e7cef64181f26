"""What is answered of runs and builds, besides themselves."""

from datetime import datetime

import strawberry

import resolvers.blockers
from resolvers.claims import Beat, Claim
from resolvers.runs import NotStarted, RunChange
from resolvers.subjects import BuildChange
from schema.builds import Build
from schema.conflicts import ResolutionConflict
from schema.enums import BlockReasonKind
from schema.runs import BuildRun

_CURSOR = "Position of the change in the event log; of the newest event when nothing changed."


@strawberry.type(description="run is null and conflict tells why when the plan could not be solved.")
class RunPayload:
    run: BuildRun | None = strawberry.field(description="The run as it is now.")
    created: bool = strawberry.field(description="Whether it is new.")
    conflict: ResolutionConflict | None = strawberry.field(description="Why there is no run.")
    cursor: str = strawberry.field(description=_CURSOR)

    @classmethod
    def of(cls, change: RunChange | NotStarted) -> "RunPayload":
        """Show a change, or why there is none."""
        if isinstance(change, NotStarted):
            conflict = ResolutionConflict.of(change.why)
            return cls(run=None, created=False, conflict=conflict, cursor=str(change.cursor))
        run = BuildRun.of(change.run)
        return cls(run=run, created=change.created, conflict=None, cursor=str(change.cursor))


@strawberry.type(description="A build after a change.")
class BuildPayload:
    build: Build = strawberry.field(description="The build as it is now.")
    cursor: str = strawberry.field(description=_CURSOR)

    @classmethod
    def of(cls, change: BuildChange) -> "BuildPayload":
        """Show a change."""
        return cls(build=Build.of(change.build), cursor=str(change.cursor))


@strawberry.type(description="A build that a worker holds.")
class ClaimedBuild:
    build: Build = strawberry.field(description="The build.")
    lease: str = strawberry.field(
        description="Fencing token: a report with an older one is refused with LEASE_LOST."
    )

    @classmethod
    def of(cls, claim: Claim) -> "ClaimedBuild":
        """Show a claim."""
        return cls(build=Build.of(claim.build), lease=claim.lease)


@strawberry.type(description="What a worker gets to do.")
class ClaimBuildsPayload:
    claims: list[ClaimedBuild] = strawberry.field(
        description="The most urgent builds that it can do, most urgent first; empty when there are none."
    )


@strawberry.type(description="What a worker hears when it tells that it is there.")
class HeartbeatPayload:
    lease_expires_at: datetime = strawberry.field(description="Until when it holds the build.")
    cancel_requested: bool = strawberry.field(
        description="Whether to stop, and report CANCELED: the lease is not extended any more."
    )

    @classmethod
    def of(cls, beat: Beat) -> "HeartbeatPayload":
        """Show how long a worker has."""
        return cls(lease_expires_at=beat.lease_expires_at, cancel_requested=beat.cancel_requested)


@strawberry.type(description="What was recovered.")
class RecoverBuildsPayload:
    recovered: int = strawberry.field(description="How many builds were given back to the queue, or ended.")


@strawberry.type(description="One thing to mend, with what it holds up.")
class Blocker:
    kind: BlockReasonKind = strawberry.field(description="What it is.")
    package: str = strawberry.field(description="The package that it lies with.")
    build: Build | None = strawberry.field(
        description="The build that failed, or the most urgent of those that it keeps from the queue."
    )
    blocked_builds: int = strawberry.field(description="How many builds it holds up, directly or not.")
    remaining_seconds: float = strawberry.field(
        description="The longest path behind it, by expected seconds; by builds, where those of none are known."
    )
    message: str = strawberry.field(description="The reason in words.")

    @classmethod
    def of(cls, blocker: resolvers.blockers.Blocker) -> "Blocker":
        """Show a blocker."""
        return cls(
            kind=BlockReasonKind[blocker.kind.name],
            package=blocker.package,
            build=Build.of(blocker.build) if blocker.build else None,
            blocked_builds=blocker.blocked_builds,
            remaining_seconds=blocker.remaining_seconds,
            message=blocker.message,
        )
