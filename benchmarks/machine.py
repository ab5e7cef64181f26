"""What benchmarks run on, and what a process takes of it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.postgres import Postgres, new_database

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """Give the URL of an empty database of each kind, by the name of the kind; what is acknowledged is on disk."""
    postgres = Postgres(durable=True)
    try:
        with tempfile.TemporaryDirectory() as folder, new_database(postgres.url) as url:
            yield {"SQLite": str(Path(folder) / "atlas.db"), "PostgreSQL": url}
    finally:
        postgres.remove()


def cpu_of(process: int) -> float:
    """Return the seconds of a processor that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(process: int) -> float:
    """Return the megabytes of memory that a process has."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE / 1e6
