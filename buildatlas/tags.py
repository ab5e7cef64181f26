"""Entity tags: by which a client that asks again is told that the answer it has still holds (RFC 9110, 8.8.3 and 13.1.2).

How it works: what a repeatable query is answered is a function of the event log up to its newest event, so the tag names that
event. Its position alone would not do: a database that goes on from a backup gives the positions after that anew. The moment
and the subject of the event tell which of the two histories it belongs to.

The tag is weak: answers that bear the same may differ in what a transaction has changed whose event has no position yet, and of
which nobody has been told that it is done.
"""

import hashlib
import re
from typing import Final

import msgspec
from starlette.datastructures import Headers

from schema.context import Context
from schema.operations import Operation
from storage import events
from storage.database import Database
from storage.rows import EventRow

_TAG_BYTES: Final = 16
_WEAK: Final = "W/"
_TAG: Final = re.compile(r'"[^"]*"')
_ANY: Final = "*"
_IF_NONE_MATCH: Final = "If-None-Match"


def newest_event(database: Database) -> EventRow | None:
    """Return the event that a tag is to name, None before the first.

    To be read before what is answered, or the answer may be older than its tag, and kept for as long as nothing changes.
    """
    with database.glance() as connection:
        position = events.newest(connection)
        # Should that be trimmed just now, a newer one is as good.
        found = events.after(connection, position - 1, limit=1)
    return found[0] if found else None


def tag_of(operation: Operation, context: Context, *, newest: EventRow | None, media: str) -> str:
    """Return the tag of the answer to an operation, of whichever process."""
    application, viewer = context.application, context.viewer
    said = (
        newest,
        application.version,
        # They decide what is told of an operation's cost.
        repr(application.limits),
        int(viewer.scopes),
        viewer.is_known,
        media,
        operation.query,
        operation.name,
        operation.variables,
    )
    text = msgspec.json.encode(said, order="deterministic")
    return f'{_WEAK}"{hashlib.blake2b(text, digest_size=_TAG_BYTES).hexdigest()}"'


def names_any(headers: Headers) -> bool:
    """Whether `If-None-Match` names whatever answer there is."""
    return any(given.strip() == _ANY for given in headers.getlist(_IF_NONE_MATCH))


def names_tag(headers: Headers, tag: str) -> bool:
    """Whether `If-None-Match` names a tag. All are compared as weak ones."""
    return any(tag.removeprefix(_WEAK) in _TAG.findall(given) for given in headers.getlist(_IF_NONE_MATCH))
