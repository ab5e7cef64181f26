"""A small catalogue with something of everything: choices, a conflict, a cycle, yanked and missing ones."""

from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from typing import Final

from resolvers.transfer import OnError, import_catalogue
from storage.database import Database

_LINES: Final = """
{"name": "app", "description": "What everything here is for"}
{"name": "app", "version": "1.0", "releasedAt": "2025-01-01T00:00:00Z", "dependencies": [{"package": "web", "constraint": "<2"}]}
{"name": "app", "version": "2.0", "releasedAt": "2026-01-01T00:00:00Z", "dependencies": [{"package": "web", "constraint": ">=2"}, {"package": "log"}, {"package": "missing", "constraint": ">=1", "optional": true}]}
{"name": "web", "version": "1.5", "dependencies": [{"package": "core", "constraint": ">=1,<2"}]}
{"name": "web", "version": "2.1", "dependencies": [{"package": "core", "constraint": ">=2"}]}
{"name": "web", "version": "2.2", "yanked": true, "dependencies": [{"package": "core", "constraint": ">=2"}]}
{"name": "old", "version": "1.0", "dependencies": [{"package": "core", "constraint": "<2"}]}
{"name": "old", "status": "DEPRECATED", "statusReason": "use app"}
{"name": "core", "version": "1.0"}
{"name": "core", "version": "2.0"}
{"name": "core", "version": "3.0a1"}
{"name": "log", "version": "1.0", "dependencies": [{"package": "format"}]}
{"name": "format", "version": "1.0", "dependencies": [{"package": "log", "kinds": ["TEST"]}]}
{"name": "@scope/tool", "version": "0.1", "dependencies": [{"package": "app", "constraint": ">=1"}]}
"""


def fill(path: str, lines: Iterable[bytes] = _LINES.strip().encode().splitlines()) -> None:
    """Import lines of a catalogue into a database, these unless others are given."""
    with closing(Database.open(path)) as database:
        import_catalogue(database, lines, on_error=OnError.STOP, now=datetime.now(UTC))
