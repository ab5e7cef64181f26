"""What a server's log says of WebSockets that it refuses."""

import json
from contextlib import ExitStack
from typing import Any

import httpx

from tests.api.access.clients import HANDSHAKE
from tests.api.processes import ServerProcess, server_process, wait_until
from tests.api.serving import connected


def lines_of(server: ServerProcess) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.said if line.startswith("{")]


def test_a_refused_socket_leaves_no_error_in_the_log_and_its_client_sees_why(database_url: str) -> None:
    with server_process(database_url, BUILDATLAS_SOCKET_LIMIT="1") as server, ExitStack() as stack:

        def status(name: str, **headers: str) -> int:
            given = {**HANDSHAKE, "X-Request-Id": name, **headers}
            answer = httpx.get(f"{server.address}/graphql", headers=given)
            assert answer.headers["x-request-id"] == name
            return answer.status_code

        statuses = {
            "foreign": status("foreign", Origin="https://evil.example"),
            "misdirected": status("misdirected", Host="evil.example"),
        }
        stack.enter_context(connected(server.address))
        statuses["crowded"] = status("crowded")
        wait_until(lambda: "crowded" in " ".join(server.said))
        stack.close()
        server.stop()

    assert statuses == {"foreign": 403, "misdirected": 421, "crowded": 503}
    assert [line for line in lines_of(server) if line["level"] not in {"INFO", "WARNING"}] == []
    told = {line["request_id"]: line["status"] for line in lines_of(server) if "status" in line}
    assert told.items() >= statuses.items()
