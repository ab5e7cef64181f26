"""The tables as they are stored: images whose columns convert no more than moments and booleans.

What a foreign program has written, such as a status that there is not, can be read through them, and written too.
"""

from typing import Any, Final

from sqlalchemy import Column, Enum, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from storage import build_tables, monitoring_tables, tables
from storage.columns import Base, UtcDateTime

TABLES: Final[tuple[Table, ...]] = tuple(Base.metadata.sorted_tables)
"""All tables, each after those that it refers to."""
assert {tables.PACKAGES, build_tables.BUILDS, monitoring_tables.ALERTS} <= set(TABLES)


def _image(table: Table) -> Table:
    columns = (
        Column(column.name, _plain(column.type), primary_key=column.primary_key) for column in table.columns
    )
    return Table(table.name, MetaData(), *columns)


def _plain(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    is_text = isinstance(type_, Enum | TypeDecorator) and not isinstance(type_, UtcDateTime)
    return Text() if is_text else type_


IMAGES: Final = {table.name: _image(table) for table in TABLES}
"""By name. Their columns are in the order of the tables'."""
