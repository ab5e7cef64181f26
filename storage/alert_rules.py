"""Reading and writing the rules by which alerts are due."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

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
_CHANGED: Final = [name for name in AlertRuleFields.model_fields if name != "name"]
_PUT: Final = Upsert(
    ALERT_RULES, ("name",), lambda new: {name: new[name] for name in (*_CHANGED, "updated_at")}
)
