"""The catalogue of `benchmarks.julia` in a database on disk."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import julia
from resolvers.transfer import OnError, import_catalogue
from storage.database import Database


@contextmanager
def stored_julia(folder: Path) -> Iterator[Database]:
    """Import it, and close the database in the end."""
    with closing(Database.open(str(folder / "julia.db"))) as opened:
        lines = (line.rstrip(b"\n") for line in julia.lines())
        import_catalogue(opened, lines, on_error=OnError.SKIP, now=datetime.now(UTC))
        yield opened
