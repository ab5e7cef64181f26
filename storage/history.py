"""Reading the history of states, which the database itself writes."""

import functools
from collections.abc import Iterable
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from storage.dialects import any_of
from storage.ranking import first_of_each
from storage.rows import TransitionRow
from storage.statements import Query, as_tuple, given
from storage.tables import TRANSITIONS, SubjectType


def page(
    connection: Connection,
    subject_type: SubjectType | None = None,
    subject_id: int | None = None,
    *,
    after: int | None = None,
    limit: int,
) -> list[TransitionRow]:
    """Return the first `limit` transitions after `after`, which is an id, oldest first: of one subject, of a type, of all."""
    values = given(subject_type=subject_type, subject_id=subject_id)
    return _page_query(frozenset(values)).all(connection, after=after or 0, limit=limit, **values)


def pages_of(
    connection: Connection,
    subject_type: SubjectType,
    subject_ids: Iterable[int],
    *,
    limit: int,
    after: int | None = None,
) -> dict[int, list[TransitionRow]]:
    """Return up to `limit` transitions of each subject after the one with the id `after`, oldest first.

    One statement for any number of subjects; one without such transitions has an empty list.
    """
    pages: dict[int, list[TransitionRow]] = {id_: [] for id_ in subject_ids}
    rows = _PAGES.all(connection, subject_type=subject_type, ids=pages, limit=limit, after=after or 0)
    for subject_id, transition in rows:
        pages[subject_id].append(transition)
    return pages


def count(
    connection: Connection, subject_type: SubjectType | None = None, subject_id: int | None = None
) -> int:
    """Return how many transitions there are: of one subject, of a type, of all."""
    values = given(subject_type=subject_type, subject_id=subject_id)
    return _count_query(frozenset(values)).all(connection, **values)[0]


def last_of(connection: Connection, subject_type: SubjectType, subject_id: int) -> int | None:
    """Return the id of a subject's newest transition; None when it never was."""
    return lasts_of(connection, subject_type, (subject_id,)).get(subject_id)


def lasts_of(connection: Connection, subject_type: SubjectType, subject_ids: Iterable[int]) -> dict[int, int]:
    """Return the id of each subject's newest transition, in one statement."""
    return dict(_LASTS.all(connection, subject_type=subject_type, subject_ids=subject_ids))


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, TransitionRow]:
    """Return the transitions with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


_C: Final = TRANSITIONS.c
_ROW: Final = select(*(_C[name] for name in TransitionRow.__struct_fields__))
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), TransitionRow)
_LASTS: Final[Query[tuple[int, int]]] = Query(
    select(_C.subject_id, func.max(_C.id))
    .where(_C.subject_type == bindparam("subject_type"), any_of(_C.subject_id, "subject_ids"))
    .group_by(_C.subject_id),
    as_tuple,
)
_OTHERS: Final = TRANSITIONS.alias()
_PAGES: Final[Query[tuple[int, TransitionRow]]] = Query(
    first_of_each(
        _OTHERS,
        TransitionRow.__struct_fields__,
        owner=_C.subject_id,
        key=_C.id,
        where=(
            _C.subject_type == bindparam("subject_type"),
            any_of(_C.subject_id, "ids"),
            _C.id > bindparam("after"),
        ),
    ),
    lambda subject_id, *columns: (subject_id, TransitionRow(*columns)),
)


@functools.cache
def _page_query(parameters: frozenset[str]) -> Query[TransitionRow]:
    query = _ROW.where(*(_C[name] == bindparam(name) for name in sorted(parameters)))
    query = query.where(_C.id > bindparam("after"))
    return Query(query.order_by(_C.id).limit(bindparam("limit")), TransitionRow)


@functools.cache
def _count_query(parameters: frozenset[str]) -> Query[int]:
    conditions = (_C[name] == bindparam(name) for name in sorted(parameters))
    return Query(select(func.count()).select_from(TRANSITIONS).where(*conditions), int)
