"""Checks of the history of states against the states that there are, and against the life cycles.

What is written in the history stays. Where it is wrong, mending adds a row by `doctor`: up to there the history of that
subject is not to be believed, and what is checked begins after it.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
)

from storage.checks.findings import ACTOR, Mend, RowCheck, Rule
from storage.checks.subjects import NOUNS
from storage.images import IMAGES
from storage.triggers import TRACKED, Tracked

_HISTORY: Final = IMAGES["state_tracking"]
_H: Final = _HISTORY.c
_COLUMNS: Final = [
    "subject_type", "subject_id", "origin", "target", "conclusion", "attempt", "reason", "actor", "at",
]  # fmt: skip


def _missing(tracked: Tracked) -> Rule:
    state = IMAGES[tracked.table.name]
    of_row = select(1).where(_H.subject_type == tracked.subject_type.value, _H.subject_id == state.c.id)
    is_missing = and_(~exists(of_row), _is_known(tracked))
    bad = select(state.c.id, state.c.status).where(is_missing)
    return Rule(
        tracked.table.name,
        bad,
        "is {status}, and its history does not say since when",
        "begins its history with that",
        _adding(tracked, select(*_state(tracked, origin=null())).where(is_missing)),
    )


def _behind(tracked: Tracked) -> Rule:
    state = IMAGES[tracked.table.name]
    last = _lasts(tracked).subquery()
    joined = state.join(last, last.c.subject_id == state.c.id).join(_HISTORY, _H.id == last.c.id)
    differs = _H.target != state.c.status
    if "conclusion" in state.columns:
        differs = or_(differs, _H.conclusion.is_distinct_from(state.c.conclusion))
    differs = and_(differs, _is_known(tracked))
    bad = select(state.c.id, state.c.status, _H.target).select_from(joined).where(differs)
    return Rule(
        tracked.table.name,
        bad,
        "is {status}, and its history ends with {target}"
        + (", or with another conclusion" if "conclusion" in state.columns else ""),
        "adds to its history what it is",
        _adding(tracked, select(*_state(tracked, origin=_H.target)).select_from(joined).where(differs)),
    )


def _broken(tracked: Tracked) -> Rule:
    steps = _steps(tracked)
    is_broken = steps.c.origin.is_distinct_from(steps.c.previous)
    return Rule(
        tracked.table.name,
        select(steps.c.subject_id, steps.c.id, steps.c.origin, steps.c.previous).where(is_broken),
        "has in its history, as transition {id}, a move from {origin} where it was {previous}",
        "adds a row that says so",
        _anchoring(tracked, select(steps.c.subject_id).where(is_broken)),
    )


def _unlawful(tracked: Tracked) -> Rule:
    steps = _steps(tracked)
    may_be = [and_(steps.c.origin.is_(None), steps.c.target.in_(tracked.cycle.beginnings))]
    may_be += [
        and_(steps.c.origin == origin, steps.c.target.in_(targets))
        for origin, targets in tracked.cycle.moves.items()
        if targets
    ]
    is_unlawful = not_(func.coalesce(or_(*may_be), False))
    return Rule(
        tracked.table.name,
        select(steps.c.subject_id, steps.c.id, steps.c.origin, steps.c.target).where(is_unlawful),
        f"has in its history, as transition {{id}}, a move from {{origin}} to {{target}}, which no "
        f"{NOUNS[tracked.table.name]} makes",
        "adds a row that says so",
        _anchoring(tracked, select(steps.c.subject_id).where(is_unlawful)),
    )


def _is_known(tracked: Tracked) -> ColumnElement[bool]:
    """Whether the state is one: of others the history should not tell."""
    return IMAGES[tracked.table.name].c.status.in_(tracked.cycle.moves)


def _lasts(tracked: Tracked) -> Select[Any]:
    """Return the newest transition of each subject."""
    of_type = _H.subject_type == tracked.subject_type.value
    return select(_H.subject_id, func.max(_H.id).label("id")).where(of_type).group_by(_H.subject_id)


def _steps(tracked: Tracked) -> Any:
    """Return the transitions after the last that doctor has added, each with the state before it."""
    steps = (
        select(
            _H.id,
            _H.subject_id,
            _H.origin,
            _H.target,
            _H.actor,
            func.lag(_H.target).over(partition_by=_H.subject_id, order_by=_H.id).label("previous"),
        )
        .where(_H.subject_type == tracked.subject_type.value)
        .subquery()
    )
    later = _HISTORY.alias("later")
    is_superseded = exists(
        select(1).where(
            later.c.subject_type == tracked.subject_type.value,
            later.c.subject_id == steps.c.subject_id,
            later.c.id >= steps.c.id,
            later.c.actor == ACTOR,
            later.c.reason == _REASON,
        )
    )
    return select(*steps.c).where(~is_superseded).subquery()


# Others may call themselves doctor too.
_REASON: Final = "doctor has found that state and history disagree"


def _state(tracked: Tracked, *, origin: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Return a row of history but for its moment: from `origin` to what the subject is now."""
    state = IMAGES[tracked.table.name].c
    known = {name: state[name] if name in state else null() for name in ("conclusion", "attempt")}
    row = [literal(tracked.subject_type.value), state.id, origin, state.status, *known.values()]
    return [
        column.label(name)
        for name, column in zip(_COLUMNS, [*row, literal(_REASON), literal(ACTOR)], strict=False)
    ]


def _adding(tracked: Tracked, rows: Select[Any]) -> Mend:
    state = IMAGES[tracked.table.name].c
    return lambda connection, now: _add(connection, rows.order_by(state.id), now)


def _anchoring(tracked: Tracked, bad: Select[Any]) -> Mend:
    last = _lasts(tracked).subquery()
    row = [_H.subject_type, _H.subject_id, _H.target, _H.target, _H.conclusion, _H.attempt]
    anchors = (
        select(*row, literal(_REASON).label("reason"), literal(ACTOR).label("actor"))
        .join_from(_HISTORY, last, last.c.id == _H.id)
        .where(_H.subject_id.in_(bad))
        .order_by(_H.id)
    )
    return lambda connection, now: _add(connection, anchors, now)


def _add(connection: Connection, rows: Select[Any], now: datetime) -> int:
    dated = rows.add_columns(literal(now, _H.at.type))
    insert = _HISTORY.insert().from_select(_COLUMNS, dated)
    return connection.execute(insert.execution_options(preserve_rowcount=True)).rowcount


_TABLES: Final = ("state_tracking", *(tracked.table.name for tracked in TRACKED))

MISSING: Final = RowCheck("history.missing", tuple(map(_missing, TRACKED)), _TABLES)
BEHIND: Final = RowCheck("history.behind", tuple(map(_behind, TRACKED)), _TABLES)
MOVES: Final = RowCheck(
    "history.moves",
    (*map(_broken, TRACKED), *map(_unlawful, TRACKED)),
    ("state_tracking",),
)
