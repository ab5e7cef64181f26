"""What one request may ask for, and what those may ask who show no token."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from buildatlas.settings import Settings
from resolvers import access
from storage.database import Database
from storage.monitoring_tables import Scope
from tests.api.serving import PUBLISH_MANY, Socket, connected, serving

PACKAGES = "{ packages { totalCount } }"
RESOLVE = "query($input: ResolveInput!) { resolve(input: $input) { __typename } }"
EVENTS = "subscription { events { ... on Event { cursor } } }"
NAMES = "query Names { packages(first: 2) { nodes { name } } server { version } }"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server on an empty SQLite file and any free port."""
    return Settings(str(tmp_path / "atlas.db"), port=0)


def token(settings: Settings, scopes: Scope = Scope.READ) -> dict[str, str]:
    """Make a token, and return the header that shows it."""
    with closing(Database.open(settings.database_url)) as database:
        made = access.create(database, f"token of {scopes}", scopes, now=datetime.now(UTC))
    return {"Authorization": f"Bearer {made.secret}"}


def ask(
    address: str, query: str, headers: Mapping[str, str] | None = None, **variables: object
) -> httpx.Response:
    body = {"query": query, "variables": variables}
    return httpx.post(f"{address}/graphql", json=body, headers=headers, timeout=10)


def refusal(answer: httpx.Response) -> tuple[str, Mapping[str, Any]]:
    """Return the message and the extensions of the one error of an answer that has no data."""
    body = answer.json()
    assert "data" not in body
    (error,) = body["errors"]
    return error["message"], error["extensions"]


# ---- The size of a document


@pytest.mark.parametrize(
    ("limit", "most", "passes", "trips", "what", "found"),
    [
        (
            "depth_limit",
            2,
            "{ server { version } }",
            "{ packages { nodes { name } } }",
            "levels of fields",
            3,
        ),
        ("field_limit", 2, "{ server { version } }", "{ server { version startedAt } }", "fields", 3),
        (
            "field_limit",
            4,
            "{ server { ...F } } fragment F on ServerInfo { version }",
            "{ a: server { ...F ...F } b: server { ...F } } fragment F on ServerInfo { version }",
            "fields",
            5,
        ),
        (
            "alias_limit",
            1,
            "{ a: server { version } }",
            "{ a: server { version } b: server { version } }",
            "aliases",
            2,
        ),
        (
            "directive_limit",
            1,
            "{ server { version @skip(if: false) } }",
            "{ server @skip(if: false) { version @include(if: true) } }",
            "directives",
            2,
        ),
    ],
)
def test_a_document_may_hold_so_much_and_no_more(
    settings: Settings, limit: str, most: int, passes: str, trips: str, what: str, found: int
) -> None:
    chosen: dict[str, Any] = {limit: most}
    with serving(replace(settings, **chosen)) as address:
        message, facts = refusal(ask(address, trips))

        assert "errors" not in ask(address, passes).json()
    assert facts == {"code": "LIMIT_EXCEEDED", "what": what, "found": found, "allowed": most}
    assert message == f"{what}: {found}, and at most {most} is allowed in one operation"


def test_a_document_may_have_so_many_tokens_and_no_more(settings: Settings) -> None:
    # Names and brackets count; white space and commas do not.
    with serving(replace(settings, token_limit=6)) as address:
        passes = ask(address, "{ server, {   version } },,,")
        message, facts = refusal(ask(address, "{ server { version startedAt } }"))

    assert "errors" not in passes.json()
    assert "more than 6 tokens" in message
    assert facts == {"code": "LIMIT_EXCEEDED"}


def test_a_document_past_a_limit_is_refused_on_a_socket_too(settings: Settings) -> None:
    with serving(replace(settings, depth_limit=1)) as address, connected(address) as socket:
        socket.subscribe(PACKAGES)
        refused = socket.receive()
        socket.subscribe(EVENTS, id="2")

        assert refused["type"] == socket.receive()["type"] == "error"
    assert refused["payload"][0]["extensions"] == {
        "code": "LIMIT_EXCEEDED",
        "what": "levels of fields",
        "found": 2,
        "allowed": 1,
    }


# ---- What an operation costs


PAGE = "query($n: Int) { packages(first: $n) { nodes { name } } }"


