"""The triggers that the tables need, from one description for both databases.

`updated_at` is set by the application, which also wants to return it; the
trigger is for whatever else updates a row.
"""

from typing import Final

from sqlalchemy import Connection, Table

from storage.tables import Base

# Every table with an `updated_at`, so that a new one cannot be forgotten.
TOUCHED: Final[tuple[Table, ...]] = tuple(t for t in Base.metadata.sorted_tables if "updated_at" in t.columns)


def apply(connection: Connection) -> None:
    """Make the triggers as they should be, whatever is there. A rebuilt table has lost its own."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def statements(dialect: str) -> list[str]:
    """Return the DDL that makes all triggers anew."""
    touch = _TOUCH[dialect]
    common = _COMMON[dialect]
    return [*common, *(part.format(table=table.name) for table in TOUCHED for part in touch)]


_COMMON: Final = {
    "sqlite": (),
    "postgresql": (
        (
            "CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$"
        ),
    ),
}

_TOUCH: Final = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS {table}_touch",
        # The text is the form in which SQLAlchemy writes a DateTime: six decimals, of which SQLite's clock knows three.
        (
            "CREATE TRIGGER {table}_touch AFTER UPDATE ON {table} FOR EACH ROW WHEN NEW.updated_at IS OLD.updated_at "
            "BEGIN UPDATE {table} SET updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE id = NEW.id; END"
        ),
    ),
    "postgresql": (
        (
            "CREATE OR REPLACE TRIGGER {table}_touch BEFORE UPDATE ON {table} FOR EACH ROW "
            "WHEN (NEW.updated_at IS NOT DISTINCT FROM OLD.updated_at) EXECUTE FUNCTION touch_updated_at()"
        ),
    ),
}
