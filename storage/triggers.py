"""The triggers that the tables need, from one description for both databases.

What has a life cycle begins and moves only as that allows, and `state_tracking` keeps
each of its states. `updated_at` and `changed_by` are set by the application, which also
wants to return them; the triggers are for whatever else updates a row, of which they
note the moment and, when it changes a status, that nobody knows who did.

A refusal is an IntegrityError that names `ck_<table>_beginning`, `ck_<table>_move`,
`ck_<table>_<column>_grows` or `ck_state_tracking_append_only`. Refusals and history are
left to AFTER triggers: rows that break a CHECK or a key never come to them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table

from storage.build_tables import BUILDS, RUNS
from storage.columns import Base
from storage.monitoring_tables import ALERTS
from storage.tables import PACKAGES, TRANSITIONS, VERSIONS, SubjectType
from storage.transitions import ALERT, BUILD, PACKAGE, REOPENED, RUN, VERSION, LifeCycle


def _listed(values: tuple[str, ...]) -> str:
    return ", ".join(f"'{value}'" for value in values)


@dataclass(frozen=True, slots=True)
class Tracked:
    """A table whose rows have a life cycle, with what SQL asks of a row beyond its status."""

    table: Table
    subject_type: SubjectType
    cycle: LifeCycle[Any]
    begins_if: str | None = None
    moves_if: str | None = None


_REOPENED: Final = _listed(REOPENED)

TRACKED: Final = (
    Tracked(PACKAGES, SubjectType.PACKAGE, PACKAGE),
    Tracked(VERSIONS, SubjectType.VERSION, VERSION),
    Tracked(RUNS, SubjectType.RUN, RUN),
    Tracked(
        BUILDS,
        SubjectType.BUILD,
        BUILD,
        begins_if=f"NEW.status <> 'COMPLETED' OR NEW.conclusion IN ({_REOPENED})",
        moves_if=(
            f"OLD.status <> 'COMPLETED' OR OLD.conclusion IN ({_REOPENED}) "
            "OR NEW.max_attempts > OLD.max_attempts"
        ),
    ),
    Tracked(ALERTS, SubjectType.ALERT, ALERT),
)

# Every table with an `updated_at`, so that a new one cannot be forgotten.
TOUCHED: Final[tuple[Table, ...]] = tuple(t for t in Base.metadata.sorted_tables if "updated_at" in t.columns)

GROWING: Final = {BUILDS: ("lease_token", "row_version")}
"""Columns that never become smaller: an older lease or reading must not win over a newer one."""


def apply(connection: Connection) -> None:
    """Make the triggers as they should be, whatever is there. A rebuilt table has lost its own."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def statements(dialect: str) -> list[str]:
    """Return the DDL that makes all triggers anew."""
    return list({"sqlite": _sqlite, "postgresql": _postgresql}[dialect]())


def _beginning_is_allowed(tracked: Tracked) -> str:
    """Return the condition on NEW, empty when every status is a beginning: then its CHECK says enough."""
    if set(tracked.cycle.beginnings) == set(tracked.cycle.moves):
        return ""
    return _both(f"NEW.status IN ({_listed(tracked.cycle.beginnings)})", tracked.begins_if)


def _move_is_allowed(tracked: Tracked) -> str:
    moves = " OR ".join(
        f"OLD.status = '{origin}' AND NEW.status IN ({_listed(targets)})"
        for origin, targets in tracked.cycle.moves.items()
        if targets
    )
    return _both(moves, tracked.moves_if)


def _both(condition: str, other: str | None) -> str:
    return condition if other is None else f"({condition}) AND ({other})"


def _history(tracked: Tracked, *, origin: str, actor: str, at: str) -> tuple[str, str]:
    """Return the columns of a row of history, and the expressions for them."""
    of_row = {name: f"NEW.{name}" for name in ("conclusion", "attempt") if name in tracked.table.columns}
    row = {
        "subject_type": f"'{tracked.subject_type}'",
        "subject_id": "NEW.id",
        "origin": origin,
        "target": "NEW.status",
        **of_row,
        "reason": "NEW.status_reason",
        "actor": actor,
        "at": at,
    }
    return f"{TRANSITIONS.name} ({', '.join(row)})", ", ".join(row.values())


