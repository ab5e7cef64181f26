"""The mutations of runs and builds."""

import random
from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from resolvers import builds, claims, recovery, reports, runs
from resolvers.measurements import PLAN
from schema.build_inputs import (
    AppendLogInput,
    CancelBuildInput,
    CancelRunInput,
    ClaimBuildsInput,
    HeartbeatInput,
    ReportBuildInput,
    RetryBuildInput,
    StartRunInput,
)
from schema.build_payloads import (
    BuildPayload,
    ClaimBuildsPayload,
    ClaimedBuild,
    HeartbeatPayload,
    RecoverBuildsPayload,
    RunPayload,
)
from schema.context import Info
from schema.fields import mutation
from schema.threads import changed, now, write
from storage.monitoring_tables import Scope


@strawberry.type
class BuildMutation:
    @mutation(
        Scope.BUILD,
        "Start a run: plan it, and have its builds done. Builds of the same versions in other runs that nobody has "
        "claimed end as SUPERSEDED.",
    )
    async def start_run(
        self, info: Info, input: Annotated[StartRunInput, argument(description="What to build, and how.")]
    ) -> RunPayload:
        start = info.context.measurer.timed(PLAN, runs.start)
        change = partial(start, info.context.atlas, input.to_request(), now=now(), actor=info.context.actor)
        async with info.context.application.turns.turn():
            return RunPayload.of(await changed(info.context, change))

    @mutation(
        Scope.BUILD, "Call off all of a run that has not ended. What a worker holds stops within its lease."
    )
    async def cancel_run(
        self, info: Info, input: Annotated[CancelRunInput, argument(description="Which run.")]
    ) -> RunPayload:
        change = partial(
            runs.cancel_run,
            run_id=input.row(),
            reason=input.reason,
            now=now(),
            actor=info.context.actor,
        )
        return RunPayload.of(await write(info.context, change))

    @mutation(
        Scope.BUILD, "Take the most urgent builds that a worker can do. No build is ever held by two workers."
    )
    async def claim_builds(
        self, info: Info, input: Annotated[ClaimBuildsInput, argument(description="Who asks.")]
    ) -> ClaimBuildsPayload:
        claim = info.context.application.build_measures.claim
        found = await write(info.context, partial(claim, request=input.to_request(), now=now()))
        return ClaimBuildsPayload(claims=[ClaimedBuild.of(each) for each in found])

    @mutation(
        Scope.BUILD,
        "Tell that a worker is still at a build, which extends its lease. LEASE_LOST when it is not its own.",
    )
    async def heartbeat(
        self, info: Info, input: Annotated[HeartbeatInput, argument(description="Of which build.")]
    ) -> HeartbeatPayload:
        change = partial(
            claims.heartbeat,
            build_id=input.row(),
            lease=input.lease,
            lease_seconds=input.lease_seconds,
            now=now(),
        )
        return HeartbeatPayload.of(await write(info.context, change))

    @mutation(
        Scope.BUILD,
        "Tell how far a build is, or how it ended. LEASE_LOST when it is not the worker's own any more.",
    )
    async def report_build(
        self, info: Info, input: Annotated[ReportBuildInput, argument(description="How it stands.")]
    ) -> BuildPayload:
        change = partial(
            info.context.application.build_measures.report,
            request=input.to_request(),
            policy=info.context.application.policy,
            jitter=random.random(),  # noqa: S311 # it spreads retries, and guards nothing
            now=now(),
        )
        return BuildPayload.of(await write(info.context, change))

    @mutation(Scope.BUILD, "Add to the log of a build. LEASE_LOST when it is not the worker's own any more.")
    async def append_log(
        self, info: Info, input: Annotated[AppendLogInput, argument(description="What it has printed.")]
    ) -> BuildPayload:
        change = partial(
            reports.append_log,
            request=input.to_request(),
            policy=info.context.application.policy,
            now=now(),
        )
        return BuildPayload.of(await write(info.context, change))

    @mutation(Scope.BUILD, "Call off a build: at once when nobody holds it, otherwise within its lease.")
    async def cancel_build(
        self, info: Info, input: Annotated[CancelBuildInput, argument(description="Which build.")]
    ) -> BuildPayload:
        change = partial(
            builds.cancel_build,
            build_id=input.row(),
            reason=input.reason,
            now=now(),
            actor=info.context.actor,
        )
        return BuildPayload.of(await write(info.context, change))

    @mutation(
        Scope.BUILD,
        "Try a build again that has ended badly, with `maxAttempts` more attempts. CONFLICT when that is no use.",
    )
    async def retry_build(
        self, info: Info, input: Annotated[RetryBuildInput, argument(description="Which build.")]
    ) -> BuildPayload:
        change = partial(builds.retry_build, build_id=input.row(), now=now(), actor=info.context.actor)
        return BuildPayload.of(await write(info.context, change))

    @mutation(Scope.BUILD, "Return every build whose lease has run out to the queue. Also runs by itself.")
    async def recover_builds(self, info: Info) -> RecoverBuildsPayload:
        change = partial(recovery.recover, info.context.atlas, now=now())
        return RecoverBuildsPayload(recovered=await changed(info.context, change))
