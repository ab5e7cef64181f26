"""Leases: for how long a worker holds a build, and which of them have run out."""

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, select, text

from storage.build_tables import BUILDS
from storage.dialects import among
from storage.statements import Change, Query
from storage.transitions import LEASED, BuildStatus


class Lease(msgspec.Struct, frozen=True, gc=False):
    """A build that a worker holds, and until when."""

    build_id: int
    status: BuildStatus
    token: int
    expires_at: datetime
    started_at: datetime | None
    timeout_seconds: int


def held(connection: Connection) -> list[Lease]:
    """Return the leases of all builds that a worker holds, those that run out first at the beginning."""
    return _HELD.all(connection)


def extend(connection: Connection, build_id: int, token: int, *, until: datetime, now: datetime) -> bool:
    """Have a lease run out later; False when it is held no more, or the build is to end with it."""
    return _EXTEND.run(connection, build=build_id, token=token, until=until, now=now) == 1


_C: Final = BUILDS.c
# What is canceled ends with the lease that it had then.
_EXTENDED: Final = tuple(status for status in LEASED if status is not BuildStatus.CANCELING)
# In the words of the index, or it does not serve.
_HELD: Final = Query(
    select(_C.id, _C.status, _C.lease_token, _C.lease_expires_at, _C.started_at, _C.timeout_seconds)
    .where(text("lease_expires_at IS NOT NULL"))
    .order_by(_C.lease_expires_at),
    Lease,
)
_EXTEND: Final = Change(
    BUILDS.update()
    .where(_C.id == bindparam("build"), _C.lease_token == bindparam("token"), among(_C.status, _EXTENDED))
    .values(
        lease_expires_at=bindparam("until", type_=_C.lease_expires_at.type),
        updated_at=bindparam("now", type_=_C.updated_at.type),
    )
)
