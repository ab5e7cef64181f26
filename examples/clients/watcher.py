"""A watcher: print what is published and built, also across its own restarts, with no gap and no repeat.

    python examples/clients/watcher.py http://127.0.0.1:8000 watcher.cursor

The file keeps the cursor of what was printed last. Without it, the watcher begins with the oldest event there is.
"""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport
from websockets.exceptions import WebSocketException

EVENTS = gql("""
subscription ($after: String) {
  events(after: $after, filter: { kinds: [VERSION_PUBLISHED, RUN_CHANGED, BUILD_CHANGED] }) {
    ... on Event { cursor kind package version build { status conclusion } }
    ... on EventGap { resumeFrom }
  }
}
""")
NEXT_TRY_SECONDS = 1


def told(event: dict[str, Any]) -> str:
    build = event["build"]
    state = f" {build['conclusion'] or build['status']}" if build else ""
    return f"{event['kind']} {event['package'] or ''} {event['version'] or ''}".rstrip() + state


async def watch(address: str, place: Path) -> None:
    """Print what happens, until the connection ends."""
    token = os.environ.get("BUILDATLAS_TOKEN")
    transport = WebsocketsTransport(
        f"{address.replace('http', 'ws', 1)}/graphql",
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
        init_payload={"authorization": f"Bearer {token}"} if token else {},
    )
    request = GraphQLRequest(EVENTS, variable_values={"after": kept(place)})
    async with Client(transport=transport) as session:
        async for answer in session.subscribe(request):
            event = answer["events"]
            if "resumeFrom" in event:
                print("some events are gone: read afresh what you hold", flush=True)
            else:
                print(told(event), flush=True)
            keep(place, event.get("resumeFrom") or event["cursor"])


def kept(place: Path) -> str:
    """Return the cursor to go on from."""
    return place.read_text() if place.exists() else "0"


def keep(place: Path, cursor: str) -> None:
    # Whole or not at all, whenever this is killed. Killed before, it prints its last line again.
    unfinished = place.with_suffix(".part")
    unfinished.write_text(cursor)
    unfinished.replace(place)


async def go_on(address: str, place: Path) -> None:
    """Watch, and connect again after each break."""
    while True:
        try:
            await watch(address, place)
        except (OSError, TransportError, WebSocketException) as problem:
            print(f"{str(problem) or type(problem).__name__}: trying again", file=sys.stderr)
        await asyncio.sleep(NEXT_TRY_SECONDS)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("give the address of a server and a file, such as http://127.0.0.1:8000 watcher.cursor")
    try:
        asyncio.run(go_on(sys.argv[1], Path(sys.argv[2])))
    except KeyboardInterrupt:
        sys.exit(0)
