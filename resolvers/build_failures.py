"""Failed attempts at builds among the errors: the same message of many packages is one fault.

They are written in the transaction that ends the attempt, so each is counted once, however often it is reported.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from resolvers.failures import failure
from storage import error_groups, flow
from storage.build_rows import BuildRow
from storage.database import Connection
from storage.flow import Name
from storage.monitoring_tables import ErrorFields
from storage.transitions import BuildConclusion

COMPONENT: Final = "build"

FAILED: Final = (BuildConclusion.FAILURE, BuildConclusion.TIMED_OUT, BuildConclusion.INFRA_ERROR)
"""How an attempt ends that met an error. What ends otherwise was called off, or never begun for want of something."""

# A shorter name is as likely to be a word.
_SHORTEST_NAME: Final = 3


class EndedAttempt(NamedTuple):
    """An attempt at a build as it ended; `build` is its row from before."""

    build: BuildRow
    conclusion: BuildConclusion
    message: str | None


def record(connection: Connection, ended: Iterable[EndedAttempt], *, now: datetime) -> None:
    """Count those that failed. The last thing that a transaction does: others wait for it to count the same fault."""
    failed = [each for each in ended if each.conclusion in FAILED]
    if failed:
        names = flow.names_of(connection, [each.build.id for each in failed])
        error_groups.record(connection, [_error(each, names[each.build.id]) for each in failed], now=now)


def _error(ended: EndedAttempt, name: Name) -> ErrorFields:
    build, message = ended.build, (ended.message or "").strip() or "no reason was given"
    return failure(
        ended.conclusion.name,
        COMPONENT,
        _of_any(message, name, build.worker),
        text=message,
        package=f"{name.package} {name.version}",
        attempt=build.attempt,
        worker=build.worker,
    )


def _of_any(message: str, name: Name, worker: str | None) -> str:
    """Return what is said of a build as it would be said of any other, and of any other's worker."""
    words = {name.package: "<package>", name.version: "<version>", worker or "": "<worker>"}
    for text, word in words.items():
        if len(text) >= _SHORTEST_NAME:
            message = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", word, message)
    return message
