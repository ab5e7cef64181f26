"""The queries about runs and builds."""

from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from resolvers.blockers import blockers
from resolvers.preparation import prepare
from schema.arguments import After, Before, First, Last
from schema.build_inputs import BuildFilter, StartRunInput
from schema.build_payloads import Blocker
from schema.builds import Build, BuildConnection, list_builds
from schema.context import Info
from schema.fields import field
from schema.pagination import page_size
from schema.places import row_window
from schema.run_previews import RunPreviewResult, preview_result
from schema.runs import BuildRun, BuildRunConnection, list_runs
from schema.subjects import read_row
from schema.threads import now, show
from storage.builds import ALL
from storage.tables import SubjectType


@strawberry.type
class BuildQuery:
    @field("The build with this id. Null when there is none, or no more.")
    async def build(
        self, info: Info, id: Annotated[strawberry.ID, argument(description="What a field `id` gave.")]
    ) -> Build | None:
        row = await info.context.loaders.builds.build.load(read_row("id", id, SubjectType.BUILD))
        return Build.of(row) if row else None

    @field("The builds that a filter lets through, newest first.")
    async def builds(
        self,
        info: Info,
        *,
        filter: Annotated[BuildFilter | None, argument(description="Which. Null: all.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> BuildConnection:
        chosen = filter.to_filter() if filter else ALL
        return await list_builds(info.context, chosen, row_window(first, after, last, before))

    @field("The run with this id. Null when there is none, or no more.")
    async def run(
        self, info: Info, id: Annotated[strawberry.ID, argument(description="What a field `id` gave.")]
    ) -> BuildRun | None:
        row = await info.context.loaders.builds.run.load(read_row("id", id, SubjectType.RUN))
        return BuildRun.of(row) if row else None

    @field("All runs, newest first.")
    async def runs(self, info: Info, first: First = None, after: After = None) -> BuildRunConnection:
        return await list_runs(info.context, first, after)

    @field("Fix this first: root causes ranked by what they hold up times the longest path behind them.")
    async def blockers(
        self,
        info: Info,
        *,
        run: Annotated[
            strawberry.ID | None, argument(description="Only what holds up this run. Null: any run.")
        ] = None,
        first: Annotated[int, argument(description="At most this many: 1 to 1000.")] = 20,
    ) -> list[Blocker]:
        find = partial(
            blockers,
            info.context.atlas.database,
            None if run is None else read_row("run", run, SubjectType.RUN),
            first=page_size("first", first),
            now=now(),
        )
        return await show(info.context, find, lambda found: [Blocker.of(each) for each in found])

    @field("What `startRun` would start, with nothing written.")
    async def preview_run(
        self, info: Info, input: Annotated[StartRunInput, argument(description="What to build, and how.")]
    ) -> RunPreviewResult:
        find = partial(prepare, info.context.atlas, input.to_request())
        return await show(info.context, find, preview_result)
