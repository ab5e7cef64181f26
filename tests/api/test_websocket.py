"""GraphQL over WebSocket: graphql-transport-ws."""

import dataclasses
from contextlib import ExitStack

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from buildatlas.settings import Settings
from tests.api.serving import WIDE_EVENTS, Socket, connected, publish, publish_many, serving

EVENTS = (
    "subscription($after: String) { events(after: $after) { ... on Event { cursor kind package version } } }"
)
VERSION = "{ server { version } }"


def closed_with(socket: Socket) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        socket.connection.recv(timeout=10)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_changes_made_over_http_arrive_on_the_socket(address: str) -> None:
    with connected(address) as socket:
        socket.subscribe(EVENTS, after="0")
        cursor = publish(address, "a", "1")

        events = [socket.data()["events"] for _ in range(2)]

    assert [(each["kind"], each["version"]) for each in events] == [
        ("PACKAGE_CHANGED", None),
        ("VERSION_PUBLISHED", "1"),
    ]
    assert events[-1]["cursor"] == cursor


def test_queries_and_mutations_are_answered_on_the_socket_too(address: str) -> None:
    with connected(address) as socket:
        socket.subscribe('mutation { registerPackage(input: { name: "a" }) { package { name } } }')
        registered = socket.data()
        completed = socket.receive()
        socket.subscribe('{ package(name: "a") { name } }', id="2")

        assert registered == {"registerPackage": {"package": {"name": "a"}}}
        assert completed == {"type": "complete", "id": "1"}
        assert socket.data() == {"package": {"name": "a"}}


def test_operations_on_one_socket_do_not_share_what_they_have_read(address: str) -> None:
    find = '{ package(name: "a") { name } }'
    with connected(address) as socket:
        socket.subscribe(find)
        before = socket.data()
        assert socket.receive()["type"] == "complete"
        publish(address, "a", "1")
        socket.subscribe(find, id="2")

        assert (before, socket.data()) == ({"package": None}, {"package": {"name": "a"}})


@pytest.mark.parametrize(
    "document", ["{", "{ nothing }", "query A { server { version } } query B { server { version } }"]
)
def test_a_refused_operation_ends_only_itself(address: str, document: str) -> None:
    with connected(address) as socket:
        socket.subscribe(document)
        refused = socket.receive()
        socket.subscribe(VERSION, id="2")

        assert (refused["type"], refused["id"]) == ("error", "1")
        assert refused["payload"][0]["extensions"]["code"].startswith("GRAPHQL_")
        assert "server" in socket.data()


def test_an_operation_name_that_is_not_there_ends_only_its_operation(address: str) -> None:
    with connected(address) as socket:
        socket.send({"type": "subscribe", "id": "1", "payload": {"query": VERSION, "operationName": "Other"}})
        refused = socket.receive()
        socket.send({"type": "ping"})

        assert refused["type"] == "error"
        assert socket.receive() == {"type": "pong"}


@pytest.mark.parametrize(
    "frame",
    [
        "null",
        "5",
        "[]",
        "{",
        "[" * 5_000,
        "{}",
        '{"type": 5}',
        '{"type": "nothing"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 5, "payload": {"query": "{ server { version } }"}}',
        '{"type": "subscribe", "id": [], "payload": {"query": "{ server { version } }"}}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": "{ server { version } }"}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "operationName": 5}}',
        '{"type": "complete"}',
        b"{}",
    ],
)
def test_a_frame_of_the_wrong_shape_closes_the_socket_with_the_reason(
    address: str, frame: str | bytes
) -> None:
    with connected(address) as socket:
        socket.connection.send(frame)

        code, reason = closed_with(socket)

    assert code == 4400
    assert reason


def test_an_operation_before_the_handshake_is_refused(address: str) -> None:
    with connected(address, initiate=False) as socket:
        socket.subscribe(VERSION)

        assert closed_with(socket)[0] == 4401


def test_the_older_subprotocol_is_not_spoken(address: str) -> None:
    with connected(address, initiate=False, protocol="graphql-ws") as socket:
        assert closed_with(socket)[0] == 4406


def test_a_page_of_another_site_cannot_open_a_socket(address: str) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "graphql-transport-ws",
        "Origin": "https://evil.example",
    }

    assert httpx.get(f"{address}/graphql", headers=headers).status_code == 403


def test_sockets_past_the_limit_are_refused(settings: Settings) -> None:
    limited = dataclasses.replace(settings, socket_limit=1)
    with (
        serving(limited) as address,
        connected(address),
        pytest.raises(InvalidStatus) as refused,
        connected(address),
    ):
        pass

    assert refused.value.response.status_code == 503


def test_a_socket_at_any_other_path_is_refused(address: str) -> None:
    with pytest.raises(InvalidStatus) as refused, connected(f"{address}/elsewhere"):
        pass

    assert refused.value.response.status_code == 403


def test_a_subscriber_resumes_after_a_restart_without_a_gap_or_a_repeat(settings: Settings) -> None:
    with serving(settings) as address, connected(address) as socket:
        socket.subscribe(EVENTS, after="0")
        publish(address, "a", "1")
        seen = [socket.data()["events"] for _ in range(2)]
        publish(address, "a", "2")  # Written, and perhaps delivered, but not read before the server goes.
    with serving(settings) as address:
        publish(address, "a", "3")
        with connected(address) as socket:
            socket.subscribe(EVENTS, after=seen[-1]["cursor"])
            publish(address, "a", "4")
            seen += [socket.data()["events"] for _ in range(3)]

    assert [each["version"] for each in seen] == [None, "1", "2", "3", "4"]
    assert [int(each["cursor"]) for each in seen] == [1, 2, 3, 4, 5]


def test_a_server_stops_although_sockets_are_open(settings: Settings) -> None:
    with ExitStack() as sockets:
        with serving(settings) as address:
            socket = sockets.enter_context(connected(address))
            socket.subscribe(EVENTS)

        assert closed_with(socket)[0] == 1012


def test_a_reader_that_does_not_read_is_cut_off_while_another_gets_everything(settings: Settings) -> None:
    settings = dataclasses.replace(settings, queue_limit=32)
    with (
        serving(settings, send_buffer=4_096) as address,
        connected(address) as slow,
        connected(address) as fast,
    ):
        slow.subscribe(WIDE_EVENTS)
        fast.subscribe(WIDE_EVENTS)
        for number in range(60):
            # The package itself and then ten versions at a time, as many as any queue holds.
            publish_many(address, f"a{number}", 10)
            assert [int(fast.data()["events"]["cursor"]) for _ in range(11)] == list(
                range(11 * number + 1, 11 * number + 12)
            )
        read: list[object] = []
        with pytest.raises(ConnectionClosed) as closed:
            read.extend(slow.data() for _ in range(660))

    assert len(read) < 660
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4508
    assert "resume after the last cursor" in closed.value.rcvd.reason
