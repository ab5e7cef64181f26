"""Who may do what: every field that something begins with says so, and it is kept to."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLObjectType, OperationType

from resolvers.access import NOBODY, READER, TRUSTED, Viewer
from schema.context import Context, Exposure
from schema.fields import SCOPE
from schema.rights import scope_of
from schema.root import schema
from storage.monitoring_tables import Scope
from tests.schema.world import World

REGISTER = 'mutation { registerPackage(input: { name: "a" }) { package { name } } }'
CLAIM = 'mutation { claimBuilds(input: { worker: "w" }) { claims { lease } } }'
DELETE = 'mutation { deletePackage(input: { name: "a" }) { cursor } }'
READ = '{ package(name: "a") { name } }'
TYPES = "{ __schema { types { name } } }"
EXPOSED = Exposure(hides_schema=True)


def root(kind: OperationType) -> GraphQLObjectType:
    found = schema._schema.get_root_type(kind)
    assert found is not None
    return found


def test_every_mutation_and_subscription_says_what_it_needs() -> None:
    for kind in (OperationType.MUTATION, OperationType.SUBSCRIPTION):
        silent = [
            name
            for name, field in root(kind).fields.items()
            if SCOPE not in field.extensions["strawberry-definition"].metadata
        ]
        assert silent == []


def test_reading_needs_read_and_changing_more() -> None:
    assert {
        scope_of(schema._schema, OperationType.SUBSCRIPTION, name) for name in ("events", "buildStatus")
    } == {Scope.READ}
    for name in root(OperationType.MUTATION).fields:
        assert scope_of(schema._schema, OperationType.MUTATION, name) is not Scope.READ
    for name in root(OperationType.QUERY).fields:
        assert scope_of(schema._schema, OperationType.QUERY, name) is Scope.READ


def codes(world: World, query: str, viewer: Viewer, exposure: Exposure | None = None) -> list[Any]:
    """Return the codes of the errors that this viewer gets."""
    context = world.context()
    application = replace(context.application, exposure=exposure or Exposure())
    context = Context(application, "request-1", viewer.name, viewer)
    result = asyncio.run(schema.execute(query, context_value=context))
    return [(error.extensions or {})["code"] for error in result.errors or ()]


@pytest.mark.parametrize(
    ("scopes", "query", "is_allowed"),
    [
        (Scope.READ, READ, True),
        (Scope.READ, REGISTER, False),
        (Scope.READ, CLAIM, False),
        (Scope.WRITE, READ, True),
        (Scope.WRITE, REGISTER, True),
        (Scope.WRITE, CLAIM, False),
        (Scope.WRITE, DELETE, False),
        (Scope.BUILD, CLAIM, True),
        (Scope.BUILD, REGISTER, False),
        (Scope.ADMIN, REGISTER, True),
        (Scope.ADMIN, CLAIM, True),
        # In whatever fragment it stands, and by whatever name.
        (Scope.WRITE, "mutation { ...F } fragment F on Mutation { x: deletePackage(input: {name: \"a\"}) { cursor } }", False),
        (Scope.WRITE, 'mutation { ... { deletePackage(input: { name: "a" }) { cursor } } }', False),
        (Scope.WRITE, f"{REGISTER[:-1]} ... on Mutation {{ claimBuilds(input: {{ worker: \"w\" }}) {{ claims {{ lease }} }} }} }}", False),
    ],
)  # fmt: skip
def test_a_token_allows_what_its_scopes_say(
    world: World, scopes: Scope, query: str, is_allowed: bool
) -> None:
    assert codes(world, query, Viewer("ci", scopes)) == ([] if is_allowed else ["FORBIDDEN"])
    if not is_allowed:
        assert world.database.cursor() == 0


@pytest.mark.parametrize("query", [READ, REGISTER, TYPES, "{ __typename }"])
def test_without_a_token_nothing_is_answered(world: World, query: str) -> None:
    assert codes(world, query, NOBODY) == ["UNAUTHENTICATED"]


def test_of_several_operations_only_the_one_counts_that_is_executed(world: World) -> None:
    both = f"query Read {READ} {REGISTER.replace('mutation', 'mutation Write')}"
    context = Context(world.context().application, "request-1", None, READER)

    read = asyncio.run(schema.execute(both, context_value=context, operation_name="Read"))
    written = asyncio.run(schema.execute(both, context_value=context, operation_name="Write"))

    assert read.errors is None
    assert written.errors is not None


def test_readers_that_show_no_token_do_not_see_the_schema_of_an_exposed_server(world: World) -> None:
    kind = '{ __type(name: "Package") { name } }'

    assert codes(world, TYPES, READER) == []
    for query in (TYPES, kind, "{ ...F } fragment F on Query { __schema { types { name } } }"):
        assert codes(world, query, READER, EXPOSED) == ["UNAUTHENTICATED"]
        assert codes(world, query, Viewer("ci", Scope.READ), EXPOSED) == []
        assert codes(world, query, TRUSTED, EXPOSED) == []
    assert codes(world, "{ __typename }", READER, EXPOSED) == []


def said(world: World, query: str, viewer: Viewer) -> str:
    application = replace(world.context().application, exposure=EXPOSED)
    context = Context(application, "request-1", viewer.name, viewer)
    errors = asyncio.run(schema.execute(query, context_value=context)).errors
    assert errors
    return " ".join(error.message for error in errors)


@pytest.mark.parametrize(
    "query", ["{ packagez { totalCount } }", '{ package(nam: "a") { name } }', "{ package { name } }"]
)
def test_mistakes_give_them_no_hint_of_what_there_is(world: World, query: str) -> None:
    assert "Did you mean" not in said(world, query, READER)


def test_mistakes_give_others_a_hint(world: World) -> None:
    assert "Did you mean" in said(world, "{ packagez { totalCount } }", Viewer("ci", Scope.READ))


def test_where_documents_are_trusted_no_other_is_executed_without_a_token(world: World) -> None:
    trusting = Exposure(trusted_documents=frozenset({READ}))

    assert codes(world, READ, READER, trusting) == []
    assert codes(world, READ + " ", READER, trusting) == ["UNAUTHENTICATED"]
    assert codes(world, READ + " ", Viewer("ci", Scope.READ), trusting) == []
