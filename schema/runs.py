"""Runs: builds that were started together from one plan."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import argument

from schema.arguments import After, First
from schema.build_loaders import Selection
from schema.context import Context, Info
from schema.enums import BuildConclusion, BuildStatus, BuildTrigger, RunConclusion, RunStatus
from schema.fields import field
from schema.graphs import GraphEdge
from schema.identifiers import global_id
from schema.kinds import kind_list
from schema.node import Label, Node, labels
from schema.pagination import Page, PageInfo, page, page_info
from schema.places import row_cursor, row_window
from schema.states import stored_conclusions, stored_statuses
from storage import build_rows, runs
from storage.build_rows import RunRow
from storage.build_tables import CutEdge
from storage.builds import Owner


@strawberry.type(description="How many builds are in one state.")
class BuildCount:
    status: BuildStatus = strawberry.field(description="Where they are.")
    conclusion: BuildConclusion | None = strawberry.field(description="How they ended.")
    count: int = strawberry.field(description="How many they are; never 0.")

    @classmethod
    def of(cls, count: build_rows.BuildCount) -> "BuildCount":
        """Show a count."""
        return cls(
            status=BuildStatus[count.status],
            conclusion=None if count.conclusion is None else BuildConclusion[count.conclusion],
            count=count.count,
        )


@strawberry.type(description="A set of builds started together from one plan.")
class BuildRun(Node):
    row: strawberry.Private[RunRow]
    number: int = strawberry.field(description="What people call it by: runs are counted from 1.")
    status: RunStatus = strawberry.field(description="Where it is.")
    conclusion: RunConclusion | None = strawberry.field(description="How it ended. Null: it has not ended.")
    reason: str | None = strawberry.field(description="Why it was called off, as whoever did it says.")
    trigger: BuildTrigger = strawberry.field(description="Why the builds that it names were asked for.")
    priority: int = strawberry.field(description="Builds of a run with a higher one are claimed first.")
    max_attempts: int = strawberry.field(
        description="How often each build is tried before an INFRA_ERROR is left to stand, and how much oftener by a retry."
    )
    timeout_seconds: int = strawberry.field(description="How long a try at a build may run.")
    labels: list[Label] = strawberry.field(description="What whoever started it attached to it, by key.")
    worker_labels: list[Label] = strawberry.field(
        description="Only workers that offer all of these get its builds."
    )
    created_at: datetime = strawberry.field(description="When it was started.")
    completed_at: datetime | None = strawberry.field(description="When the last of its builds ended.")

    @classmethod
    def of(cls, row: RunRow) -> "BuildRun":
        """Show a stored run."""
        return cls(
            row=row,
            id=global_id("BuildRun", row.id),
            number=row.id,
            status=RunStatus[row.status],
            conclusion=None if row.conclusion is None else RunConclusion[row.conclusion],
            reason=row.status_reason,
            trigger=BuildTrigger[row.trigger],
            priority=row.priority,
            max_attempts=row.max_attempts,
            timeout_seconds=row.timeout_seconds,
            labels=labels(row.labels),
            worker_labels=labels(row.worker_labels),
            created_at=row.created_at,
            completed_at=row.completed_at,
        )

    @field("Edges left out to order cyclic components: no build waits along them.")
    def cut_edges(self) -> list[GraphEdge]:
        return [_cut_edge(edge) for edge in self.row.cut_edges]

    @field("How many builds it has.")
    async def total(self, info: Info) -> int:
        return sum(count.count for count in await self._counts(info.context))

    @field("How many of its builds are in which state, in the order of the life cycle.")
    async def counts(self, info: Info) -> list[BuildCount]:
        return [BuildCount.of(count) for count in await self._counts(info.context)]

    @field("Its builds, newest first.")
    async def builds(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        status: Annotated[
            list[BuildStatus] | None, argument(description="Only builds in one of these states. Null: all.")
        ] = None,
        conclusion: Annotated[
            list[BuildConclusion] | None,
            argument(description="Only builds that ended in one of these ways. Null: all."),
        ] = None,
    ) -> "BuildConnection":
        chosen = Selection(Owner.RUN, stored_statuses(status), stored_conclusions(conclusion))
        return await BuildConnection.of_owner(info.context, chosen, self.row.id, first=first, after=after)

    async def _counts(self, context: Context) -> list[build_rows.BuildCount]:
        return await context.loaders.builds.counts.load(self.row.id) or []


@strawberry.type(description="A run within a list.")
class BuildRunEdge:
    node: BuildRun = strawberry.field(description="The run.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of a list of runs.")
class BuildRunConnection:
    page: strawberry.Private[Page[RunRow]]

    @field("The runs of this page, with their places.")
    def edges(self) -> list[BuildRunEdge]:
        return [BuildRunEdge(node=BuildRun.of(row), cursor=row_cursor(row.id)) for row in self.page.rows]

    @field("The runs of this page.")
    def nodes(self) -> list[BuildRun]:
        return [BuildRun.of(row) for row in self.page.rows]

    @field("Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        ends = (self.page.rows[0], self.page.rows[-1]) if self.page.rows else ()
        return page_info(self.page, [row_cursor(row.id) for row in ends])

    @field("How many there are in the whole list.")
    async def total_count(self, info: Info) -> int:
        return await info.context.loaders.glance(runs.count)


async def list_runs(context: Context, first: int | None, after: str | None) -> BuildRunConnection:
    """Return a page of all runs, newest first."""
    asked = row_window(first, after)
    rows = await context.loaders.glance(
        lambda connection: runs.page(connection, limit=asked.size + 1, after=asked.after)
    )
    return BuildRunConnection(page=page(rows, asked))


def _cut_edge(edge: CutEdge) -> GraphEdge:
    return GraphEdge(
        dependent=edge.dependent,
        dependency=edge.dependency,
        kinds=kind_list(edge.kinds),
        optional=edge.optional,
    )


# Runs and builds refer to each other, and each needs the others only once all of them are there.
from schema.builds import BuildConnection  # noqa: E402
