"""What fuzzing has found, each as small as it gets."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.api.processes import server_process
from tests.api.serving import connected
from tests.fuzzing.answers import check_log


def log_after(folder: Path, *texts: bytes) -> Sequence[str]:
    """Return what a server logs when these texts arrive at once over a socket, of which the last is not UTF-8."""
    with server_process(str(folder / "atlas.db")) as server:
        with connected(server.address) as socket:
            frames = (Frame(Opcode.TEXT, text).serialize(mask=True) for text in texts)
            socket.connection.socket.sendall(b"".join(frames))
            with pytest.raises(ConnectionClosed):
                socket.receive()
        server.stop()
        return server.said


def test_a_text_that_is_not_utf_8_is_no_fault_of_the_server(tmp_path: Path) -> None:
    check_log(log_after(tmp_path, b"\xff"))


def test_a_socket_that_is_closed_twice_over_is_closed_once(tmp_path: Path) -> None:
    said = log_after(tmp_path, b"null", b"\xff")

    assert not [line for line in said if "RuntimeError" in line]
