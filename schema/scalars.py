"""The one scalar of our own: moments in time."""

import re
from datetime import UTC, datetime
from typing import Final

import strawberry
from graphql import GraphQLError

from graph.moments import rfc_3339

# `datetime.fromisoformat` alone would also take week dates, basic formats and naive times.
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?P<zone>[Zz]|[+-]\d\d:\d\d)?", re.ASCII
)


def read_moment(text: object) -> datetime:
    """Return the moment that `text` names, in UTC; raise GraphQLError with what is wrong.

    Another offset than Z is accepted and converted; a time without one is refused,
    since guessing the zone is how hours get lost.
    """
    match = _RFC_3339.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise GraphQLError(f"{text!r:.60} is not a DateTime: expected the form 2026-01-31T12:00:00Z")
    if match["zone"] is None:
        raise GraphQLError(f"{match[0]!r} names no time zone: end it in Z, for UTC")
    try:
        return datetime.fromisoformat(match[0].upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise GraphQLError(f"{match[0]!r} is not a DateTime: {error}") from error


DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="RFC 3339, UTC, ending in Z.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time.html",
    serialize=rfc_3339,
    parse_value=read_moment,
)
