"""WebSockets over which anything is sent."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from tests.api.serving import Socket, connected
from tests.fuzzing.answers import check_answer, check_errors
from tests.fuzzing.conftest import Fuzzed
from tests.fuzzing.frames import Frame, conversations
from tests.fuzzing.values import Values

_EXAMPLES: Final = 60
_MANY: Final = 2_000


def converse(server: Fuzzed, **options: Any) -> None:
    """Send so many sequences of frames over a socket each, and look at all that comes back."""
    values = Values(server.grow())

    @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), **options)
    @given(conversations(values), st.integers(1, 5))
    def talk(frames: Sequence[Frame], initiated: int) -> None:
        with connected(server.address, initiate=initiated > 1) as socket:
            code = end_of(socket, frames)
        assert code is None or 4400 <= code < 4600, code

    talk()
    server.check()


def end_of(socket: Socket, frames: Sequence[Frame]) -> int | None:
    """Send these frames, and return the code that the server has closed the socket with, or None."""
    with suppress(ConnectionClosed):
        for frame in frames:
            socket.connection.send(frame.content, text=frame.is_text)
        socket.send({"type": "ping"})
        # As many answers as there can be pings, the last one included.
        for _ in range(1 + sum(b"ping" in frame.content for frame in frames)):
            while check_message(socket.receive()) != "pong":
                pass
    return socket.connection.close_code


def check_message(message: Any) -> str:
    """Fail for a message that is not of the subprotocol, and return its type otherwise."""
    match message:
        case {"type": "connection_ack" | "pong" as kind, **rest}:
            assert not rest, message
        case {"type": "complete" as kind, "id": str(), **rest}:
            assert not rest, message
        case {"type": "next" as kind, "id": str(), "payload": answer, **rest}:
            assert not rest, message
            check_answer(answer)
        case {"type": "error" as kind, "id": str(), "payload": errors, **rest}:
            assert not rest, message
            check_errors(errors)
        case _:
            pytest.fail(json.dumps(message))
    return str(kind)


def test_whatever_is_sent_over_a_socket_ends_it_with_a_reason_or_not_at_all(server: Fuzzed) -> None:
    converse(server, max_examples=_EXAMPLES, derandomize=True)


@pytest.mark.long
def test_whatever_is_sent_over_many_sockets_ends_them_with_a_reason_or_not_at_all(server: Fuzzed) -> None:
    converse(server, max_examples=_MANY, print_blob=True)
