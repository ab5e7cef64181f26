"""The tables: what is stored, what may be stored, and by which index each query finds it.

A `…Fields` class holds and validates what comes from outside; the table class
under it adds what the server gives. Ids come from us on the bulk path, so that
children can be written without asking for them.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import IntFlag, StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, StringConstraints
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

from storage.transitions import PackageStatus, VersionStatus

MAX_NAME: Final = 214
MAX_VERSION: Final = 256
MAX_CONSTRAINT: Final = 4_096
MAX_TEXT: Final = 10_000
"""A description or a reason: prose, of which nobody reads more."""
MAX_DIGEST: Final = 256
MAX_MARKER: Final = 1_000
MAX_LABELS: Final = 64
MAX_LABEL_KEY: Final = 128
MAX_LABEL_VALUE: Final = 1_000


class Kind(IntFlag):
    """What a dependency is needed for, as the bits of `dependencies.kinds`."""

    RUNTIME = 1
    BUILD = 2
    TEST = 4
    DEV = 8
    PEER = 16


ALL_KINDS: Final = 31


class EventKind(StrEnum):
    """What an event tells of."""

    PACKAGE_CHANGED = "PACKAGE_CHANGED"
    PACKAGE_DELETED = "PACKAGE_DELETED"
    VERSION_PUBLISHED = "VERSION_PUBLISHED"
    VERSION_CHANGED = "VERSION_CHANGED"
    DEPENDENCIES_CHANGED = "DEPENDENCIES_CHANGED"


class SubjectType(StrEnum):
    """Which table an event's `subject_id` points into. The row may be gone by now."""

    PACKAGE = "PACKAGE"
    VERSION = "VERSION"


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


def _from_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class LabelsType(TypeDecorator[dict[str, str]]):
    """Labels as canonical JSON text: equal labels are equal bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, str] | None, _dialect: Dialect) -> str | None:
        return None if value is None else labels_text(value)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> dict[str, str]:
        # Most rows have none, and a parse costs more than the rest of the row.
        return {} if value is None or value == "{}" else json.loads(value)


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


_Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_storable)]
_Version = Annotated[str, StringConstraints(min_length=1, max_length=MAX_VERSION), AfterValidator(_storable)]
_Constraint = Annotated[str, StringConstraints(max_length=MAX_CONSTRAINT), AfterValidator(_storable)]
_Prose = Annotated[str, StringConstraints(max_length=MAX_TEXT), AfterValidator(_storable)]
_Digest = Annotated[str, StringConstraints(max_length=MAX_DIGEST), AfterValidator(_storable)]
_Marker = Annotated[str, StringConstraints(max_length=MAX_MARKER), AfterValidator(_storable)]
_LabelKey = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_LABEL_KEY), AfterValidator(_storable)
]
_LabelValue = Annotated[str, StringConstraints(max_length=MAX_LABEL_VALUE), AfterValidator(_storable)]
_Labels = Annotated[dict[_LabelKey, _LabelValue], AfterValidator(_few)]

# SQLite gives out ids by itself only for a column that is declared INTEGER.
_ID: Final = BigInteger().with_variant(Integer, "sqlite")
# In the order of the bytes, on both databases.
_NAME: Final = Text().with_variant(Text(collation="C"), "postgresql")


def _choice(choices: type[StrEnum], name: str) -> Enum:
    """Return a text column's type that a CHECK limits to `choices`."""
    return Enum(
        choices, native_enum=False, create_constraint=True, validate_strings=True, length=32, name=name
    )


def _id() -> Any:
    return Field(default=None, primary_key=True, sa_type=_ID)


def _reference(target: str) -> Any:
    return Field(foreign_key=target, ondelete="CASCADE", sa_type=_ID)


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


class PackageFields(Base):
    """What is said of a package from outside."""

    name: _Name = Field(sa_type=_NAME)
    description: _Prose = Field(default="", sa_type=Text)
    status: PackageStatus = Field(default=PackageStatus.ACTIVE, sa_type=_choice(PackageStatus, "status"))
    status_reason: _Prose | None = Field(default=None, sa_type=Text)
    labels: _Labels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)


class Package(PackageFields, table=True):
    """A package, known by its name."""

    __tablename__ = "packages"
    __table_args__ = (
        UniqueConstraint("name"),
        CheckConstraint(f"length(name) BETWEEN 1 AND {MAX_NAME}", name="name"),
        Index(None, "created_at", "id"),  # packages.page by CREATED_AT
        Index(None, "updated_at", "id"),  # packages.page by UPDATED_AT
        # An id is never given twice: a global id that someone kept must not come to mean another package.
        {"sqlite_autoincrement": True},
    )

    id: int = _id()
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class VersionFields(Base):
    """What is said of a version from outside."""

    version: _Version = Field(sa_type=Text)
    sort_key: bytes = Field(min_length=1, sa_type=LargeBinary)
    is_prerelease: bool
    status: VersionStatus = Field(default=VersionStatus.PUBLISHED, sa_type=_choice(VersionStatus, "status"))
    status_reason: _Prose | None = Field(default=None, sa_type=Text)
    released_at: _Moment | None = Field(default=None, sa_type=UtcDateTime)
    digest: _Digest | None = Field(default=None, sa_type=Text)
    labels: _Labels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)


class PackageVersion(VersionFields, table=True):
    """A version of a package, in the text first published; equal versions have equal sort keys."""

    __tablename__ = "package_versions"
    __table_args__ = (
        UniqueConstraint("package_id", "sort_key"),  # versions.pages_of, by_key, candidates_of
        Index(None, "package_id", "status", "is_prerelease", "sort_key"),  # versions.latest_of
        {"sqlite_autoincrement": True},
    )

    id: int = _id()
    package_id: int = _reference("packages.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class DependencyFields(Base):
    """What a version declares that it needs."""

    package_name: _Name = Field(sa_type=_NAME)
    constraint: _Constraint = Field(default="", sa_type=Text)
    kinds: int = Field(default=Kind.RUNTIME, ge=1, le=ALL_KINDS)
    optional: bool = False
    marker: _Marker | None = Field(default=None, sa_type=Text)


class Dependency(DependencyFields, table=True):
    """One dependency of a version. The package it names need not be registered."""

    __tablename__ = "dependencies"
    __table_args__ = (
        UniqueConstraint("version_id", "package_name", "constraint"),  # dependencies.of_versions, needs_of
        CheckConstraint(f"kinds BETWEEN 1 AND {ALL_KINDS}", name="kinds"),
        CheckConstraint("position >= 0", name="position"),
        Index(None, "package_name"),  # dependencies.requirers
        {"sqlite_autoincrement": True},
    )

    id: int = _id()
    version_id: int = _reference("package_versions.id")
    position: int = Field(ge=0)


class Event(Base, table=True):
    """One change, written in the transaction that made it. `seq` is the cursor that readers keep."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "package", "seq"),  # events.after, for some packages
        {"sqlite_autoincrement": True},
    )

    seq: int = _id()
    at: datetime = Field(sa_type=UtcDateTime)
    kind: EventKind = Field(sa_type=_choice(EventKind, "kind"))
    subject_type: SubjectType = Field(sa_type=_choice(SubjectType, "subject_type"))
    subject_id: int = Field(sa_type=_ID)
    package: str = Field(sa_type=_NAME)
    version: str | None = Field(default=None, sa_type=Text)


PACKAGES: Final = Base.metadata.tables["packages"]
VERSIONS: Final = Base.metadata.tables["package_versions"]
DEPENDENCIES: Final = Base.metadata.tables["dependencies"]
EVENTS: Final = Base.metadata.tables["events"]