_APPEND_ONLY: Final = f"ck_{TRANSITIONS.name}_append_only"

# The form in which SQLAlchemy writes a DateTime: six decimals, of which SQLite's clock knows three.
_SQLITE_NOW: Final = "strftime('%Y-%m-%d %H:%M:%f000', 'now')"


def _sqlite() -> Iterator[str]:
    for table in TOUCHED:
        yield from _sqlite_trigger(table, "touch", "AFTER UPDATE", _sqlite_touch(table))
    for tracked in TRACKED:
        yield from _sqlite_trigger(tracked.table, "begin", "AFTER INSERT", _sqlite_begin(tracked))
        yield from _sqlite_trigger(tracked.table, "move", "AFTER UPDATE OF status", _sqlite_move(tracked))
    for table, columns in GROWING.items():
        yield from _sqlite_trigger(
            table, "grow", f"AFTER UPDATE OF {', '.join(columns)}", _sqlite_grow(table, columns)
        )
    refusal = f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
    yield from _sqlite_trigger(TRANSITIONS, "keep", "BEFORE UPDATE", refusal)
    yield from _sqlite_trigger(TRANSITIONS, "hold", "BEFORE DELETE", refusal)


def _sqlite_trigger(table: Table, name: str, when: str, body: str) -> tuple[str, str]:
    trigger = f"{table.name}_{name}"
    return (
        f"DROP TRIGGER IF EXISTS {trigger}",
        f"CREATE TRIGGER {trigger} {when} ON {table.name} FOR EACH ROW {body}",
    )


def _sqlite_touch(table: Table) -> str:
    changed_by = (
        ", changed_by = CASE WHEN NEW.status IS OLD.status THEN NEW.changed_by END"
        if "changed_by" in table.columns
        else ""
    )
    return (
        "WHEN NEW.updated_at IS OLD.updated_at "
        f"BEGIN UPDATE {table.name} SET updated_at = {_SQLITE_NOW}{changed_by} WHERE id = NEW.id; END"
    )


def _sqlite_begin(tracked: Tracked) -> str:
    allowed = _beginning_is_allowed(tracked)
    refusal = _sqlite_refusal(f"ck_{tracked.table.name}_beginning", allowed) if allowed else ""
    into, values = _history(tracked, origin="NULL", actor="NEW.changed_by", at="NEW.updated_at")
    return f"BEGIN {refusal}INSERT INTO {into} VALUES ({values}); END"


def _sqlite_move(tracked: Tracked) -> str:
    refusal = _sqlite_refusal(f"ck_{tracked.table.name}_move", _move_is_allowed(tracked))
    into, values = _history(
        tracked,
        origin="OLD.status",
        actor="CASE WHEN NEW.updated_at IS NOT OLD.updated_at THEN NEW.changed_by END",
        at=f"CASE WHEN NEW.updated_at IS NOT OLD.updated_at THEN NEW.updated_at ELSE {_SQLITE_NOW} END",
    )
    return f"WHEN NEW.status IS NOT OLD.status BEGIN {refusal}INSERT INTO {into} VALUES ({values}); END"


def _sqlite_grow(table: Table, columns: tuple[str, ...]) -> str:
    falls = " OR ".join(f"NEW.{column} < OLD.{column}" for column in columns)
    refusals = "".join(
        _sqlite_refusal(f"ck_{table.name}_{column}_grows", f"NEW.{column} >= OLD.{column}")
        for column in columns
    )
    return f"WHEN {falls} BEGIN {refusals}END"


def _sqlite_refusal(constraint: str, condition: str) -> str:
    return f"SELECT RAISE(ABORT, '{constraint}') WHERE NOT ({condition}); "


def _postgresql() -> Iterator[str]:
    yield _postgresql_function("touch_updated_at", "NEW.updated_at := clock_timestamp(); RETURN NEW;")
    yield _postgresql_function(
        "touch_changed_by",
        "NEW.updated_at := clock_timestamp(); "
        "IF NEW.status IS DISTINCT FROM OLD.status THEN NEW.changed_by := NULL; END IF; RETURN NEW;",
    )
    for table in TOUCHED:
        function = "touch_changed_by" if "changed_by" in table.columns else "touch_updated_at"
        yield (
            f"CREATE OR REPLACE TRIGGER {table.name}_touch BEFORE UPDATE ON {table.name} FOR EACH ROW "
            f"WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION {function}()"
        )
    for tracked in TRACKED:
        yield from _postgresql_begin(tracked)
        yield from _postgresql_move(tracked)
    for table, columns in GROWING.items():
        yield from _postgresql_grow(table, columns)
    yield from _postgresql_append_only()


