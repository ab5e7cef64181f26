"""Planning: in which order to build, over the newest of everything or over what the solver picks."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from graph import order
from graph.dependencies import DependencyGraph, Kind
from graph.order import BuildOrder
from graph.resolution import Question
from resolvers.atlas import Atlas
from resolvers.deadlines import deadline
from resolvers.errors import LimitExceeded, NotPinned
from resolvers.graphs import NODE_BUDGET, TIME_LIMIT
from resolvers.loaded_graphs import Selection
from resolvers.resolutions import Resolved, Unsolved, resolve
from resolvers.suggestions import unknown_package
from storage import dependencies, durations, packages, versions
from storage.rows import VersionRow
from storage.transitions import PackageStatus

MOST_BUILDS: Final = 100_000


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What to plan the building of."""

    packages: Sequence[str] = ()
    """Empty: every active package that has a published version, or every pin."""
    include_dependents: bool = False
    selection: Selection = field(default_factory=lambda: Selection(kinds=Kind.RUNTIME | Kind.BUILD))
    resolve: Question | None = None
    """Solve first, and plan over the pins."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An order to build in, and which version of each package is built."""

    order: BuildOrder
    versions: Mapping[str, str]
    """By package; a package without a published version is missing."""
    version_ids: Mapping[str, int]
    """Where these versions are stored, by package."""
    package_ids: Mapping[str, int]
    """Of the same packages."""
    seconds: Mapping[str, float]
    """How long a build can be expected to take, by package; one that was never built with success is missing."""


def build_plan(atlas: Atlas, request: PlanRequest) -> Plan | Unsolved:
    """Plan `request` over the catalogue as it is now. Raises NotFound, LimitExceeded, and what `resolve` raises."""
    if request.resolve is None:
        return _plan_latest(atlas, request)
    answer = resolve(atlas, request.resolve)
    return answer if isinstance(answer, Unsolved) else _plan_pins(atlas, request, answer)


def _plan_latest(atlas: Atlas, request: PlanRequest) -> Plan:
    graph = atlas.graphs.select(request.selection)
    registered, latest = _registered(atlas)
    for name in request.packages:
        if name not in registered:
            raise unknown_package(name, registered, path=("packages",))
    names = _with_dependents(graph, request) if request.packages else _every_active(atlas, latest)
    # The graph may be newer or older by a moment.
    return _plan(atlas, graph, [name for name in names if name in graph and name in registered], latest)


def _every_active(atlas: Atlas, latest: Collection[str]) -> list[str]:
    with atlas.database.read() as connection:
        active = packages.names_in(connection, PackageStatus.ACTIVE)
    return [name for name in active if name in latest]


def _plan_pins(atlas: Atlas, request: PlanRequest, answer: Resolved) -> Plan:
    graph = _pinned_graph(atlas, answer, request.selection)
    for name in request.packages:
        if name not in graph:
            raise NotPinned(name)
    names = _with_dependents(graph, request) if request.packages else graph.names
    with atlas.database.read() as connection:
        rows = versions.by_ids(connection, answer.version_ids.values())
    # What was deleted meanwhile has no version to build any more.
    pinned = {name: rows[id_] for name, id_ in answer.version_ids.items() if id_ in rows}
    return _plan(atlas, graph, names, pinned)


def _with_dependents(graph: DependencyGraph, request: PlanRequest) -> Sequence[str]:
    """Return the packages named, with what depends on them when that is asked for."""
    if not request.include_dependents:
        return request.packages
    reached = graph.dependents(
        *request.packages, transitive=True, budget=NODE_BUDGET, should_stop=deadline(TIME_LIMIT)
    )
    return [*request.packages, *reached.nodes]


def _plan(
    atlas: Atlas, graph: DependencyGraph, names: Iterable[str], chosen: Mapping[str, VersionRow]
) -> Plan:
    wanted = set(names)
    if len(wanted) > MOST_BUILDS:
        raise LimitExceeded("builds", given=len(wanted), limit=MOST_BUILDS)
    built = {name: chosen[name] for name in wanted if name in chosen}
    package_ids = {name: version.package_id for name, version in built.items()}
    seconds = _expected(atlas, package_ids)
    return Plan(
        order.plan(graph, wanted, seconds),
        versions={name: version.version for name, version in built.items()},
        version_ids={name: version.id for name, version in built.items()},
        package_ids=package_ids,
        seconds=seconds,
    )


def _expected(atlas: Atlas, package_ids: Mapping[str, int]) -> dict[str, float]:
    with atlas.database.glance() as connection:
        expected = durations.expected(connection, package_ids.values())
    return {name: expected[id_] for name, id_ in package_ids.items() if id_ in expected}


def _registered(atlas: Atlas) -> tuple[frozenset[str], dict[str, VersionRow]]:
    """Return the names of all registered packages, and the latest version of each that has one."""
    with atlas.database.read() as connection:
        names = dict(packages.ids_and_names(connection))
        latest = versions.latest_of(connection, names)
    return frozenset(names.values()), {names[id_]: version for id_, version in latest.items()}


def _pinned_graph(atlas: Atlas, answer: Resolved, selection: Selection) -> DependencyGraph:
    """Return the dependencies that the pinned versions themselves declare on each other."""
    names = [pin.package for pin in answer.resolution.pins]
    place = {name: index for index, name in enumerate(names)}
    owner = {version_id: place[name] for name, version_id in answer.version_ids.items()}
    with atlas.database.read() as connection:
        needs = dependencies.needs_of(connection, owner)
    rows = [
        (owner[id_], place[name], kinds, optional) for id_, name, _, kinds, optional in needs if name in place
    ]
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    whole = DependencyGraph.build(
        names,
        np.array(columns[0], dtype=np.int32),
        np.array(columns[1], dtype=np.int32),
        np.array(columns[2], dtype=np.uint8),
        np.array(columns[3], dtype=np.bool_),
    )
    return whole.select(selection.kinds, include_optional=selection.include_optional)
