"""`python -m benchmarks.crashes`: what is lost when servers and databases are killed at any moment under write load.

Each server is killed with SIGKILL while six clients write through it, and started anew; then the database's own processes
are killed too. PostgreSQL runs as it does anywhere: its data is flushed at each commit.
"""

import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from resolvers import doctor
from storage.database import Database
from tests import crashes
from tests.crashes import Server
from tests.postgres import Postgres, new_database

_KILLS = 25


def _show(name: str, url: str, kill: Callable[[Server], None], *, kills: int, workers: int = 1) -> None:
    started = time.monotonic()
    told = crashes.kill_again_and_again(url, kill, kills=kills, options=("--workers", str(workers)))
    found = crashes.look(url, told)
    with closing(Database.open(url)) as database:
        health = "content" if doctor.examine(database).is_content else "NOT CONTENT"
    print(
        f"{name}: {kills} kills in {time.monotonic() - started:.0f} s, {told.acknowledged:,} acknowledged writes, lost "
        f"{found.lost}, half written {found.half}; doctor is {health}"
    )


def main() -> None:
    """Run all of it."""
    with tempfile.TemporaryDirectory() as folder:
        _show("SQLite, one server", str(Path(folder) / "one.db"), Server.kill, kills=_KILLS)
        _show("SQLite, two workers", str(Path(folder) / "two.db"), Server.kill, kills=_KILLS, workers=2)
    postgres = Postgres(durable=True)

    def kill_both(server: Server) -> None:
        postgres.stop(signal.SIGKILL)
        server.kill()
        postgres.start()

    try:
        with new_database(postgres.url) as url:
            _show("PostgreSQL, one server", url, Server.kill, kills=_KILLS)
        with new_database(postgres.url) as url:
            _show("PostgreSQL, two workers", url, Server.kill, kills=_KILLS, workers=2)
        with new_database(postgres.url) as url:
            _show("PostgreSQL, killed with its server", url, kill_both, kills=_KILLS)
    finally:
        postgres.remove()


if __name__ == "__main__":
    main()
