"""What rows are called, to a reader and in the event log."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, null, select

from storage import events
from storage.dialects import any_of
from storage.events import Change
from storage.images import IMAGES
from storage.statements import Query, as_tuple
from storage.tables import EventKind, SubjectType

NOUNS: Final = {
    "packages": "package",
    "package_versions": "version",
    "dependencies": "dependency",
    "build_runs": "run",
    "build_status": "build",
    "build_dependencies": "build",
    "build_attempts": "attempt",
    "build_logs": "log",
    "artifacts": "artifact",
    "workers": "worker",
    "performance_stats": "measurement",
    "error_groups": "error group",
    "alert_rules": "alert rule",
    "alerts": "alert",
    "webhook_notifications": "notification",
    "webhook_deliveries": "delivery",
    "api_tokens": "token",
    "state_tracking": "transition",
    "events": "event",
}
"""What a row of each table is."""

TYPES: Final = {
    SubjectType.PACKAGE: "packages",
    SubjectType.VERSION: "package_versions",
    SubjectType.BUILD: "build_status",
    SubjectType.RUN: "build_runs",
    SubjectType.ALERT: "alerts",
}
"""The table of each type of subject."""


def named(connection: Connection, table: str, ids: Iterable[int]) -> dict[int, str]:
    """Return what to call the rows with these ids, by a name where they have one."""
    ids = list(ids)
    names = {id_: f"{NOUNS[table]} {id_}" for id_ in ids}
    if table in _NAMES:
        names.update(_NAMES[table].all(connection, ids=ids))
    return names


def tell(connection: Connection, table: str, ids: Iterable[int], *, at: datetime) -> None:
    """Write an event for each of these rows, which have changed."""
    kind, subject_type, query = _TOLD[table]
    rows = query.all(connection, ids=list(ids))
    changes = (
        Change(kind, subject_type, id_, package, version, run_id) for id_, package, version, run_id in rows
    )
    events.append(connection, changes, at=at)


_P: Final = IMAGES["packages"]
_V: Final = IMAGES["package_versions"]
_D: Final = IMAGES["dependencies"]
_B: Final = IMAGES["build_status"]
_R: Final = IMAGES["build_runs"]
_A: Final = IMAGES["alerts"]


def _name(query: Select[Any], form: str) -> Query[tuple[int, str]]:
    say: Callable[..., tuple[int, str]] = lambda id_, *parts: (id_, form.format(*parts))  # noqa: E731
    return Query(query, say)


_NAMES: Final = {
    "packages": _name(select(_P.c.id, _P.c.name).where(any_of(_P.c.id, "ids")), "package {}"),
    "package_versions": _name(
        select(_V.c.id, _P.c.name, _V.c.version)
        .join_from(_V, _P, _P.c.id == _V.c.package_id)
        .where(any_of(_V.c.id, "ids")),
        "version {} {}",
    ),
    "dependencies": _name(
        select(_D.c.id, _P.c.name, _V.c.version, _D.c.package_name)
        .join_from(_D, _V, _V.c.id == _D.c.version_id)
        .join(_P, _P.c.id == _V.c.package_id)
        .where(any_of(_D.c.id, "ids")),
        "dependency of {} {} on {}",
    ),
}

_Told = tuple[int, str | None, str | None, int | None]
_TOLD: Final[dict[str, tuple[EventKind, SubjectType, Query[_Told]]]] = {
    "package_versions": (
        EventKind.VERSION_CHANGED,
        SubjectType.VERSION,
        Query(
            select(_V.c.id, _P.c.name, _V.c.version, null())
            .join_from(_V, _P, _P.c.id == _V.c.package_id)
            .where(any_of(_V.c.id, "ids"))
            .order_by(_V.c.id),
            as_tuple,
        ),
    ),
    "build_status": (
        EventKind.BUILD_CHANGED,
        SubjectType.BUILD,
        Query(
            select(_B.c.id, _P.c.name, _V.c.version, _B.c.run_id)
            .join_from(_B, _V, _V.c.id == _B.c.version_id)
            .join(_P, _P.c.id == _V.c.package_id)
            .where(any_of(_B.c.id, "ids"))
            .order_by(_B.c.id),
            as_tuple,
        ),
    ),
    "build_runs": (
        EventKind.RUN_CHANGED,
        SubjectType.RUN,
        Query(
            select(_R.c.id, null(), null(), _R.c.id).where(any_of(_R.c.id, "ids")).order_by(_R.c.id), as_tuple
        ),
    ),
    "alerts": (
        EventKind.ALERT_CHANGED,
        SubjectType.ALERT,
        Query(
            select(_A.c.id, null(), null(), null()).where(any_of(_A.c.id, "ids")).order_by(_A.c.id), as_tuple
        ),
    ),
}