def _postgresql_function(name: str, body: str) -> str:
    return f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"


def _postgresql_refusal(constraint: str, table: Table, message: str) -> str:
    return f"RAISE check_violation USING CONSTRAINT = '{constraint}', TABLE = '{table.name}', MESSAGE = {message};"


def _postgresql_begin(tracked: Tracked) -> Iterator[str]:
    """Yield a trigger for all rows of a statement at once, which costs a COPY of many next to nothing."""
    table = tracked.table
    allowed = _beginning_is_allowed(tracked).replace("NEW.", "")
    refusal = _postgresql_refusal(
        f"ck_{table.name}_beginning", table, f"'{table.name} has a row that may not begin as it is'"
    )
    guard = f"IF EXISTS (SELECT FROM added WHERE NOT ({allowed})) THEN {refusal} END IF; " if allowed else ""
    into, values = _history(tracked, origin="NULL", actor="NEW.changed_by", at="NEW.updated_at")
    insert = f"INSERT INTO {into} SELECT {values.replace('NEW.', '')} FROM added ORDER BY id;"
    yield _postgresql_function(f"{table.name}_begin", f"{guard}{insert} RETURN NULL;")
    yield (
        f"CREATE OR REPLACE TRIGGER {table.name}_begin AFTER INSERT ON {table.name} "
        f"REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION {table.name}_begin()"
    )


def _postgresql_move(tracked: Tracked) -> Iterator[str]:
    table = tracked.table
    refusal = _postgresql_refusal(
        f"ck_{table.name}_move",
        table,
        f"'{table.name} ' || OLD.id || ' is ' || OLD.status || ' and cannot become ' || NEW.status",
    )
    # When the application gave neither, the touch before this has set both.
    into, values = _history(tracked, origin="OLD.status", actor="NEW.changed_by", at="NEW.updated_at")
    yield _postgresql_function(
        f"{table.name}_move",
        f"IF NOT ({_move_is_allowed(tracked)}) THEN {refusal} END IF; "
        f"INSERT INTO {into} VALUES ({values}); RETURN NULL;",
    )
    yield (
        f"CREATE OR REPLACE TRIGGER {table.name}_move AFTER UPDATE ON {table.name} FOR EACH ROW "
        f"WHEN (NEW.status IS DISTINCT FROM OLD.status) EXECUTE FUNCTION {table.name}_move()"
    )


def _postgresql_grow(table: Table, columns: tuple[str, ...]) -> Iterator[str]:
    falls = " OR ".join(f"NEW.{column} < OLD.{column}" for column in columns)
    refusals = " ".join(
        f"IF NEW.{column} < OLD.{column} THEN "
        + _postgresql_refusal(
            f"ck_{table.name}_{column}_grows",
            table,
            f"'the {column} of {table.name} ' || OLD.id || ' cannot fall to ' || NEW.{column}",
        )
        + " END IF;"
        for column in columns
    )
    yield _postgresql_function(f"{table.name}_grow", f"{refusals} RETURN NULL;")
    yield (
        f"CREATE OR REPLACE TRIGGER {table.name}_grow AFTER UPDATE ON {table.name} FOR EACH ROW "
        f"WHEN ({falls}) EXECUTE FUNCTION {table.name}_grow()"
    )


def _postgresql_append_only() -> Iterator[str]:
    name = TRANSITIONS.name
    refusal = _postgresql_refusal(_APPEND_ONLY, TRANSITIONS, f"'{name} is only ever added to'")
    yield _postgresql_function(f"{name}_keep", refusal)
    yield (
        f"CREATE OR REPLACE TRIGGER {name}_keep BEFORE UPDATE OR DELETE ON {name} "
        f"FOR EACH ROW EXECUTE FUNCTION {name}_keep()"
    )
    yield (
        f"CREATE OR REPLACE TRIGGER {name}_hold BEFORE TRUNCATE ON {name} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_keep()"
    )
