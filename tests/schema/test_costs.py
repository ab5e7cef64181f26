"""What an operation may cost is told before it is executed."""

import pytest
from graphql import parse

from schema.costs import DEFAULT_PAGE, EMBEDDED, FLAT, LIST, formulas
from schema.limits import Limits
from schema.root import schema
from tests.schema.world import World


def cost(document: str, name: str | None = None, **variables: object) -> int:
    return formulas(parse(document), schema._schema)[name].value(variables)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("{ __typename }", 0),
        ('{ package(name: "a") { name description } }', 1),
        ('{ package(name: "a") { name latestVersion { version } } }', 2),
        ("{ packages(first: 7) { totalCount } }", 1 + 7),
        ("{ packages(first: 7) { nodes { name } } }", 1 + 7 * 2),
        ("{ packages(last: 7) { edges { node { name } } } }", 1 + 7 * 3),
        ("{ packages { nodes { name } } }", 1 + DEFAULT_PAGE * 2),
        ("{ packages(first: 10) { nodes { versions(first: 10) { nodes { version } } } } }", 1 + 10 * (2 + 1 + 10 * 2)),
        ('{ package(name: "a") { latestVersion { dependencies { constraint } } } }', 2 + 1 + LIST),
        # In the row of the package, and not an object of its own.
        ('{ package(name: "a") { labels { key value } } }', 2),
        ("{ blockers(first: 3) { message } }", 1 + 3),
        ("{ blockers { message } }", 1 + 20),
        ("query A($n: Int) { packages(first: $n) { nodes { name } } }", 1 + DEFAULT_PAGE * 2),
        ("query A($n: Int = 3) { packages(first: $n) { nodes { name } } }", 1 + 3 * 2),
        ("{ ...F ...F } fragment F on Query { packages(first: 2) { nodes { ...G } } } fragment G on Package { name }", 2 * (1 + 2 * 2)),
        ('{ node(id: "x") { ... on Package { latestVersion { version } } ... { id } } }', 2),
        # Refused where it is used, and no way around the limit.
        ("{ packages(first: -1000) { nodes { name } } }", 1 + DEFAULT_PAGE * 2),
    ],
)  # fmt: skip
def test_each_object_costs_one_as_often_as_it_may_come(document: str, expected: int) -> None:
    name = "A" if document.startswith("query A") else None

    assert cost(document, name) == expected


def test_a_variable_counts_with_the_value_that_it_has() -> None:
    document = "query A($n: Int!) { packages(first: $n) { nodes { name } } }"

    assert cost(document, "A", n=11) == 1 + 11 * 2
    assert cost(document, "A", n="many") == 1 + DEFAULT_PAGE * 2


def test_what_is_bounded_otherwise_costs_the_same_whatever_is_asked_of_it() -> None:
    waves = "{ buildPlan(input: {}) { ... on BuildPlan { waves { packages { name version } } } } }"

    assert cost(waves) == 1 + FLAT["BuildPlan.waves"]


def test_what_is_named_apart_is_in_the_schema() -> None:
    for place in FLAT:
        owner, _, field = place.partition(".")
        kind = schema._schema.get_type(owner)
        assert field in getattr(kind, "fields", {}), place
    assert all(schema._schema.get_type(name) for name in EMBEDDED)


def test_too_much_is_refused_before_anything_is_read(world: World) -> None:
    application = world.context().application
    world.limits = Limits(cost=100)
    deep = "query($n: Int!) { packages(first: $n) { nodes { versions(first: 1000) { nodes { version } } } } }"

    message, facts = world.refusal(deep, n=1000)

    assert message.startswith("cost: 2,003,001, and at most 100")
    assert facts["code"] == "LIMIT_EXCEEDED"
    assert (facts["found"], facts["allowed"]) == (2_003_001, 100)
    assert application.limits.cost is None


def test_an_answer_tells_what_it_has_cost(world: World) -> None:
    world.limits = Limits(cost=100)

    assert world.run("{ packages(first: 3) { nodes { name } } }").extensions == {"cost": 7}
    world.limits = Limits()
    assert not world.run("{ packages(first: 3) { nodes { name } } }").extensions
