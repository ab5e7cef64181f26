"""The queries."""

from functools import partial
from typing import Annotated

import anyio
import strawberry
from strawberry import argument

from resolvers import graphs, plans, resolutions, simulations
from resolvers.measurements import PLAN, RESOLVE
from schema.alert_query import AlertQuery
from schema.arguments import After, Before, First, IncludeOptional, Kinds, Last, Scope
from schema.build_query import BuildQuery
from schema.catalogue import Package, PackageConnection, PackageVersion
from schema.context import Info
from schema.enums import GraphScope
from schema.error_groups import ErrorGroupConnection, list_errors
from schema.fields import field
from schema.graphs import CycleList, DependencyPath, Impact, PathGraph, Subgraph
from schema.history import StateTransitionConnection, list_transitions
from schema.listing import PackageFilter, PackageOrder, Place, list_packages
from schema.lookup import fetch, fetch_many
from schema.metrics import MetricQueries
from schema.neighbours import selection
from schema.node import Node
from schema.pagination import page_size, window
from schema.plans import BuildPlanResult, plan_result
from schema.questions import BuildPlanInput, ResolveInput
from schema.server_info import ServerInfo
from schema.simulation import SimulateInput, Simulation
from schema.solving import ResolveResult, resolve_result
from schema.threads import show
from storage import counts
from storage.packages import PackageFilter as Filter
from storage.packages import PackageOrder as Order

From = Annotated[str, argument(name="from", description="The package that needs.")]
To = Annotated[str, argument(description="The package that is needed.")]


