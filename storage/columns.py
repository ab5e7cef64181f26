"""What columns are made of: their types, their limits, and what is checked of a value from outside."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, StringConstraints
from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, MetaData, Text, text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

MAX_NAME: Final = 214
MAX_VERSION: Final = 256
MAX_CONSTRAINT: Final = 2_000
"""Bytes: it is part of a key, of which PostgreSQL's indices take 2,704. The longest of 100,000 real versions has 154."""
MAX_TEXT: Final = 10_000
"""A description or a reason: prose, of which nobody reads more."""
MAX_DIGEST: Final = 256
MAX_MARKER: Final = 1_000
MAX_LABELS: Final = 64
MAX_LABEL_KEY: Final = 128
MAX_LABEL_VALUE: Final = 1_000
MAX_KEY_LABELS: Final = 1_500
"""Bytes of labels that are part of a key: PostgreSQL's indices take 2,704 of everything together."""
MAX_TITLE: Final = 256
"""What somebody named: a worker, a token, a rule, a metric, an artifact."""
MAX_UNIT: Final = 64
MAX_LOG: Final = 1_048_576
"""Characters of output in one row. A worker's batches are far smaller; whoever sends more should split it."""
MAX_URI: Final = 2_048
MAX_SECONDS: Final = 31_536_000
"""A year. A longer timeout or window is a slip, and would leave the range of dates."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always in UTC: SQLite itself would forget the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """Read SQLite's text in one step, a quarter of the time of SQLAlchemy's two."""
        return _from_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


# What was written together bears one moment, and a list reads it again for each row.
@lru_cache(4_096)
def _from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class LabelsType(TypeDecorator[dict[str, str]]):
    """Labels as canonical JSON text: equal labels are equal bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, str] | None, _dialect: Dialect) -> str | None:
        return None if value is None else labels_text(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> dict[str, str]:
        return _labels_of(value)

    def result_processor(self, _dialect: Dialect, _coltype: object) -> Callable[[Any], dict[str, str]]:
        """Read the text in one step; SQLAlchemy would take three."""
        return _labels_of


def _labels_of(text: str | None) -> dict[str, str]:
    # Most rows have none, and a parse costs more than the rest of the row.
    return {} if text is None or text == "{}" else json.loads(text)


def labels_text(labels: Mapping[str, str]) -> str:
    """Return the one text that `labels` are stored as."""
    return json.dumps(labels, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if labels else "{}"


def is_storable(text: str) -> bool:
    """Whether every database can hold `text`: PostgreSQL has no NUL, and UTF-8 no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("a NUL character or a lone surrogate cannot be stored")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it is before the year 1 or after 9999 in UTC") from error


def _few(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > MAX_LABELS:
        raise ValueError(f"{len(labels):,} labels, at most {MAX_LABELS} are allowed")
    return labels


def _short(labels: dict[str, str]) -> dict[str, str]:
    if len(labels_text(labels).encode()) > MAX_KEY_LABELS:
        raise ValueError(f"the labels are longer than {MAX_KEY_LABELS:,} bytes")
    return labels


def _indexable(constraint: str) -> str:
    if len(constraint.encode()) > MAX_CONSTRAINT:
        raise ValueError(f"it is longer than {MAX_CONSTRAINT:,} bytes")
    return constraint


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_storable)]
VersionText = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_VERSION), AfterValidator(_storable)
]
ConstraintText = Annotated[str, AfterValidator(_storable), AfterValidator(_indexable)]
Prose = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(_storable)]
Digest = Annotated[str, StringConstraints(max_length=MAX_DIGEST), AfterValidator(_storable)]
Marker = Annotated[str, StringConstraints(max_length=MAX_MARKER), AfterValidator(_storable)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE), AfterValidator(_storable)]
LogText = Annotated[str, StringConstraints(max_length=MAX_LOG), AfterValidator(_storable)]
Unit = Annotated[str, StringConstraints(max_length=MAX_UNIT), AfterValidator(_storable)]
Uri = Annotated[str, StringConstraints(min_length=1, max_length=MAX_URI), AfterValidator(_storable)]
_LabelKey = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_LABEL_KEY), AfterValidator(_storable)
]
_LabelValue = Annotated[str, StringConstraints(max_length=MAX_LABEL_VALUE), AfterValidator(_storable)]
Labels = Annotated[dict[_LabelKey, _LabelValue], AfterValidator(_few)]
KeyLabels = Annotated[dict[_LabelKey, _LabelValue], AfterValidator(_few), AfterValidator(_short)]

# SQLite gives out ids by itself only for a column that is declared INTEGER.
ID: Final = BigInteger().with_variant(Integer, "sqlite")
# In the order of the bytes, on both databases.
NAME: Final = Text().with_variant(Text(collation="C"), "postgresql")


def choice(choices: type[StrEnum], name: str) -> Enum:
    """Return a text column's type that a CHECK limits to `choices`."""
    return Enum(
        choices, native_enum=False, create_constraint=True, validate_strings=True, length=32, name=name
    )


def identity() -> Any:
    """Return the column of a table's own ids."""
    return Field(default=None, primary_key=True, sa_type=ID)


def reference(target: str, *, primary_key: bool = False) -> Any:
    """Return a column of ids of another table, whose rows take the rows that refer to them along."""
    return Field(foreign_key=target, ondelete="CASCADE", sa_type=ID, primary_key=primary_key)


def where(condition: str) -> dict[str, Any]:
    """Return the options of an index over only some rows. Queries must say `condition` literally to be served by it."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Base(SQLModel):
    """What all tables share: one catalogue of them, with a name for every constraint."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
