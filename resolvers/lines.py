"""The lines of a catalogue file: JSON to drafts, and rows to JSON."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from pydantic.alias_generators import to_camel

from resolvers.drafts import DependencyRequest, Draft, PublishRequest, UpdateRequest, draft_of, registered
from resolvers.errors import BadInput
from storage.rows import DependencyRow, PackageRow, VersionRow
from storage.tables import Kind
from storage.transitions import PackageStatus, VersionStatus

MAX_LINE_BYTES: Final = 16 * 1024 * 1024

_Value = TypeVar("_Value")
_Status = TypeVar("_Status", PackageStatus, VersionStatus)
_KindName = Literal["RUNTIME", "BUILD", "TEST", "DEV", "PEER"]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Need(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    package: str
    constraint: str | UnsetType = UNSET
    kinds: list[_KindName] | UnsetType = UNSET
    optional: bool | UnsetType = UNSET
    marker: str | UnsetType | None = UNSET


class _Line(msgspec.Struct, gc=False, forbid_unknown_fields=True, rename="camel"):
    """Both kinds of line. A key that is left out says nothing, and its default is not written."""

    name: str
    version: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    status_reason: str | UnsetType | None = UNSET
    yanked: bool | UnsetType = UNSET
    released_at: _Moment | UnsetType | None = UNSET
    digest: str | UnsetType | None = UNSET
    labels: dict[str, str] | UnsetType = UNSET
    dependencies: list[_Need] | UnsetType = UNSET


# Plain numbers: IntFlag's own arithmetic takes a microsecond.
_BITS: Final[Mapping[_KindName, int]] = {"RUNTIME": 1, "BUILD": 2, "TEST": 4, "DEV": 8, "PEER": 16}
_OF_VERSIONS_ONLY: Final = ("yanked", "released_at", "digest", "dependencies")
_decoder: Final = msgspec.json.Decoder(_Line)
_encoder: Final = msgspec.json.Encoder()


def parse(line: bytes) -> Draft | UpdateRequest:
    """Return what a line says: a version, or what is known of a package. Raises Refusal, with a path inside the line."""
    if len(line) > MAX_LINE_BYTES:
        raise BadInput(f"the line is longer than {MAX_LINE_BYTES >> 20} MiB", path=())
    said = _decoded(line)
    if said.version is UNSET:
        return _package(said)
    return draft_of(_request(said, said.version), names_status=_names_status(said))


def of_package(row: PackageRow) -> bytes:
    """Return the line of a package."""
    return _encoder.encode(
        _Line(
            name=row.name,
            description=row.description or UNSET,
            status=UNSET if row.status is PackageStatus.ACTIVE else row.status.value,
            status_reason=_unless_none(row.status_reason),
            labels=row.labels or UNSET,
        )
    )


def of_version(package: str, row: VersionRow, needs: Iterable[DependencyRow]) -> bytes:
    """Return the line of a version."""
    return _encoder.encode(
        _Line(
            name=package,
            version=row.version,
            status=UNSET if row.status is VersionStatus.PUBLISHED else row.status.value,
            status_reason=_unless_none(row.status_reason),
            released_at=UNSET if row.released_at is None else row.released_at,
            digest=_unless_none(row.digest),
            labels=row.labels or UNSET,
            dependencies=[_need(need) for need in needs] or UNSET,
        )
    )


def says_something(row: PackageRow) -> bool:
    """Whether the package is more than a name, so that its versions' lines do not tell all of it."""
    return bool(row.description or row.labels or row.status_reason) or row.status is not PackageStatus.ACTIVE


def _decoded(line: bytes) -> _Line:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise BadInput(str(error), path=()) from error
    except UnicodeDecodeError as error:
        # The position that the codec knows is within one string of the line.
        raise BadInput(f"the line is not UTF-8: {error.reason}", path=()) from error


def _package(said: _Line) -> UpdateRequest:
    for key in _OF_VERSIONS_ONLY:
        if getattr(said, key) is not UNSET:
            raise BadInput(f"`{to_camel(key)}` belongs to a version, and this line has no `version`", path=())
    update = UpdateRequest(
        name=said.name,
        description=_given(said.description),
        status=None if said.status is UNSET else _status(PackageStatus, said.status, "package"),
        status_reason=_given(said.status_reason),
        labels=_given(said.labels),
    )
    registered(said.name, update)
    return update


def _request(said: _Line, version: str) -> PublishRequest:
    if said.description is not UNSET:
        raise BadInput("`description` belongs to a package, and this line has a `version`", path=())
    return PublishRequest(
        package=said.name,
        version=version,
        dependencies=() if said.dependencies is UNSET else tuple(map(_dependency, said.dependencies)),
        released_at=_given(said.released_at),
        digest=_given(said.digest),
        labels=_given(said.labels) or {},
        status=_version_status(said),
        status_reason=_given(said.status_reason),
    )


def _version_status(said: _Line) -> VersionStatus:
    if said.yanked is not True:
        return (
            VersionStatus.PUBLISHED
            if said.status is UNSET
            else _status(VersionStatus, said.status, "version")
        )
    if said.status not in {UNSET, "YANKED"}:
        raise BadInput(f"the line says both `yanked` and the status {said.status}", path=())
    return VersionStatus.YANKED


def _names_status(said: _Line) -> bool:
    return said.status is not UNSET or said.status_reason is not UNSET or said.yanked is True


def _status(choices: type[_Status], name: str, subject: str) -> _Status:
    try:
        return choices(name)
    except ValueError:
        problem = f"a {subject} cannot be {name}, only {', '.join(choices)}"
        raise BadInput(problem, path=("status",)) from None


def _dependency(need: _Need) -> DependencyRequest:
    return DependencyRequest(
        need.package,
        "" if need.constraint is UNSET else need.constraint,
        Kind.RUNTIME if need.kinds is UNSET else _mask(need.kinds),
        need.optional is True,
        _given(need.marker),
    )


def _need(need: DependencyRow) -> _Need:
    kinds: list[_KindName] = [name for name, bit in _BITS.items() if need.kinds & bit]
    return _Need(
        package=need.package_name,
        constraint=need.constraint or UNSET,
        kinds=UNSET if kinds == ["RUNTIME"] else kinds,
        optional=need.optional or UNSET,
        marker=_unless_none(need.marker),
    )


def _mask(kinds: Iterable[_KindName]) -> int:
    mask = 0
    for kind in kinds:
        mask |= _BITS[kind]
    return mask


def _given(value: _Value | UnsetType | None) -> _Value | None:
    return None if value is UNSET else value


def _unless_none(value: _Value | None) -> _Value | UnsetType:
    return UNSET if value is None else value
