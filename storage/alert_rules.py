"""Reading and writing the rules by which alerts are due."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from storage import copying
from storage.dialects import any_of
from storage.monitoring_rows import AlertRuleRow
from storage.monitoring_tables import ALERT_RULES, AlertRuleFields
from storage.statements import Query
from storage.upserts import Upsert


def all_rules(connection: Connection) -> list[AlertRuleRow]:
    """Return every rule, by name."""
    return sorted(_ALL.all(connection), key=lambda rule: rule.name)


def by_ids(connection: Connection, ids: Iterable[int]) -> dict[int, AlertRuleRow]:
    """Return the rules with these ids, those that exist, in one statement."""
    return {row.id: row for row in _BY_IDS.all(connection, ids=ids)}


def by_names(connection: Connection, names: Iterable[str]) -> dict[str, AlertRuleRow]:
    """Return the rules of these names, those that exist, in one statement."""
    return {row.name: row for row in _BY_NAMES.all(connection, names=names)}


def lock(connection: Connection, id: int) -> AlertRuleRow | None:
    """Return a rule as it is now, or None, and keep others from changing it until the end of the transaction."""
    return _LOCK.one(connection, id=id)


def ever_made(connection: Connection) -> bool:
    """Whether there is or was any rule."""
    return copying.last_ids(connection)[ALERT_RULES.name] > 0


def add_missing(connection: Connection, rules: Iterable[AlertRuleFields], *, now: datetime) -> None:
    """Write those rules whose names are not taken."""
    rows = [{**fields.model_dump(), "created_at": now, "updated_at": now} for fields in rules]
    connection.execute(_ADD_MISSING[connection.dialect.name], rows)


def put(connection: Connection, fields: AlertRuleFields, *, now: datetime) -> None:
    """Write a rule, in the place of the one of its name if there is one: its alerts stay."""
    _PUT.run(connection, [{**fields.model_dump(), "created_at": now, "updated_at": now}])


def delete(connection: Connection, id: int) -> bool:
    """Delete a rule with its alerts; False when there was none."""
    return connection.execute(ALERT_RULES.delete().where(_C.id == id)).rowcount == 1


_C: Final = ALERT_RULES.c
_ROW: Final = select(*(_C[name] for name in AlertRuleRow.__struct_fields__))
_ALL: Final = Query(_ROW, AlertRuleRow)
_BY_IDS: Final = Query(_ROW.where(any_of(_C.id, "ids")), AlertRuleRow)
_BY_NAMES: Final = Query(_ROW.where(any_of(_C.name, "names")), AlertRuleRow)
_LOCK: Final = Query(_ROW.where(_C.id == bindparam("id")).with_for_update(), AlertRuleRow)
_ADD_MISSING: Final = {
    insert.stringify_dialect: insert.on_conflict_do_nothing(index_elements=["name"])
    for insert in (sqlite.insert(ALERT_RULES), postgresql.insert(ALERT_RULES))
}
_CHANGED: Final = [name for name in AlertRuleFields.model_fields if name != "name"]
_PUT: Final = Upsert(
    ALERT_RULES, ("name",), lambda new: {name: new[name] for name in (*_CHANGED, "updated_at")}
)
