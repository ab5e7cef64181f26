"""The tables of the catalogue, its history and its events: what is stored, and by which index each query finds it.

A `…Fields` class holds and validates what comes from outside; the table class
under it adds what the server gives. Ids come from us on the bulk path, so that
children can be written without asking for them.
"""

from datetime import datetime
from enum import IntFlag, StrEnum
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from storage.columns import (
    ID,
    MAX_NAME,
    NAME,
    Base,
    ConstraintText,
    Digest,
    Labels,
    LabelsType,
    Marker,
    Moment,
    Name,
    Prose,
    Title,
    UtcDateTime,
    VersionText,
    choice,
    identity,
    reference,
    where,
)
from storage.transitions import BuildConclusion, PackageStatus, VersionStatus


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
    RUN_CHANGED = "RUN_CHANGED"
    BUILD_CHANGED = "BUILD_CHANGED"
    ALERT_CHANGED = "ALERT_CHANGED"


class SubjectType(StrEnum):
    """Which table the `subject_id` of an event or a transition points into. The row may be gone by now."""

    PACKAGE = "PACKAGE"
    VERSION = "VERSION"
    BUILD = "BUILD"
    RUN = "RUN"
    ALERT = "ALERT"


class PackageFields(Base):
    """What is said of a package from outside."""

    name: Name = Field(sa_type=NAME)
    description: Prose = Field(default="", sa_type=Text)
    status: PackageStatus = Field(default=PackageStatus.ACTIVE, sa_type=choice(PackageStatus, "status"))
    status_reason: Prose | None = Field(default=None, sa_type=Text)
    labels: Labels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)


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

    id: int = identity()
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: Title | None = Field(default=None, sa_type=Text)


class VersionFields(Base):
    """What is said of a version from outside."""

    version: VersionText = Field(sa_type=Text)
    sort_key: bytes = Field(min_length=1, sa_type=LargeBinary)
    is_prerelease: bool
    status: VersionStatus = Field(default=VersionStatus.PUBLISHED, sa_type=choice(VersionStatus, "status"))
    status_reason: Prose | None = Field(default=None, sa_type=Text)
    released_at: Moment | None = Field(default=None, sa_type=UtcDateTime)
    digest: Digest | None = Field(default=None, sa_type=Text)
    labels: Labels = Field(default_factory=dict, sa_type=LabelsType, nullable=False)


class PackageVersion(VersionFields, table=True):
    """A version of a package, in the text first published; equal versions have equal sort keys."""

    __tablename__ = "package_versions"
    __table_args__ = (
        UniqueConstraint("package_id", "sort_key"),  # versions.pages_of, by_key, candidates_of
        Index(None, "package_id", "status", "is_prerelease", "sort_key"),  # versions.latest_of
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    package_id: int = reference("packages.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: Title | None = Field(default=None, sa_type=Text)


class DependencyFields(Base):
    """What a version declares that it needs."""

    package_name: Name = Field(sa_type=NAME)
    constraint: ConstraintText = Field(default="", sa_type=Text)
    kinds: int = Field(default=Kind.RUNTIME, ge=1, le=ALL_KINDS)
    optional: bool = False
    marker: Marker | None = Field(default=None, sa_type=Text)


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

    id: int = identity()
    version_id: int = reference("package_versions.id")
    position: int = Field(ge=0)


class Transition(Base, table=True):
    """One accepted change of a status, or the first one (`origin` is None). Triggers write it; nothing changes it."""

    __tablename__ = "state_tracking"
    __table_args__ = (
        Index(None, "subject_type", "subject_id", "id"),  # history.page and history.last_of, of one subject
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    subject_type: SubjectType = Field(sa_type=choice(SubjectType, "subject_type"))
    subject_id: int = Field(sa_type=ID)
    origin: str | None = Field(default=None, sa_type=Text)
    target: str = Field(sa_type=Text)
    conclusion: BuildConclusion | None = Field(default=None, sa_type=choice(BuildConclusion, "conclusion"))
    attempt: int | None = None
    reason: str | None = Field(default=None, sa_type=Text)
    actor: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)


class Event(Base, table=True):
    """One change, written in the transaction that made it. It outlives what it tells of.

    `seq` is the cursor that readers keep: without a gap, and in the order of the commits. PostgreSQL's events have
    none until the sequencer stamps them.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("seq"),  # events.after, events.newest, events.oldest
        Index(None, "package", "seq"),  # events.after, for some packages
        Index(None, "run_id", "seq"),  # events.after, for a run
        # the follower's stamping, events.packages_ahead
        Index("ix_events_unstamped", "id", **where("seq IS NULL")),
        {"sqlite_autoincrement": True},
    )

    id: int = identity()
    seq: int | None = Field(default=None, sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcDateTime)
    kind: EventKind = Field(sa_type=choice(EventKind, "kind"))
    subject_type: SubjectType = Field(sa_type=choice(SubjectType, "subject_type"))
    subject_id: int = Field(sa_type=ID)
    package: str | None = Field(default=None, sa_type=NAME)
    version: str | None = Field(default=None, sa_type=Text)
    run_id: int | None = Field(default=None, sa_type=ID)
    transition_id: int | None = Field(default=None, sa_type=ID)


PACKAGES: Final = Base.metadata.tables["packages"]
VERSIONS: Final = Base.metadata.tables["package_versions"]
DEPENDENCIES: Final = Base.metadata.tables["dependencies"]
TRANSITIONS: Final = Base.metadata.tables["state_tracking"]
EVENTS: Final = Base.metadata.tables["events"]
