"""Which operations are answered alike at one position of the event log: the table that says so, and whether it is true."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing

import orjson
import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    parse,
    validate,
)

from resolvers import access
from schema.repeatable import ARRANGED, TABLE, is_repeatable_field, repeatable
from schema.root import schema
from storage.monitoring_tables import Scope
from tests.databases import KINDS, url_of
from tests.schema.crowd import LOG, Crowd, crowd
from tests.schema.statement_cases import NESTED, answered
from tests.schema.world import NOW, World

BUILT = schema._schema
WHERE = "schema/repeatable.py"

HEARTBEAT = "mutation($held: HeartbeatInput!) { heartbeat(input: $held) { leaseExpiresAt } }"
CLAIM = "mutation($claim: ClaimBuildsInput!) { claimBuilds(input: $claim) { claims { lease } } }"
MARKED = "query($build: ID!) { build(id: $build) { leaseExpiresAt log { nodes { text } } } }"


def names(document: str) -> frozenset[str | None]:
    parsed = parse(document)
    assert validate(BUILT, parsed) == []
    return repeatable(parsed, BUILT)


def with_all_values() -> Iterator[tuple[str, str]]:
    """Yield for each type a query of all that the table takes for repeatable of its objects, but for other objects."""
    for kind, (route, _) in NESTED.items():
        owner = BUILT.type_map[kind]
        assert isinstance(owner, GraphQLObjectType)
        values = [
            name
            for name, field in owner.fields.items()
            if is_leaf_type(get_named_type(field.type)) and is_repeatable_field(kind, name)
        ]
        if values:
            yield f"{kind}.*", f"{route} fragment Asked on {kind} {{ {' '.join(values)} }}"


REPEATABLE = {
    field: document for field, document in (*answered().items(), *with_all_values()) if names(document)
}


def reached() -> Mapping[str, GraphQLObjectType | GraphQLInterfaceType]:
    """Return the types of all that a repeatable query can select."""
    found: dict[str, GraphQLObjectType | GraphQLInterfaceType] = {}
    left: list[GraphQLNamedType] = [BUILT.type_map["Query"]]
    while left:
        kind = left.pop()
        if is_abstract_type(kind):
            left += BUILT.get_possible_types(kind)
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and kind.name not in found:
            found[kind.name] = kind
            left += [
                get_named_type(field.type)
                for name, field in kind.fields.items()
                if is_repeatable_field(kind.name, name)
            ]
    return found


def said_of(kind: str) -> set[str]:
    fields = TABLE.get(kind)
    return set() if fields is None else {*fields.repeatable, *fields.changing}


def test_of_every_field_it_is_said_whether_it_is_repeatable() -> None:
    silent = {
        f"{kind.name}.{name}"
        for kind in reached().values()
        if kind.name not in ARRANGED
        for name in kind.fields
        if name not in said_of(kind.name)
    }

    assert not silent, (
        f"say in {WHERE} of {', '.join(sorted(silent))}: `repeatable` if every transaction that changes it writes an event, "
        "and neither the clock nor this process has a part in it; else `changing`"
    )


def test_what_is_said_is_said_once_and_of_what_is_there() -> None:
    there = {f"{kind.name}.{name}" for kind in reached().values() for name in kind.fields}
    said = {f"{kind}.{name}" for kind in TABLE for name in said_of(kind)}

    assert said <= there, (
        f"remove from {WHERE} what is not reached any more: {', '.join(sorted(said - there))}"
    )
    assert reached().keys() >= ARRANGED
    assert ARRANGED.isdisjoint(TABLE)
    assert all(fields.repeatable.isdisjoint(fields.changing) for fields in TABLE.values())


def test_a_field_of_an_interface_is_only_repeatable_where_it_is_of_all_that_have_it() -> None:
    interfaces = [kind for kind in reached().values() if isinstance(kind, GraphQLInterfaceType)]

    assert [kind.name for kind in interfaces] == ["Node"]
    for kind in interfaces:
        for name in TABLE[kind.name].repeatable:
            assert all(is_repeatable_field(each.name, name) for each in BUILT.get_possible_types(kind))


def test_a_field_that_nothing_is_said_of_is_not_repeatable() -> None:
    assert not is_repeatable_field("Build", "mood")
    assert not is_repeatable_field("Weather", "id")


@pytest.mark.parametrize(
    "document",
    [
        "{ packages { totalCount nodes { name latestVersion { version } } } }",
        '{ package(name: "a") { __typename ...F } } fragment F on Package { labels { key } ... { status } }',
        "query($id: ID!) { node(id: $id) { id ... on Build { status } ... on Node { id } } }",
        "{ __typename __schema { types { name } } }",
    ],
)
def test_a_query_is_repeatable_when_all_that_it_selects_is(document: str) -> None:
    assert names(document) == {None}


@pytest.mark.parametrize(
    "document",
    [
        "{ server { version } }",
        "{ packages { totalCount } blockers { kind } }",
        '{ package(name: "a") { dependents { totalCount } } }',
        "query($id: ID!) { node(id: $id) { id ... on Build { status leaseExpiresAt } } }",
        "{ builds { nodes { ...F } } } fragment F on Build { ...G } fragment G on Build { blockedBy { kind } }",
        "{ runs { nodes { builds { nodes { ... @include(if: false) { log { nodes { text } } } } } } } }",
        'mutation { registerPackage(input: { name: "a" }) { package { name } } }',
        "subscription { events { ... on Event { kind } } }",
    ],
)
def test_one_field_that_is_not_has_the_whole_operation_not_be_repeatable(document: str) -> None:
    assert names(document) == frozenset()


def test_each_operation_of_a_document_is_looked_at_by_itself() -> None:
    document = """query A { ...F } query B { ...F server { version } } query C { builds { nodes { log { nodes { text } } } } }
        query D { ...F } fragment F on Query { packages { totalCount } }"""

    assert names(document) == {"A", "D"}


@pytest.fixture(scope="module", params=KINDS)
def world_of_builds(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Crowd]]:
    """A world with some of everything, and where it is."""
    with url_of(request.param, tmp_path_factory.mktemp("crowd")) as url, crowd(url, 3) as made:
        yield url, made


def write_without_an_event(made: Crowd) -> None:
    """Do whatever is written beside the event log."""
    held = {key: made.variables["log"][key] for key in ("build", "lease")}
    before = made.world.database.cursor(), made.ask(MARKED)
    made.world.ask(HEARTBEAT, held={**held, "leaseSeconds": 80_000})
    made.world.ask(LOG, log={**held, "firstLine": 2, "lines": ["three"]})
    assert made.ask(CLAIM)["claimBuilds"]["claims"], "it has claimed them before"
    access.create(made.world.database, "ci", Scope.READ, now=NOW)
    after = made.world.database.cursor(), made.ask(MARKED)
    assert after[0] == before[0]
    assert after[1]["build"]["leaseExpiresAt"] != before[1]["build"]["leaseExpiresAt"]
    assert after[1]["build"]["log"] != before[1]["build"]["log"]


def answers(world: World, variables: Mapping[str, object]) -> Mapping[str, bytes]:
    """Return what each repeatable operation is answered."""

    async def story() -> Mapping[str, bytes]:
        found = {}
        for field, document in REPEATABLE.items():
            result = await schema.execute(
                document, variable_values=dict(variables), context_value=world.context()
            )
            assert result.errors is None, (field, result.errors)
            found[field] = orjson.dumps(result.data)
        return found

    return asyncio.run(story())


def test_what_is_repeatable_is_answered_alike_until_there_is_an_event(
    world_of_builds: tuple[str, Crowd],
) -> None:
    url, made = world_of_builds
    first = answers(made.world, made.variables)

    write_without_an_event(made)
    again = answers(made.world, made.variables)
    with closing((other := World.at(url)).database):
        elsewhere = answers(other, made.variables)

    assert len(first) > 40
    assert again == first
    assert elsewhere == first
