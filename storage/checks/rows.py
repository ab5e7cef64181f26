"""Checks of rows by themselves: rows they refer to that are gone, values that there are not, ids given twice."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, Connection, ForeignKeyConstraint, Table, exists, select, text
from sqlalchemy.dialects import sqlite

from storage.checks.findings import Finding, Found, RowCheck, Rule, listed
from storage.checks.subjects import NOUNS
from storage.copying import COUNTED, count_on, highest_ids, last_ids
from storage.images import IMAGES, TABLES


def _references() -> Iterator[Rule]:
    """Yield a rule for each foreign key. Those of parents come first: their rows take others along."""
    for table in TABLES:
        for constraint in table.constraints:
            if isinstance(constraint, ForeignKeyConstraint):
                yield _reference(table, constraint)


def _reference(table: Table, constraint: ForeignKeyConstraint) -> Rule:
    (key,) = constraint.elements
    image, column = IMAGES[table.name], IMAGES[table.name].c[key.parent.name]
    target = IMAGES[key.column.table.name].alias()
    is_gone = column.is_not(None) & ~exists(select(1).where(target.c.id == column))
    first = next(iter(image.primary_key))
    forgets = constraint.ondelete == "SET NULL"

    def mend(connection: Connection, now: datetime) -> int:
        statement = image.update().values({column.name: None}) if forgets else image.delete()
        return connection.execute(statement.where(is_gone)).rowcount

    return Rule(
        table.name,
        select(first, column.label("gone")).where(is_gone),
        f"refers by {column.name} to {NOUNS[key.column.table.name]} {{gone}}, which is gone",
        "empties it" if forgets else "deletes it, as would have happened with what it refers to",
        mend,
    )


# What these forbid is mended by checks of its own, which know what the row should be.
_MENDED_ELSEWHERE: Final = frozenset({"concluded", "lease", "held", "kind", "subject_type"})
_BY_HAND: Final = "set it right by hand: what it should be cannot be told from the rest"
_DIALECT: Final = sqlite.dialect()


def _values() -> Iterator[Rule]:
    """Yield a rule for each CHECK, as a foreign program may have written around it."""
    for table in TABLES:
        for constraint in table.constraints:
            if isinstance(constraint, CheckConstraint):
                name = str(_DIALECT.identifier_preparer.format_constraint(constraint)).removeprefix(
                    f"ck_{table.name}_"
                )
                if not (name in _MENDED_ELSEWHERE and table.name in _WITH_OWN_CHECKS):
                    yield _value(table, constraint, name)


_WITH_OWN_CHECKS: Final = frozenset({"build_status", "build_runs", "events"})


def _value(table: Table, constraint: CheckConstraint, name: str) -> Rule:
    image = IMAGES[table.name]
    condition = str(constraint.sqltext.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
    key, *_ = image.primary_key
    facts = [key, *([image.c[name]] if name in image.columns and image.c[name] is not key else [])]
    problem = (
        f"has {{{name}}} for {name}, which is not allowed"
        if len(facts) > 1
        else f"breaks the constraint {name}"
    )
    return Rule(
        table.name,
        select(*facts).where(text(f"NOT ({condition})")),
        problem,
        _BY_HAND,
    )


class CounterCheck:
    """Whether each table gives out ids above all that it has, so that none comes to mean another row."""

    name: Final = "ids"

    def find(self, connection: Connection) -> Found:
        """Return the tables that would give an id again."""
        behind = _behind(connection)
        remedy = "goes on after the highest"
        findings = [
            Finding(f"table {name}", f"would give out an id up to {highest} again", remedy, is_mendable=True)
            for name, highest in behind.items()
        ]
        return listed(len(COUNTED), findings)

    def mend(self, connection: Connection, now: datetime) -> int:
        """Have them go on after the highest that there is."""
        behind = _behind(connection)
        count_on(connection, behind)
        return len(behind)


def _behind(connection: Connection) -> dict[str, int]:
    last = last_ids(connection)
    return {name: highest for name, highest in highest_ids(connection).items() if highest > last[name]}


REFERENCES: Final = RowCheck("references", tuple(_references()))
VALUES: Final = RowCheck("values", tuple(_values()))
COUNTERS: Final = CounterCheck()
