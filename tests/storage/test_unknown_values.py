"""A value that a newer release wrote is said to be that, wherever it is read."""

from collections.abc import Callable

import pytest
from sqlalchemy import Column, Connection, Enum, Table, select

from storage import builds, packages
from storage.builds import ALL, Owner
from storage.columns import Base
from storage.database import Database
from storage.dialects import is_sqlite
from storage.errors import UnknownValue
from storage.packages import PackageFilter, PackageOrder
from storage.statements import Query
from tests.storage.build_world import undone
from tests.storage.subjects import WRITERS, package

_COLUMNS: dict[str, Column[str]] = {
    f"{table.name}.{column.name}": column
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, Enum)
}


def store_unknown(connection: Connection, column: Column[str]) -> None:
    """Have the first row of a table hold what no release knows yet."""
    table = column.table
    assert isinstance(table, Table)
    WRITERS.get(table.name, package)(connection)  # whose first state is a row of the history
    _drop_guards(connection, table)
    connection.exec_driver_sql(f"UPDATE {table.name} SET {column.name} = 'FOO'")


def _drop_guards(connection: Connection, table: Table) -> None:
    if is_sqlite(connection):
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        triggers = f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '{table.name}'"
        for name in connection.exec_driver_sql(triggers).scalars().all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
    else:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} DISABLE TRIGGER USER")
        checks = (
            f"SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = '{table.name}'::regclass"
        )
        for name in connection.exec_driver_sql(checks).scalars().all():
            connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP CONSTRAINT {name}")


def refusal(database: Database, column: Column[str], read: Callable[[Connection], object]) -> UnknownValue:
    """Return what `read` raises once `column` holds what no release knows yet."""

    def operation(connection: Connection) -> UnknownValue:
        store_unknown(connection, column)
        try:
            with pytest.raises(UnknownValue) as refused:
                read(connection)
        finally:
            if is_sqlite(connection):
                connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
        return refused.value

    return undone(database, operation)


@pytest.mark.parametrize("name", _COLUMNS)
def test_every_column_of_choices_says_what_it_holds_and_cannot_be_read(
    kept_database: Database, name: str
) -> None:
    column = _COLUMNS[name]
    query = Query(select(column), str)

    refused = refusal(kept_database, column, query.all)

    assert f"{refused.table}.{refused.column}" == name
    assert str(refused) == (
        f"column `{column.name}` of `{refused.table}` holds `FOO`, which this release does not know: "
        "a newer one wrote it; upgrade this one"
    )


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("build_status.status", lambda c: builds.page(c, ALL, limit=1)),
        ("build_status.trigger", lambda c: builds.pages_of(c, Owner.RUN, range(99), limit=1)),
        ("packages.status", lambda c: packages.page(c, PackageFilter(), order=PackageOrder(), limit=1)),
    ],
)
def test_a_page_says_so_too(kept_database: Database, name: str, read: Callable[[Connection], object]) -> None:
    refused = refusal(kept_database, _COLUMNS[name], read)

    assert (f"{refused.table}.{refused.column}", refused.value) == (name, "FOO")


def test_nothing_is_no_unknown_value(kept_database: Database) -> None:
    query = Query(select(_COLUMNS["build_status.conclusion"]), lambda conclusion: conclusion)

    def operation(connection: Connection) -> list[object]:
        WRITERS["build_status"](connection)
        return query.all(connection)

    assert undone(kept_database, operation) == [None]