def test_an_answer_tells_what_it_has_cost(settings: Settings) -> None:
    with serving(settings) as address:
        costs = [ask(address, PAGE, n=n).json()["extensions"]["cost"] for n in (1, 10, 100)]

    first, second, third = costs
    assert third - second == 10 * (second - first)
    assert first > 0


def test_an_operation_may_cost_so_much_and_no_more(settings: Settings) -> None:
    with serving(settings) as address:
        cost = ask(address, PAGE, n=10).json()["extensions"]["cost"]
    with serving(replace(settings, cost_limit=cost)) as address:
        passes = ask(address, PAGE, n=10).json()
        message, facts = refusal(ask(address, PAGE, n=11))

    assert (passes["data"], passes["extensions"]) == ({"packages": {"nodes": []}}, {"cost": cost})
    assert (facts["code"], facts["allowed"]) == ("LIMIT_EXCEEDED", cost)
    assert facts["found"] > cost
    assert message.endswith(f"at most {cost} is allowed in one operation")


@pytest.mark.parametrize("n", [-1, 0, None, 2**31 - 1])
def test_a_size_that_is_none_does_not_make_an_operation_cheap(settings: Settings, n: int | None) -> None:
    nested = "query($n: Int) { packages(first: 100) { nodes { versions(first: $n) { nodes { version } } } } }"
    with serving(replace(settings, cost_limit=500)) as address:
        assert refusal(ask(address, nested, n=n))[1]["code"] == "LIMIT_EXCEEDED"


