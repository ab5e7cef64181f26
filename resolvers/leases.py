"""Leases, as workers know them: texts that they get with a build, and give back with all that they say of it."""

from typing import Final

from resolvers.errors import LeaseLost
from resolvers.subjects import subject_of
from storage.build_rows import BuildRow
from storage.database import Connection

# A token has fewer digits than a 64-bit number.
_MOST_DIGITS: Final = 18
_NO_TOKEN: Final = -1


def lease_token(lease: str) -> int:
    """Return the fencing token that a lease stands for; one that no build can have when it is none."""
    is_one = lease.isascii() and lease.isdecimal() and len(lease) <= _MOST_DIGITS
    return int(lease) if is_one else _NO_TOKEN


def lost(connection: Connection, build: BuildRow, token: int) -> LeaseLost:
    """Return the refusal of a worker that does not hold a build under this token."""
    return LeaseLost(subject_of(connection, build.id), _why(build, token))


def _why(build: BuildRow, token: int) -> str:
    if token > build.lease_token or token < 1:
        return "it was never given out"
    if token < build.lease_token:
        return "the build was given to another since"
    return f"the build is {build.status}" + (f", {build.conclusion}" if build.conclusion else "")
