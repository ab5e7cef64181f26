"""Reading and writing who asks for builds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select

from storage.build_rows import WorkerRow
from storage.build_tables import BUILDS, WORKERS, WorkerFields
from storage.dialects import any_of
from storage.statements import Change, Query
from storage.upserts import Upsert


def by_names(connection: Connection, names: Iterable[str]) -> dict[str, WorkerRow]:
    """Return the workers of these names, those that were ever seen, in one statement."""
    return {row.name: row for row in _BY_NAMES.all(connection, names=names)}


def seen_since(connection: Connection, moment: datetime) -> list[WorkerRow]:
    """Return the workers that were seen at `moment` or later, who was seen last first."""
    return _SEEN_SINCE.all(connection, moment=moment)


def seen(connection: Connection, fields: WorkerFields, *, now: datetime) -> None:
    """Note that a worker is there, and what it offers; a new one is added."""
    moments = dict.fromkeys(("last_seen_at", "created_at", "updated_at"), now)
    _SEEN.run(connection, [{**fields.model_dump(), **moments}])


def note(connection: Connection, build_id: int, *, now: datetime, unless_since: datetime) -> None:
    """Note that the worker that holds a build is there, unless that was noted at `unless_since` or later."""
    _NOTE.run(connection, build=build_id, now=now, since=unless_since)


_C: Final = WORKERS.c
_ROW: Final = select(*(_C[name] for name in WorkerRow.__struct_fields__))
_BY_NAMES: Final = Query(_ROW.where(any_of(_C.name, "names")), WorkerRow)
_SEEN_SINCE: Final = Query(
    _ROW.where(_C.last_seen_at >= bindparam("moment")).order_by(_C.last_seen_at.desc(), _C.id), WorkerRow
)
_SEEN: Final = Upsert(
    WORKERS, ("name",), lambda new: {name: new[name] for name in ("labels", "last_seen_at", "updated_at")}
)
_MOMENT: Final = bindparam("now", type_=_C.updated_at.type)
_NOTE: Final = Change(
    WORKERS.update()
    .where(
        _C.name == select(BUILDS.c.worker).where(BUILDS.c.id == bindparam("build")).scalar_subquery(),
        _C.last_seen_at < bindparam("since", type_=_C.last_seen_at.type),
    )
    .values(last_seen_at=_MOMENT, updated_at=_MOMENT)
)
