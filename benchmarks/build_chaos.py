"""`python -m benchmarks.build_chaos`: a run of 2,000 builds with random failures, while workers and servers are killed.

Two servers and four workers with four builds each share a database; every second or so one of them gets SIGKILL and is
started anew. PostgreSQL flushes its data at each commit.
"""

import tempfile
from pathlib import Path
from typing import Final

from benchmarks.machine import databases
from tests import build_chaos
from tests.build_chaos import Chaos

_BUILDS: Final = 2_000
_PATIENCE: Final = 3_600


def main() -> None:
    """Run it on both databases."""
    with tempfile.TemporaryDirectory() as name, databases() as urls:
        for kind, url in urls.items():
            run_id = build_chaos.begin(url, _BUILDS)
            chaos = Chaos(url, Path(name), servers=2, workers=4)
            chaos.run(run_id, pause=(0.5, 2.0), patience=_PATIENCE)
            found = build_chaos.look(url, run_id)
            ends = ", ".join(f"{count:,} {end}" for end, count in sorted(found.ends.items()))
            print(
                f"{kind}: {chaos.kills['workers']} workers and {chaos.kills['servers']} servers killed in "
                f"{chaos.seconds:.0f} s, {chaos.retried} builds retried; {_BUILDS:,} builds in {found.attempts:,} attempts: {ends}; "
                f"lost {len(found.lost)}, held twice {len(found.held_twice)}, out of order {len(found.out_of_order)}; "
                f"doctor is {'content' if found.is_content else 'NOT CONTENT'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
