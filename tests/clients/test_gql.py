"""The client gql, by HTTP and by WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from gql import Client, GraphQLRequest, gql
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXTransport
from gql.transport.websockets import WebsocketsTransport
from graphql import GraphQLError

from tests.api.serving import publish

EVENTS: Final = gql(
    "subscription($after: String) { events(after: $after) { ... on Event { cursor version } } }"
)
REGISTER: Final = gql('mutation { registerPackage(input: { name: "a" }) { package { name } } }')
FIND: Final = gql('{ package(name: "a") { name } }')

each_offer = pytest.mark.parametrize(
    "subprotocols",
    [[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL], None],
    ids=["graphql-transport-ws", "whatever it offers"],
)


@asynccontextmanager
async def connected(address: str, subprotocols: list[str] | None) -> AsyncIterator[AsyncClientSession]:
    place = f"{address.replace('http', 'ws', 1)}/graphql"
    transport = WebsocketsTransport(place, subprotocols=subprotocols)
    async with Client(transport=transport) as session:
        yield session


def with_values(request: GraphQLRequest, **variables: object) -> GraphQLRequest:
    return GraphQLRequest(request, variable_values=variables)


def test_queries_and_mutations_are_answered_over_http(address: str) -> None:
    with Client(transport=HTTPXTransport(f"{address}/graphql")) as session:
        registered = session.execute(REGISTER)
        found = session.execute(FIND)

    assert registered == {"registerPackage": {"package": {"name": "a"}}}
    assert found == {"package": {"name": "a"}}


def test_the_schema_it_reads_from_the_server_knows_what_the_server_refuses(address: str) -> None:
    transport = HTTPXTransport(f"{address}/graphql")
    with (
        Client(transport=transport, fetch_schema_from_transport=True) as session,
        pytest.raises(GraphQLError, match="Cannot query field 'nothing'"),
    ):
        session.execute(gql("{ nothing }"))


def test_a_refusal_comes_with_its_code(address: str) -> None:
    with (
        Client(transport=HTTPXTransport(f"{address}/graphql")) as session,
        pytest.raises(TransportQueryError) as refused,
    ):
        session.execute(gql('mutation { registerPackage(input: { name: "" }) { package { name } } }'))

    assert refused.value.errors is not None
    assert refused.value.errors[0]["extensions"]["code"] == "BAD_USER_INPUT"


@each_offer
def test_changes_arrive_as_they_are_made(address: str, subprotocols: list[str] | None) -> None:
    async def follow() -> list[Any]:
        cursor = await asyncio.to_thread(publish, address, "a", "1")
        async with connected(address, subprotocols) as session:
            events = session.subscribe(with_values(EVENTS, after=cursor))
            arrived = []
            for each in "23":
                await asyncio.to_thread(publish, address, "a", each)
                arrived.append((await anext(events))["events"]["version"])
            await events.aclose()
            # The connection is there for other things still.
            return [*arrived, await session.execute(FIND)]

    assert asyncio.run(follow()) == ["2", "3", {"package": {"name": "a"}}]


@each_offer
def test_a_refused_subscription_says_why(address: str, subprotocols: list[str] | None) -> None:
    async def refuse() -> str:
        async with connected(address, subprotocols) as session:
            with pytest.raises(TransportQueryError) as refused:
                await anext(session.subscribe(gql("subscription { nothing }")))
        assert refused.value.errors is not None
        return str(refused.value.errors[0]["extensions"]["code"])

    assert asyncio.run(refuse()) == "GRAPHQL_VALIDATION_FAILED"
