"""Checks of the event log: its positions, and what its events tell of."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, case, exists, func, not_, select

from storage.checks.findings import Found, Mend, RowCheck, Rule
from storage.dialects import is_sqlite
from storage.images import IMAGES
from storage.tables import EventKind, SubjectType

_EVENTS: Final = IMAGES["events"]
_C: Final = _EVENTS.c

# The sequencer stamps what is committed within the second. An import's events are as old as its start.
_LATE: Final = timedelta(minutes=10)

_SUBJECT_OF: Final = {
    EventKind.PACKAGE_CHANGED: SubjectType.PACKAGE,
    EventKind.PACKAGE_DELETED: SubjectType.PACKAGE,
    EventKind.VERSION_PUBLISHED: SubjectType.VERSION,
    EventKind.VERSION_CHANGED: SubjectType.VERSION,
    EventKind.DEPENDENCIES_CHANGED: SubjectType.VERSION,
    EventKind.RUN_CHANGED: SubjectType.RUN,
    EventKind.BUILD_CHANGED: SubjectType.BUILD,
    EventKind.ALERT_CHANGED: SubjectType.ALERT,
}
_KIND_OF: Final = {
    SubjectType.PACKAGE: EventKind.PACKAGE_CHANGED,
    SubjectType.VERSION: EventKind.VERSION_CHANGED,
    SubjectType.RUN: EventKind.RUN_CHANGED,
    SubjectType.BUILD: EventKind.BUILD_CHANGED,
    SubjectType.ALERT: EventKind.ALERT_CHANGED,
}

_KIND_IS_KNOWN: Final = _C.kind.in_(_SUBJECT_OF)
_SUBJECT_IS_KNOWN: Final = _C.subject_type.in_(_KIND_OF)


def _setting(condition: ColumnElement[bool], **values: Any) -> Mend:
    update = _EVENTS.update().where(condition).values(**values)
    return lambda connection, _now: connection.execute(update).rowcount


def _unknown(condition: ColumnElement[bool], remedy: str, mend: Mend | None) -> Rule:
    return Rule(
        "events",
        select(_C.id, _C.kind, _C.subject_type).where(condition),
        "is of the kind {kind} and tells of a {subject_type}; there is no such thing",
        remedy,
        mend,
    )


_KIND_UNKNOWN: Final = and_(not_(_KIND_IS_KNOWN), _SUBJECT_IS_KNOWN)
_SUBJECT_UNKNOWN: Final = and_(_KIND_IS_KNOWN, not_(_SUBJECT_IS_KNOWN))
_NOT_THERE: Final = and_(
    _C.transition_id.is_not(None),
    ~exists(select(1).where(IMAGES["state_tracking"].c.id == _C.transition_id)),
)

SUBJECTS: Final = RowCheck(
    "events.subjects",
    (
        _unknown(
            _KIND_UNKNOWN,
            "makes it tell that its subject has changed",
            _setting(_KIND_UNKNOWN, kind=case(_KIND_OF, value=_C.subject_type)),
        ),
        _unknown(
            _SUBJECT_UNKNOWN,
            "sets the type that goes with its kind",
            _setting(_SUBJECT_UNKNOWN, subject_type=case(_SUBJECT_OF, value=_C.kind)),
        ),
        _unknown(
            and_(not_(_KIND_IS_KNOWN), not_(_SUBJECT_IS_KNOWN)), "set them right by hand, or delete it", None
        ),
        Rule(
            "events",
            select(_C.id, _C.transition_id).where(_NOT_THERE),
            "refers to transition {transition_id}, which is not there",
            "empties that",
            _setting(_NOT_THERE, transition_id=None),
        ),
    ),
)


class NumberCheck:
    """Whether all events have a position, as far as they should by now."""

    name: Final = "events.positions"

    def find(self, connection: Connection) -> Found:
        """Return the events that have none. PostgreSQL's may be without for a moment."""
        bad = select(_C.id, _C.at).where(_C.seq.is_(None))
        if not is_sqlite(connection):
            bad = bad.where(_C.at < func.now() - _LATE)
        rule = Rule(
            "events", bad, "of {at} has no position, so nobody is told of it", "gives it one", _number
        )
        return RowCheck(self.name, (rule,)).find(connection)

    def mend(self, connection: Connection, now: datetime) -> int:
        """Give each a position: on SQLite its own id, on PostgreSQL the next, as the sequencer would."""
        return _number(connection, now)


def _number(connection: Connection, _now: datetime) -> int:
    return connection.execute(_OWN if is_sqlite(connection) else _NEXT).rowcount


_OTHERS: Final = _EVENTS.alias("others")
_OWN: Final = (
    _EVENTS.update()
    .where(_C.seq.is_(None), ~exists(select(1).where(_OTHERS.c.seq == _C.id)))
    .values(seq=_C.id)
)
_PLACES: Final = (
    select(_OTHERS.c.id, func.row_number().over(order_by=_OTHERS.c.id).label("place"))
    .where(_OTHERS.c.seq.is_(None))
    .subquery()
)
_NEWEST: Final = select(func.coalesce(func.max(_OTHERS.c.seq), 0)).scalar_subquery()
_NEXT: Final = _EVENTS.update().where(_C.id == _PLACES.c.id).values(seq=_NEWEST + _PLACES.c.place)


def _before_gaps() -> Select[Any]:
    before = func.lag(_C.seq).over(order_by=_C.seq)
    steps = select(_C.id, _C.seq, before.label("before")).where(_C.seq.is_not(None)).subquery()
    return select(steps).where(steps.c.seq > steps.c.before + 1)


_GAPS: Final = _before_gaps()


def _trim(connection: Connection, _now: datetime) -> int:
    """Leave what comes after the last gap: whoever asks for more is told that there is no more, and to read afresh."""
    positions = [row.seq for row in connection.execute(_GAPS)]
    if positions:
        connection.execute(_EVENTS.delete().where(_C.seq < max(positions)))
    return len(positions)


POSITIONS: Final = NumberCheck()
GAPS: Final = RowCheck(
    "events.gaps",
    (
        Rule(
            "events",
            _GAPS,
            "has position {seq}, and the one before it {before}: what was between is lost",
            "trims the log up to there, so that whoever would miss something is told to read afresh",
            _trim,
        ),
    ),
)
