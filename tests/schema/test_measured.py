"""What operations are measured as."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from resolvers.build_measures import BuildMeasures, PackageNames
from resolvers.measurements import BUILD, BUILD_WAIT, CLAIM, DELIVERY, OPERATION, PLAN, REPORT, RESOLVE
from resolvers.measuring import Measurer, Names
from schema.context import Application, Context
from schema.root import schema
from tests.schema.building import CLAIM as CLAIM_BUILDS
from tests.schema.building import REPORT as REPORT_BUILD
from tests.schema.building import START, held
from tests.schema.world import World

LOOK = "query Look { server { version } }"


class Observed:
    """A world whose operations are measured."""

    def __init__(self, world: World, names: Names | None = None) -> None:
        self.measurer = Measurer()
        self.application: Application = replace(
            world.context().application,
            measurer=self.measurer,
            build_measures=BuildMeasures(self.measurer, PackageNames(world.database)),
            operation_names=names or Names(),
        )

    def run(self, document: str, name: str | None = None, **variables: object) -> object:
        result = asyncio.run(
            schema.execute(
                document,
                variable_values=variables,
                context_value=Context(self.application, "request-1"),
                operation_name=name,
            )
        )
        return result.data

    def operations(self) -> list[tuple[str, str, int]]:
        return sorted(
            (row.labels["operation"], row.labels["outcome"], row.count)
            for row in self.measurer.take()
            if row.name == OPERATION
        )


@pytest.fixture
def observed(world: World) -> Observed:
    return Observed(world)


def test_operations_are_measured_by_their_names_and_how_they_end(observed: Observed) -> None:
    for _ in range(2):
        observed.run(LOOK)
    observed.run("{ server { version } }")
    observed.run(f"{LOOK} query Other {{ server {{ version }} }}", "Other")
    observed.run('query Look { path(from: "a", to: "b") { packages } }')

    assert observed.operations() == [
        ("Look", "NOT_FOUND", 1),
        ("Look", "OK", 2),
        ("Other", "OK", 1),
        ("unnamed", "OK", 1),
    ]


def test_names_of_what_is_refused_are_not_kept(observed: Observed) -> None:
    observed.run("query Bad { nothing }")
    observed.run("query Broken {")
    observed.run(f"{LOOK} query Other {{ server {{ version }} }}")

    assert observed.operations() == [
        ("unnamed", "GRAPHQL_PARSE_FAILED", 1),
        ("unnamed", "GRAPHQL_VALIDATION_FAILED", 2),
    ]


def test_of_names_there_are_only_so_many(world: World) -> None:
    observed = Observed(world, Names(most=2))
    for name in ("A", "B", "C", "A", "D" * 101):
        observed.run(f"query {name} {{ server {{ version }} }}")

    assert observed.operations() == [("A", "OK", 2), ("B", "OK", 1), ("other", "OK", 2)]


def test_names_are_counted_by_the_hour() -> None:
    now = [0.0]
    names = Names(most=1, clock=lambda: now[0])

    assert [names.known(name) for name in ("A", "B", None)] == ["A", "other", "unnamed"]
    now[0] = 3_600
    assert [names.known(name) for name in ("B", "A")] == ["B", "other"]


def test_resolving_planning_and_building_are_measured(world: World, observed: Observed) -> None:
    world.publish("lib", "1")
    observed.run('{ resolve(input: { requirements: [{ package: "lib" }] }) { __typename } }')
    observed.run('{ buildPlan(input: { packages: ["lib"] }) { __typename } }')
    observed.run(START, input={"plan": {"packages": ["lib"]}})
    data = observed.run(CLAIM_BUILDS, input={"worker": "w"})
    assert isinstance(data, dict)
    (claimed,) = data["claimBuilds"]["claims"]
    for status, conclusion in (("RUNNING", None), ("COMPLETED", "SUCCESS")):
        said = {**held(claimed), "status": status, "conclusion": conclusion}
        observed.run(REPORT_BUILD, input=said)

    counts = {row.name: row.count for row in observed.measurer.take() if row.name != OPERATION}
    assert counts.items() >= {RESOLVE: 1, PLAN: 2, CLAIM: 1, REPORT: 2, BUILD: 1, BUILD_WAIT: 1}.items()


def test_what_is_delivered_as_it_happens_tells_how_late_it_is(world: World, observed: Observed) -> None:
    document = 'subscription Watch { events(after: "0") { ... on Event { cursor } } }'
    world.publish("old", "1")

    async def story() -> None:
        async with observed.application.pulse.beating():
            results = await schema.subscribe(document, context_value=Context(observed.application, "r"))
            async with aclosing(results):
                for _ in range(2):  # The package and its version, from before.
                    await anext(results)
                following = asyncio.create_task(anext(results))
                await observed.application.pulse.waiting()
                await asyncio.to_thread(world.publish, "new", "1")
                await asyncio.wait_for(following, 10)

    asyncio.run(story())

    rows = observed.measurer.take()
    assert [row.name for row in rows] == [DELIVERY]
    assert [row.count for row in rows] == [1]
