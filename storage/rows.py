"""What comes out of the tables: plain immutable rows, cheap to make by the thousand."""

from datetime import datetime

import msgspec

from storage.tables import EventKind, SubjectType
from storage.transitions import BuildConclusion, PackageStatus, VersionStatus


class PackageRow(msgspec.Struct, frozen=True, gc=False):
    """A package as it is stored."""

    id: int
    name: str
    description: str
    status: PackageStatus
    status_reason: str | None
    labels: dict[str, str]
    created_at: datetime
    updated_at: datetime


class VersionRow(msgspec.Struct, frozen=True, gc=False):
    """A version as it is stored."""

    id: int
    package_id: int
    version: str
    sort_key: bytes
    is_prerelease: bool
    status: VersionStatus
    status_reason: str | None
    released_at: datetime | None
    digest: str | None
    labels: dict[str, str]
    created_at: datetime
    updated_at: datetime


class DependencyRow(msgspec.Struct, frozen=True, gc=False):
    """A dependency as it is stored; `kinds` are the bits of `tables.Kind`."""

    id: int
    version_id: int
    position: int
    package_name: str
    constraint: str
    kinds: int
    optional: bool
    marker: str | None


class CandidateRow(msgspec.Struct, frozen=True, gc=False):
    """What the solver needs to know of a version."""

    id: int
    version: str
    sort_key: bytes
    is_prerelease: bool
    status: VersionStatus
    released_at: datetime | None


class PackageCandidates(msgspec.Struct, frozen=True):
    """All versions of a registered package, ascending; it may have none."""

    id: int
    name: str
    status: PackageStatus
    versions: list[CandidateRow]


class EventRow(msgspec.Struct, frozen=True, gc=False):
    """One event. `seq` is the cursor after which a reader goes on."""

    seq: int
    at: datetime
    kind: EventKind
    subject_type: SubjectType
    subject_id: int
    package: str | None
    version: str | None
    run_id: int | None = None
    transition_id: int | None = None


class TransitionRow(msgspec.Struct, frozen=True, gc=False):
    """One accepted change of a status, or with `origin` None the first one."""

    id: int
    subject_type: SubjectType
    subject_id: int
    origin: str | None
    target: str
    conclusion: BuildConclusion | None
    attempt: int | None
    reason: str | None
    actor: str | None
    at: datetime
