"""`python -m benchmarks.whole_catalogue FILE [DATABASE_URL]`: a run over everything in a catalogue, worked off by eight workers.

Each is a process with one slot, and its command is `true`: what is measured is everything but building. Told afterwards from the
history: whether any build was given out twice, or before all that it waits for had ended.
"""

import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console

from buildatlas import transfers
from resolvers.transfer import OnError
from storage import runs
from storage.database import Database
from tests import build_chaos
from tests.crashes import Server

_WORKERS: Final = 8
_START: Final = "mutation { startRun(input: {plan: {}}) { run { id total counts { status count } } } }"


def main() -> None:
    """Run it."""
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[2] if len(sys.argv) > 2 else str(Path(folder) / "atlas.db")
        with closing(Database.open(url)) as database:
            transfers.import_files(
                database, [sys.argv[1]], on_error=OnError.SKIP, console=Console(stderr=True, quiet=True)
            )
        server = Server(url)
        server.start()
        try:
            _show(server, url)
        finally:
            server.kill(signal.SIGTERM)


def _show(server: Server, url: str) -> None:
    started = time.monotonic()
    answer = _ask(server, _START)["startRun"]["run"]
    print(f"started {answer['total']:,} builds in {time.monotonic() - started:.1f} s", flush=True)
    command = [
        *(sys.executable, "-m", "buildatlas.cli", "worker", "--url", server.address),
        *("--poll", "0.2", "--until-idle", "--quiet", "--", "true"),
    ]
    began = datetime.now(UTC)
    workers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(_WORKERS)]
    assert all(worker.wait() == 0 for worker in workers)
    seconds = (datetime.now(UTC) - began).total_seconds()
    print(
        f"worked off in {seconds:.0f} s, {answer['total'] / seconds:.1f} builds/s by {_WORKERS} workers",
        flush=True,
    )
    print(f"server memory {_peak(server):,.0f} MB at its highest", flush=True)
    with closing(Database.open(url)) as database, database.read() as connection:
        (run,) = runs.page(connection, limit=1)
    found = build_chaos.look(url, run.id)
    print(
        f"{dict(found.ends)}; completed {found.is_completed}; lost {len(found.lost)}, given out twice "
        f"{len(found.held_twice)}, out of order {len(found.out_of_order)}; "
        f"doctor is {'content' if found.is_content else 'NOT CONTENT'}",
        flush=True,
    )


def _ask(server: Server, document: str) -> Any:
    with httpx.Client(timeout=300) as client:
        answer = client.post(f"{server.address}/graphql", json={"query": document}).json()
    return answer["data"]


def _peak(server: Server) -> float:
    status = Path(f"/proc/{server.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1_000


if __name__ == "__main__":
    main()
