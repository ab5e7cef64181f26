"""What builds produced, compared with what was produced before: who need not be built again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, FromClause, ScalarSelect, bindparam, case, func, select

from storage.build_tables import BUILD_DEPENDENCIES, BUILDS
from storage.dialects import among, any_of
from storage.statements import Query, as_tuple
from storage.tables import DEPENDENCIES, PACKAGES
from storage.transitions import RELEASING, BuildConclusion


class _Former(msgspec.Struct, frozen=True, gc=False):
    """The last time that a version was built, before this build of it."""

    id: int
    since: datetime
    """What was there by then is what it was built of."""
    output_digest: str | None


class _Need(msgspec.Struct, frozen=True, gc=False):
    """What a build has waited for, and the last time that the package was built before."""

    id: int
    conclusion: BuildConclusion | None
    output_digest: str | None
    former_digest: str | None
    former_at: datetime | None


def unchanged(connection: Connection, ids: Iterable[int]) -> dict[int, str | None]:
    """Return those of these builds whose version was built before, with all of what came out now as it was then.

    Each with the digest of what it produced then. What it waited for ended with the digest of the last success of its
    package, and that success was there when the build was made; and nothing else that it depends on was built since.
    """
    formers = {former.id: former for former in _FORMERS.all(connection, ids=ids)}
    for id_, built_at in _ELSEWHERE.all(connection, ids=formers):
        if id_ in formers and built_at > formers[id_].since:
            del formers[id_]
    for need in _NEEDS.all(connection, ids=formers):
        if need.id in formers and not _is_as_it_was(need, formers[need.id]):
            del formers[need.id]
    return {former.id: former.output_digest for former in formers.values()}


def keep(connection: Connection, digests: Mapping[int, str | None], *, now: datetime) -> None:
    """Say of builds what they produced."""
    rows = [{"of": id_, "digest": digest, "at": now} for id_, digest in digests.items() if digest is not None]
    if rows:
        connection.execute(
            BUILDS.update()
            .where(_C.id == bindparam("of"))
            .values(output_digest=bindparam("digest"), updated_at=bindparam("at")),
            rows,
        )


def _is_as_it_was(need: _Need, former: _Former) -> bool:
    if need.former_at is None or need.former_at > former.since:
        return False
    return need.conclusion is BuildConclusion.UNCHANGED or (
        need.output_digest is not None and need.output_digest == need.former_digest
    )


_C: Final = BUILDS.c
_OLDER: Final = BUILDS.alias("older")
_FORMER: Final = BUILDS.alias("former")


def _last_before(build: FromClause, column: str) -> ScalarSelect[int]:
    """Return the id of the last build with the same `column` that ended well, of those older than `build`."""
    return (
        select(func.max(_OLDER.c.id))
        .where(
            _OLDER.c[column] == build.c[column],
            _OLDER.c.id < build.c.id,
            among(_OLDER.c.conclusion, RELEASING),
        )
        .correlate(build)
        .scalar_subquery()
    )


_FORMERS: Final = Query(
    select(
        _C.id,
        case(
            (_FORMER.c.conclusion == BuildConclusion.UNCHANGED, _FORMER.c.completed_at),
            else_=func.coalesce(_FORMER.c.started_at, _FORMER.c.queued_at, _FORMER.c.created_at),
        ),
        _FORMER.c.output_digest,
    )
    .join_from(BUILDS, _FORMER, _FORMER.c.id == _last_before(BUILDS, "version_id"))
    .where(any_of(_C.id, "ids")),
    _Former,
)
_NEEDED: Final = BUILDS.alias("needed")
_NEEDS: Final = Query(
    select(
        BUILD_DEPENDENCIES.c.build_id,
        _NEEDED.c.conclusion,
        _NEEDED.c.output_digest,
        _FORMER.c.output_digest.label("former_digest"),
        _FORMER.c.completed_at.label("former_at"),
    )
    .join_from(BUILD_DEPENDENCIES, _NEEDED, _NEEDED.c.id == BUILD_DEPENDENCIES.c.dependency_id)
    .outerjoin(_FORMER, _FORMER.c.id == _last_before(_NEEDED, "package_id"))
    .where(any_of(BUILD_DEPENDENCIES.c.build_id, "ids")),
    _Need,
)
_OTHER: Final = BUILDS.alias("other")
# When what a version depends on was last built in other runs.
_ELSEWHERE: Final[Query[tuple[int, datetime]]] = Query(
    select(_C.id, func.max(_OTHER.c.completed_at))
    .join_from(BUILDS, DEPENDENCIES, DEPENDENCIES.c.version_id == _C.version_id)
    .join(PACKAGES, PACKAGES.c.name == DEPENDENCIES.c.package_name)
    .join(_OTHER, _OTHER.c.package_id == PACKAGES.c.id)
    .where(
        any_of(_C.id, "ids"),
        _OTHER.c.run_id != _C.run_id,
        among(_OTHER.c.conclusion, (BuildConclusion.SUCCESS, BuildConclusion.SKIPPED)),
    )
    .group_by(_C.id),
    as_tuple,
)
