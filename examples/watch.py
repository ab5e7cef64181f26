"""Watch a server: print every change from a cursor on, and go on from there after any break.

    python examples/watch.py http://127.0.0.1:8000 [CURSOR]

Without a cursor it begins with what happens from now on; cursor 0 begins with the oldest event there is.
"""

import json
import sys

from websockets import Subprotocol
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

EVENTS = """
subscription ($after: String) {
  events(after: $after) {
    ... on Event { cursor at kind package version }
    ... on EventGap { requested resumeFrom }
  }
}
"""


def watch(address: str, after: str | None) -> None:
    """Print events as they come, until the server closes."""
    place = f"{address.rstrip('/').replace('http', 'ws', 1)}/graphql"
    with connect(place, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        socket.send(json.dumps({"type": "connection_init"}))
        payload = {"query": EVENTS, "variables": {"after": after}}
        socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        for message in map(json.loads, socket):
            if message["type"] == "ping":
                socket.send(json.dumps({"type": "pong"}))
            elif message["type"] == "next":
                sys.stdout.write(json.dumps(message["payload"]["data"]["events"]) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("give the address of a server, such as http://127.0.0.1:8000, and perhaps a cursor")
    try:
        watch(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    except (OSError, WebSocketException) as problem:
        sys.exit(f"{sys.argv[1]}: {problem}")