@strawberry.type(description="What can be asked.")
class Query(MetricQueries, AlertQuery, BuildQuery):
    @field("The object with this id. Null when there is none, or no more.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, argument(description="What a field `id` gave.")]
    ) -> Node | None:
        return await fetch(info.context, id)

    @field("The objects with these ids, in their order; null for each that there is not.")
    async def nodes(
        self,
        info: Info,
        *,
        ids: Annotated[list[strawberry.ID], argument(description="At most 1000, each from a field `id`.")],
    ) -> list[Node | None]:
        return await fetch_many(info.context, ids)

    @field("What this server runs on, and how much it holds.")
    async def server(self, info: Info) -> ServerInfo:
        application, atlas = info.context.application, info.context.atlas
        database = atlas.database
        held = await info.context.loaders.glance(counts.count)
        return ServerInfo(
            version=application.version,
            database=await anyio.to_thread.run_sync(database.describe),
            schema_revision=await anyio.to_thread.run_sync(lambda: database.revision),
            graph_revision=str(await anyio.to_thread.run_sync(graphs.revision, atlas)),
            cursor=str(await anyio.to_thread.run_sync(database.cursor)),
            started_at=application.started_at,
            packages=held.packages,
            versions=held.versions,
            dependencies=held.dependencies,
        )

    @field("The package of exactly this name. Null when nothing is registered under it.")
    async def package(
        self, info: Info, name: Annotated[str, argument(description="Case-sensitive.")]
    ) -> Package | None:
        row = await info.context.loaders.package_by_name.load(name)
        return Package.of(row) if row else None

    @field("The packages that a filter lets through.")
    async def packages(
        self,
        info: Info,
        *,
        filter: Annotated[PackageFilter | None, argument(description="Which. Null: all.")] = None,
        order_by: Annotated[PackageOrder | None, argument(description="Null: by name, ascending.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PackageConnection:
        return await list_packages(
            info.context,
            filter.to_filter() if filter else Filter(),
            order_by.to_order() if order_by else Order(),
            window(Place, first=first, after=after, last=last, before=before),
        )

    @field("One version of a package. Null when it is not registered.")
    async def package_version(
        self,
        info: Info,
        *,
        package: Annotated[str, argument(description="The package's name.")],
        version: Annotated[str, argument(description="A PEP 440 version, in any spelling.")],
    ) -> PackageVersion | None:
        row = await info.context.loaders.package_by_name.load(package)
        found = await info.context.loaders.version_by_text(row.id if row else 0, version)
        return PackageVersion.of(found) if found else None

    @field("Pick one version of everything needed, or explain why none can be picked.")
    async def resolve(
        self, info: Info, input: Annotated[ResolveInput, argument(description="What to solve.")]
    ) -> ResolveResult:
        resolve = info.context.measurer.timed(RESOLVE, resolutions.resolve)
        find = partial(resolve, info.context.atlas, input.to_request())
        return await show(info.context, find, resolve_result)

    @field("What an answer of `resolve` would become, with nothing written.")
    async def simulate(
        self, info: Info, input: Annotated[SimulateInput, argument(description="What to suppose.")]
    ) -> Simulation:
        find = partial(simulations.simulate, info.context.atlas, input.to_request())
        return await show(info.context, find, Simulation.of)

    @field("The dependency cycles of the catalogue.")
    async def cycles(
        self,
        info: Info,
        *,
        kinds: Kinds = None,
        scope: Scope = GraphScope.LATEST,
        include_optional: IncludeOptional = False,
        first: Annotated[int, argument(description="At most this many: 1 to 1000.")] = 100,
    ) -> CycleList:
        chosen = selection(kinds, scope, include_optional)
        find = partial(graphs.cycles, info.context.atlas, chosen, first=page_size("first", first))
        return await show(info.context, find, CycleList.of)

    @field("A shortest chain by which one package needs another. Null when there is none.")
    async def path(
        self,
        info: Info,
        *,
        from_: From,
        to: To,
        kinds: Kinds = None,
        scope: Scope = GraphScope.LATEST,
        include_optional: IncludeOptional = False,
    ) -> DependencyPath | None:
        chosen = selection(kinds, scope, include_optional)
        found = await anyio.to_thread.run_sync(partial(graphs.path, info.context.atlas, from_, to, chosen))
        return DependencyPath.of(found) if found else None

    @field("All chains by which one package needs another, as the sub-graph they cover.")
    async def paths(
        self,
        info: Info,
        *,
        from_: From,
        to: To,
        kinds: Kinds = None,
        scope: Scope = GraphScope.LATEST,
        include_optional: IncludeOptional = False,
        max_nodes: Annotated[
            int,
            argument(
                description="At most this many packages, but for one shortest path, which is always whole: 1 to 10000."
            ),
        ] = 1000,
    ) -> PathGraph:
        most = page_size("maxNodes", max_nodes, largest=10_000)
        chosen = selection(kinds, scope, include_optional)
        find = partial(graphs.paths, info.context.atlas, from_, to, chosen, max_nodes=most)
        return await show(info.context, find, PathGraph.of)

    @field("Some packages and the dependencies among them.")
    async def subgraph(
        self,
        info: Info,
        *,
        packages: Annotated[list[str], argument(description="Their names: at most 1000.")],
        kinds: Kinds = None,
        scope: Scope = GraphScope.LATEST,
        include_optional: IncludeOptional = False,
    ) -> Subgraph:
        chosen = selection(kinds, scope, include_optional)
        return await show(
            info.context, partial(graphs.subgraph, info.context.atlas, packages, chosen), Subgraph.of
        )

    @field("Everything that a change to some packages reaches.")
    async def impact(
        self,
        info: Info,
        *,
        packages: Annotated[list[str], argument(description="Names of what changes.")],
        kinds: Kinds = None,
        scope: Scope = GraphScope.LATEST,
        include_optional: IncludeOptional = False,
        first: Annotated[int, argument(description="At most this many: 1 to 10000.")] = 1000,
    ) -> Impact:
        most = page_size("first", first, largest=10_000)
        chosen = selection(kinds, scope, include_optional)
        find = partial(graphs.impact, info.context.atlas, packages, chosen, first=most)
        return await show(info.context, find, Impact.of)

    @field("The history of an object, there or deleted, or of all of them; oldest first.")
    async def state_transitions(
        self,
        info: Info,
        *,
        subject: Annotated[
            strawberry.ID | None,
            argument(
                description="Id of a package or version, or of anything else that has states. Null: all."
            ),
        ] = None,
        first: First = None,
        after: After = None,
    ) -> StateTransitionConnection:
        return await list_transitions(info.context, subject, first, after)

    @field(
        "Errors of the service and of builds, in groups of the same fault; what was seen last comes first."
    )
    async def errors(
        self,
        info: Info,
        *,
        component: Annotated[
            str | None, argument(description="Only those of this part, such as `api` or `build`. Null: all.")
        ] = None,
        first: First = None,
        after: After = None,
    ) -> ErrorGroupConnection:
        return await list_errors(info.context, component, first, after)

    @field("The order to build packages in, dependencies first.")
    async def build_plan(
        self, info: Info, input: Annotated[BuildPlanInput, argument(description="What to plan.")]
    ) -> BuildPlanResult:
        plan = info.context.measurer.timed(PLAN, plans.build_plan)
        find = partial(plan, info.context.atlas, input.to_request())
        return await show(info.context, find, plan_result)