def test_an_operation_that_costs_too_much_is_refused_on_a_socket_too(settings: Settings) -> None:
    with serving(replace(settings, cost_limit=5)) as address, connected(address) as socket:
        socket.subscribe(PAGE, n=100)
        refused = socket.receive()

    assert refused["type"] == "error"
    assert refused["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


# ---- Bodies, messages and sockets


def padded(size: int) -> bytes:
    """Return a request of so many bytes."""
    body = json.dumps({"query": PACKAGES}).encode()
    return body + b" " * (size - len(body))


def post(address: str, body: bytes, headers: Mapping[str, str], *, to: str = "/graphql") -> httpx.Response:
    kinds = {"Content-Type": "application/json", "Accept": "*/*"}
    return httpx.post(f"{address}{to}", content=body, headers={**kinds, **headers}, timeout=10)


@pytest.mark.parametrize("to", ["/graphql", "/graphql/stream"])
def test_a_body_may_be_as_large_as_whoever_sends_it_may_write(settings: Settings, to: str) -> None:
    reader, builder = token(settings), token(settings, Scope.BUILD)
    writer, admin = token(settings, Scope.WRITE), token(settings, Scope.ADMIN)
    limited = replace(settings, body_limit=4_096, reader_body_limit=2_048, anonymous_read=True)
    with serving(limited) as address:
        for headers, most in (
            ({}, 2_048),
            (reader, 2_048),
            (builder, 2_048),
            (writer, 4_096),
            (admin, 4_096),
        ):
            refused = post(address, padded(most + 1), headers, to=to)

            assert post(address, padded(most), headers, to=to).status_code == 200
            assert refused.status_code == 413
            assert refusal(refused)[0] == f"the body is larger than {most:,} bytes: send it in parts"


def test_a_token_is_asked_for_before_a_body_is_read(settings: Settings) -> None:
    token(settings)
    with serving(replace(settings, reader_body_limit=1_024)) as address:
        assert post(address, padded(9_999), {"Authorization": "Bearer bat_x"}).status_code == 401


def test_a_list_of_operations_is_no_request(settings: Settings) -> None:
    with serving(settings) as address:
        answer = httpx.post(f"{address}/graphql", json=[{"query": PACKAGES}, {"query": PACKAGES}])

    assert answer.status_code == 400
    assert refusal(answer)[0] == "the body must be a JSON object with the field `query`"


def closed_with(socket: Socket) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        socket.connection.recv(timeout=10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def test_a_message_may_be_so_large_and_no_larger(settings: Settings) -> None:
    with serving(replace(settings, message_limit=1_024)) as address, connected(address) as socket:
        message = json.dumps({"type": "ping"})
        socket.connection.send(message.ljust(1_024))
        answered = socket.receive()
        socket.connection.send(message.ljust(1_025))

        assert answered == {"type": "pong"}
        assert closed_with(socket) == 1009


def test_so_many_sockets_may_be_open_and_one_more_when_one_is_closed(settings: Settings) -> None:
    with serving(replace(settings, socket_limit=2)) as address, connected(address):
        with connected(address):
            with pytest.raises(InvalidStatus) as refused, connected(address):
                pass
            assert refused.value.response.status_code == 503
            assert refused.value.response.body == (
                b"2 connections of all clients are open already: close one, or try again later"
            )
        with connected(address) as socket:
            socket.subscribe(PACKAGES)
            assert socket.data() == {"packages": {"totalCount": 0}}


def test_a_server_without_sockets_answers_all_else(settings: Settings) -> None:
    with serving(replace(settings, socket_limit=0)) as address:
        with pytest.raises(InvalidStatus), connected(address):
            pass
        assert ask(address, PACKAGES).status_code == 200


def test_event_streams_are_counted_with_the_sockets(settings: Settings) -> None:
    with (
        serving(replace(settings, socket_limit=1)) as address,
        httpx.Client(base_url=address, headers={"Accept": "text/event-stream"}, timeout=10) as client,
    ):
        with client.stream("GET", "/graphql/stream", params={"query": EVENTS}) as open_one:
            assert open_one.status_code == 200
            refused = client.get("/graphql/stream", params={"query": EVENTS})
            with pytest.raises(InvalidStatus), connected(address):
                pass
        # That one has gone is noticed a little later.
        for _ in range(100):
            again = client.get("/graphql/stream", params={"query": PACKAGES})
            if again.status_code == 200:
                break
            time.sleep(0.05)
    assert refused.status_code == 503
    assert refusal(refused)[1] == {"code": "LIMIT_EXCEEDED"}
    assert "event: complete" in again.text


def test_with_one_token_so_many_connections_may_be_open(settings: Settings) -> None:
    one, other = token(settings, Scope.READ), token(settings, Scope.WRITE)

    @contextmanager
    def initiated(address: str, shown: Mapping[str, str]) -> Iterator[Socket]:
        with connected(address, initiate=False) as socket:
            socket.send({"type": "connection_init", "payload": shown})
            yield socket

    with serving(replace(settings, client_socket_limit=1)) as address:
        with initiated(address, one) as socket:
            assert socket.receive()["type"] == "connection_ack"
            with initiated(address, one) as excess:
                assert closed_with(excess) == 1013
            stream = httpx.get(
                f"{address}/graphql/stream",
                params={"query": PACKAGES},
                headers={**one, "Accept": "text/event-stream"},
                timeout=10,
            )
            assert stream.status_code == 503
            assert refusal(stream)[0].startswith("1 connections by whoever shows this token, or comes from")
            with initiated(address, other) as theirs:
                assert theirs.receive()["type"] == "connection_ack"
        with initiated(address, one) as socket:
            assert socket.receive()["type"] == "connection_ack"


def test_an_operation_that_takes_too_long_is_stopped(settings: Settings) -> None:
    """More birds than holes: nobody finds out in a second, nor in the half minute that resolving may take at most."""
    birds, holes = 15, 14
    versions = [
        {
            "package": f"bird{bird}",
            "version": str(hole),
            "dependencies": [{"package": f"hole{hole}", "constraint": f"=={bird}"}],
        }
        for bird in range(birds)
        for hole in range(holes)
    ] + [{"package": f"hole{hole}", "version": str(bird)} for hole in range(holes) for bird in range(birds)]
    question = {"requirements": [{"package": f"bird{bird}"} for bird in range(birds)]}
    with serving(replace(settings, operation_seconds=1)) as address:
        published = ask(address, PUBLISH_MANY, input={"versions": versions, "atomic": True}).json()
        answer = ask(address, RESOLVE, input=question).json()
        after = ask(address, PACKAGES).json()

    assert published["data"] == {"publishVersions": {"published": len(versions)}}
    (error,) = answer["errors"]
    assert error["extensions"]["code"] == "GAVE_UP"
    assert after["data"] == {"packages": {"totalCount": birds + holes}}


def test_a_socket_carries_a_hundred_operations_and_another_when_one_has_ended(settings: Settings) -> None:
    with serving(settings) as address, connected(address) as socket:
        for number in range(101):
            socket.subscribe(EVENTS, id=str(number))
        refused = socket.receive()
        socket.send({"type": "complete", "id": "7"})
        socket.subscribe(PACKAGES, id="next")

        assert socket.data() == {"packages": {"totalCount": 0}}
    assert (refused["type"], refused["id"]) == ("error", "100")
    assert refused["payload"] == [
        {
            "message": "at most 100 operations may be under way on one connection",
            "extensions": {"code": "LIMIT_EXCEEDED"},
        }
    ]


# ---- Those who show no token


@contextmanager
def open_to_readers(settings: Settings, **more: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve where anybody may read; give the address, and the header of a reader that shows a token."""
    shown = token(settings)
    with serving(replace(settings, anonymous_read=True, **more)) as address:
        yield address, shown


@pytest.mark.parametrize("listed", [[NAMES, EVENTS], {"sha256:1": NAMES, "events": EVENTS}])
def test_only_trusted_documents_are_executed_for_those_without_a_token(
    settings: Settings, tmp_path: Path, listed: object
) -> None:
    path = tmp_path / "trusted.json"
    path.write_text(json.dumps(listed))
    with open_to_readers(settings, trusted_documents=str(path)) as (address, shown), ExitStack() as sockets:
        anonymous = sockets.enter_context(connected(address))
        anonymous.subscribe(PACKAGES, id="other")
        other = anonymous.receive()
        anonymous.subscribe(NAMES, id="listed")
        refused = ask(address, PACKAGES)

        assert anonymous.data()["packages"] == {"nodes": []}
        assert ask(address, NAMES).json()["data"]["packages"] == {"nodes": []}
        assert ask(address, PACKAGES, shown).json()["data"] == {"packages": {"totalCount": 0}}
    assert refused.status_code == 401
    assert refusal(refused) == (
        "without a token only the documents are executed that this server trusts",
        {"code": "UNAUTHENTICATED"},
    )
    assert (other["type"], other["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


@pytest.mark.parametrize("changed", [NAMES + " ", NAMES.replace("2", "3"), f"{NAMES} query Other {PACKAGES}"])
def test_a_document_that_resembles_a_trusted_one_is_another(
    settings: Settings, tmp_path: Path, changed: str
) -> None:
    path = tmp_path / "trusted.json"
    path.write_text(json.dumps([NAMES]))
    with open_to_readers(settings, trusted_documents=str(path)) as (address, _):
        answer = httpx.post(f"{address}/graphql", json={"query": changed, "operationName": "Names"})

    assert answer.status_code == 401


def test_trusted_documents_open_nothing_to_those_who_may_not_read(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "trusted.json"
    path.write_text(json.dumps([NAMES]))
    token(settings)
    with serving(replace(settings, trusted_documents=str(path))) as address:
        assert ask(address, NAMES).status_code == 401


SCHEMA = "{ __schema { queryType { name } } }"
TYPE = '{ __type(name: "Query") { name } }'
HIDDEN = f"query {{ server {{ version }} ...F }} fragment F on Query {{ ... on Query {{ t: {TYPE[2:-2]} }} }}"


@pytest.mark.parametrize("query", [SCHEMA, TYPE, HIDDEN])
def test_an_exposed_server_shows_its_schema_to_those_with_a_token(settings: Settings, query: str) -> None:
    with open_to_readers(settings, hosts=("localhost",)) as (address, shown):
        refused = ask(address, query)
        told = ask(address, query, shown)

    assert refused.status_code == 401
    assert refusal(refused) == (
        "the schema is shown to those who show a token",
        {"code": "UNAUTHENTICATED"},
    )
    assert "errors" not in told.json()


def test_an_exposed_server_hints_at_its_schema_to_those_with_a_token(settings: Settings) -> None:
    with open_to_readers(settings, hosts=("localhost",)) as (address, shown):
        without, with_one = (refusal(ask(address, "{ serve }", each))[0] for each in ({}, shown))

    assert without == "Cannot query field 'serve' on type 'Query'."
    assert "'server'" in with_one


def test_the_name_of_a_type_is_no_secret(settings: Settings) -> None:
    with open_to_readers(settings, hosts=("localhost",)) as (address, _):
        assert ask(address, "{ __typename }").json()["data"] == {"__typename": "Query"}


@pytest.mark.parametrize("query", [SCHEMA, TYPE])
def test_a_server_of_this_machine_alone_shows_its_schema_to_all_who_may_read(
    settings: Settings, query: str
) -> None:
    with open_to_readers(settings) as (address, _):
        assert "errors" not in ask(address, query).json()
