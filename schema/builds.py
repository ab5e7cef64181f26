"""Builds: where each stands, what keeps it, and what it left behind."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from schema.arguments import After, First
from schema.build_loaders import Selection
from schema.build_parts import Artifact, BlockReason, BuildAttempt
from schema.context import Context, Info
from schema.enums import BuildConclusion, BuildStatus, BuildTrigger
from schema.errors import Vanished
from schema.fields import field
from schema.history import StateTransitionConnection
from schema.identifiers import global_id
from schema.logs import LogConnection, read_log
from schema.node import Label, Node, labels
from schema.pagination import Page, PageInfo, Window, page, page_info
from schema.places import row_cursor, row_window
from storage import builds
from storage.build_rows import BuildRow
from storage.builds import BuildFilter
from storage.waits import Side


@strawberry.type(description="The build of one package version, within a run.")
class Build(Node):
    row: strawberry.Private[BuildRow]
    status: BuildStatus = strawberry.field(description="Where it is.")
    conclusion: BuildConclusion | None = strawberry.field(description="How it ended. Null: it has not ended.")
    reason: str | None = strawberry.field(description="Why it is where it is, when there is more to say.")
    trigger: BuildTrigger = strawberry.field(description="Why it was asked for.")
    attempt: int = strawberry.field(description="Number of the latest try, from 1; 0 before the first.")
    max_attempts: int = strawberry.field(
        description="An INFRA_ERROR is left to stand once `attempt` is this; a retry raises it."
    )
    priority: int = strawberry.field(description="What is higher is claimed first.")
    worker: str | None = strawberry.field(description="Who holds it, or held it last.")
    worker_labels: list[Label] = strawberry.field(description="A worker must offer all of these to claim it.")
    timeout_seconds: int = strawberry.field(description="How long it may run before it is TIMED_OUT.")
    expected_seconds: float | None = strawberry.field(
        description="How long builds of its package took of late. Null: none has succeeded."
    )
    output_digest: str | None = strawberry.field(
        description="Digest of what it produced, as its worker says."
    )
    not_before: datetime | None = strawberry.field(description="Not claimable before this moment (back-off).")
    lease_expires_at: datetime | None = strawberry.field(
        description="When its worker loses it, unless it is heard of before."
    )
    created_at: datetime = strawberry.field(description="When it was planned.")
    queued_at: datetime | None = strawberry.field(description="When it was last put into the queue.")
    started_at: datetime | None = strawberry.field(description="When the latest try began to run.")
    completed_at: datetime | None = strawberry.field(description="When it ended.")
    duration_seconds: float | None = strawberry.field(description="From `startedAt` to `completedAt`.")
    message: str | None = strawberry.field(description="What its worker said last.")

    @classmethod
    def of(cls, row: BuildRow) -> "Build":
        """Show a stored build."""
        return cls(
            row=row,
            id=global_id("Build", row.id),
            status=BuildStatus[row.status],
            conclusion=None if row.conclusion is None else BuildConclusion[row.conclusion],
            reason=row.status_reason,
            trigger=BuildTrigger[row.trigger],
            attempt=row.attempt,
            max_attempts=row.max_attempts,
            priority=row.priority,
            worker=row.worker,
            worker_labels=labels(row.worker_labels),
            timeout_seconds=row.timeout_seconds,
            expected_seconds=row.expected_seconds,
            output_digest=row.output_digest,
            not_before=row.not_before,
            lease_expires_at=row.lease_expires_at,
            created_at=row.created_at,
            queued_at=row.queued_at,
            started_at=row.started_at,
            completed_at=row.completed_at,
            duration_seconds=_seconds(row.started_at, row.completed_at),
            message=row.message,
        )

    @field("The run that it belongs to.")
    async def run(self, info: Info) -> "BuildRun | None":
        row = await info.context.loaders.builds.run.load(self.row.run_id)
        return BuildRun.of(row) if row else None

    @field("What it builds.")
    async def package_version(self, info: Info) -> "PackageVersion":
        row = await info.context.loaders.version.load(self.row.version_id)
        if row is None:
            raise Vanished("version", f"build {self.id}")
        return PackageVersion.of(row)

    @field("Every try at it, in order.")
    async def attempts(self, info: Info) -> list[BuildAttempt]:
        rows = await info.context.loaders.builds.attempts.load(self.row.id) or []
        return [BuildAttempt.of(row) for row in rows]

    @field("What it has printed, over all of its attempts.")
    async def log(
        self,
        info: Info,
        first: Annotated[int, argument(description="At most this many lines: 1 to 1000.")] = 1000,
        after: Annotated[
            str | None, argument(description="Only what comes after the line of this `sequence`.")
        ] = None,
    ) -> LogConnection:
        return await read_log(info.context, self.row.id, first, after)

    @field("What it produced, as first named.")
    async def artifacts(self, info: Info) -> list[Artifact]:
        rows = await info.context.loaders.builds.artifacts.load(self.row.id) or []
        return [Artifact.of(row) for row in rows]

    @field(
        "The builds that it waits for, or waited for; oldest first. Of what is superseded, what takes its place."
    )
    async def dependencies(self, info: Info, first: First = None, after: After = None) -> "BuildConnection":
        return await self._around(info.context, Side.DEPENDENCIES, first, after)

    @field("The builds that wait for it, or did; oldest first.")
    async def dependents(self, info: Info, first: First = None, after: After = None) -> "BuildConnection":
        return await self._around(info.context, Side.DEPENDENTS, first, after)

    @field("Why it is not running: the root causes, each with the shortest path to it.")
    async def blocked_by(self, info: Info) -> list[BlockReason]:
        reasons = await info.context.loaders.builds.reasons.load(self.row)
        return [BlockReason.of(reason) for reason in reasons]

    @field("Its history, oldest first.")
    async def transitions(
        self, info: Info, first: First = None, after: After = None
    ) -> StateTransitionConnection:
        asked = row_window(first, after)
        rows = await info.context.loaders.builds.transitions.load(asked, self.row.id) or []
        return StateTransitionConnection(page=page(rows, asked))

    async def _around(
        self, context: Context, side: Side, first: int | None, after: str | None
    ) -> "BuildConnection":
        asked = row_window(first, after)
        loaders = context.loaders.builds
        rows = await loaders.around.load((side, asked), self.row.id) or []
        return BuildConnection(
            page=page(rows, asked), count=partial(loaders.how_many_around.load, side, self.row.id)
        )


@strawberry.type(description="A build within a list.")
class BuildEdge:
    node: Build = strawberry.field(description="The build.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of a list of builds.")
class BuildConnection:
    page: strawberry.Private[Page[BuildRow]]
    count: strawberry.Private[Callable[[], Awaitable[int | None]]]

    @classmethod
    async def of_owner(
        cls, context: Context, chosen: Selection, owner_id: int, *, first: int | None, after: str | None
    ) -> "BuildConnection":
        """Return a page of the builds of a run or of a package, newest first."""
        asked = row_window(first, after)
        loaders = context.loaders.builds
        rows = await loaders.of_owner.load((chosen, asked), owner_id) or []
        return cls(page=page(rows, asked), count=partial(loaders.how_many.load, chosen, owner_id))

    @field("The builds of this page, with their places.")
    def edges(self) -> list[BuildEdge]:
        return [BuildEdge(node=Build.of(row), cursor=row_cursor(row.id)) for row in self.page.rows]

    @field("The builds of this page.")
    def nodes(self) -> list[Build]:
        return [Build.of(row) for row in self.page.rows]

    @field("Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        ends = (self.page.rows[0], self.page.rows[-1]) if self.page.rows else ()
        return page_info(self.page, [row_cursor(row.id) for row in ends])

    @field("How many there are in the whole list.")
    async def total_count(self) -> int:
        return await self.count() or 0


async def list_builds(context: Context, filter: BuildFilter, asked: Window[int]) -> BuildConnection:
    """Return a page of the builds that `filter` lets through, newest first."""
    rows = await context.loaders.glance(
        partial(
            builds.page,
            filter=filter,
            limit=asked.size + 1,
            after=asked.after,
            before=asked.before,
            backwards=asked.backwards,
        )
    )
    count = partial(context.loaders.glance, partial(builds.count, filter=filter))
    return BuildConnection(page=page(rows, asked), count=count)


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()


# Builds, runs and packages refer to each other, and each needs the others only once all of them are there.
from schema.catalogue import PackageVersion  # noqa: E402
from schema.runs import BuildRun  # noqa: E402
