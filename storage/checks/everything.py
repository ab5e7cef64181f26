"""All checks that storage can make of itself, and how they are carried out."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from storage import schemas
from storage.checks import builds as build_checks
from storage.checks import events as event_checks
from storage.checks import history as history_checks
from storage.checks import rows as row_checks
from storage.checks.findings import Check
from storage.checks.schema import IntegrityCheck, SchemaCheck
from storage.database import Database
from storage.errors import MendRefused
from storage.schemas import PartKind, Schema

_ROWS: Final[tuple[Check, ...]] = (
    row_checks.REFERENCES,
    row_checks.VALUES,
    build_checks.BUILDS,
    build_checks.WAITS,
    build_checks.ATTEMPTS,
    build_checks.RUNS,
    build_checks.ALERTS,
    event_checks.SUBJECTS,
    event_checks.POSITIONS,
    event_checks.GAPS,
)
# After whatever mending may change of states, and of ids.
_RECORDS: Final[tuple[Check, ...]] = (
    history_checks.MISSING,
    history_checks.BEHIND,
    history_checks.MOVES,
    row_checks.COUNTERS,
)


def all_checks(database: Database, *others: Check) -> list[Check]:
    """Return the checks of `database` and `others`, in the order in which they are to be mended."""
    expected = schemas.expected(database)
    return [
        IntegrityCheck(),
        SchemaCheck("schema.triggers", (PartKind.FUNCTION, PartKind.TRIGGER), expected),
        SchemaCheck("schema.indices", (PartKind.INDEX,), expected),
        *_ROWS,
        *others,
        *_RECORDS,
        # Only what is right can be put under a constraint.
        _tables(expected),
    ]


def applicable(connection: Connection, checks: list[Check]) -> list[Check]:
    """Return those of `checks` that can be made: without a table or column that they read, only those of the schema."""
    tables = next(check for check in checks if check.name == "schema.tables")
    assert isinstance(tables, SchemaCheck)
    if tables.has_all(schemas.found(connection), PartKind.COLUMN):
        return checks
    return [check for check in checks if isinstance(check, IntegrityCheck | SchemaCheck)]


def mend(database: Database, check: Check, *, now: datetime) -> int:
    """Mend what `check` finds in one transaction, and return how many things that were. Raises MendRefused."""
    try:
        return database.write(lambda connection: check.mend(connection, now), alone=True).value
    except DBAPIError as error:
        raise MendRefused(check.name, str(error.orig).strip().splitlines()[0]) from error


def _tables(expected: Schema) -> SchemaCheck:
    return SchemaCheck("schema.tables", (PartKind.COLUMN, PartKind.CONSTRAINT), expected)
