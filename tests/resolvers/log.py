"""What the event log tells, in short."""

from storage import events
from storage.database import Database


def told(database: Database, after: int = 0) -> list[str]:
    """Return each event as `KIND package version`."""
    with database.read() as connection:
        log = events.after(connection, after, limit=1000)
    return [" ".join([row.kind, *filter(None, (row.package, row.version))]) for row in log]
