"""What is to be written, checked before a transaction is opened for it."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

import msgspec
from packaging.version import Version
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from graph.constraints import parse_constraint
from graph.errors import InvalidConstraint, InvalidName, InvalidVersion
from graph.names import check_name
from graph.versions import parse_version, sort_key
from resolvers.errors import BadConstraint, BadInput, BadVersion, LimitExceeded
from storage.tables import DependencyFields, Kind, PackageFields, VersionFields
from storage.transitions import PackageStatus, VersionStatus

MAX_DEPENDENCIES: Final = 10_000
"""Of one version. The most that a real one was seen to declare is a few hundred."""

Fields = TypeVar("Fields")

# What a request calls otherwise than its table does.
_RENAMED: Final[Mapping[str, str]] = {"package_name": "package"}


class DependencyRequest(msgspec.Struct, frozen=True, gc=False):
    """A dependency to declare; `kinds` are the bits of `storage.tables.Kind`."""

    package: str
    constraint: str = ""
    kinds: int = Kind.RUNTIME
    optional: bool = False
    marker: str | None = None


class PublishRequest(msgspec.Struct, frozen=True, gc=False):
    """A version to publish; `forbid_cycles` are bits of `storage.tables.Kind`, 0 for none."""

    package: str
    version: str
    dependencies: tuple[DependencyRequest, ...] = ()
    released_at: datetime | None = None
    digest: str | None = None
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    status: VersionStatus = VersionStatus.PUBLISHED
    status_reason: str | None = None
    forbid_cycles: int = 0


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """What to change of a package. None leaves a field as it is; a new status takes `status_reason`, None or not."""

    name: str
    description: str | None = None
    status: PackageStatus | None = None
    status_reason: str | None = None
    labels: Mapping[str, str] | None = None


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A version that may be written, as far as can be told without looking at what is there."""

    package: str
    fields: VersionFields
    dependencies: tuple[DependencyFields, ...]
    forbid_cycles: int = 0
    names_status: bool = False
    """Whether a status other than the stored one's makes it other content; content proper has no status."""


def draft_of(request: PublishRequest, *, names_status: bool = False) -> Draft:
    """Check `request`. Raises BadInput, BadVersion, BadConstraint and LimitExceeded, with the path of the fault."""
    package = checked_name(request.package, "package")
    version = _parsed(request.version)
    fields = validated(
        lambda: VersionFields(
            version=request.version,
            sort_key=sort_key(version),
            is_prerelease=version.is_prerelease,
            status=request.status,
            status_reason=request.status_reason,
            released_at=request.released_at,
            digest=request.digest,
            labels=dict(request.labels),
        )
    )
    needs = checked_dependencies(request.dependencies)
    return Draft(package, fields, needs, request.forbid_cycles, names_status)


def key_of(version: str) -> bytes:
    """Return the sort key of `version`, or raise BadVersion."""
    return sort_key(_parsed(version))


def _parsed(version: str) -> Version:
    try:
        return parse_version(version)
    except InvalidVersion as error:
        raise BadVersion(error, path=("version",)) from error


def checked_name(name: str, *path: str) -> str:
    """Return `name` when it may name a package, or raise BadInput."""
    try:
        return check_name(name)
    except InvalidName as error:
        raise BadInput(str(error), path=path) from error


def checked_dependencies(requests: tuple[DependencyRequest, ...]) -> tuple[DependencyFields, ...]:
    """Check what one version declares that it needs."""
    if len(requests) > MAX_DEPENDENCIES:
        raise LimitExceeded(
            "dependencies", given=len(requests), limit=MAX_DEPENDENCIES, path=("dependencies",)
        )
    try:
        needs = tuple(map(_dependency, requests))
    except (BadInput, BadConstraint):
        # Which one it was is not worth counting while all is well.
        needs = tuple(_dependency_at(index, request) for index, request in enumerate(requests))
    _check_declared_once(needs)
    return needs


def _check_declared_once(needs: tuple[DependencyFields, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, need in enumerate(needs):
        declared = (need.package_name, need.constraint)
        if declared in seen:
            problem = f"{' '.join(declared).rstrip()} is declared already; merge the kinds of both into one"
            raise BadInput(problem, path=("dependencies", str(index)))
        seen.add(declared)


def _dependency_at(index: int, request: DependencyRequest) -> DependencyFields:
    try:
        return _dependency(request)
    except (BadInput, BadConstraint) as error:
        error.path = ("dependencies", str(index), *error.path)
        raise


# Neighbouring versions declare the same over and over: of 675,987 in the largest catalogue 32,734 are different.
@functools.lru_cache(maxsize=1 << 15)
def _dependency(request: DependencyRequest) -> DependencyFields:
    checked_name(request.package, "package")
    try:
        parse_constraint(request.constraint)
    except InvalidConstraint as error:
        raise BadConstraint(error, package=request.package, path=("constraint",)) from error
    if not request.kinds:
        raise BadInput("at least one kind is needed", path=("kinds",))
    return validated(
        lambda: DependencyFields(
            package_name=request.package,
            constraint=request.constraint,
            kinds=request.kinds,
            optional=request.optional,
            marker=request.marker,
        )
    )


def registered(name: str, update: UpdateRequest | None = None) -> PackageFields:
    """Return what is said of a new package, or raise BadInput."""
    fields = validated(lambda: PackageFields(name=checked_name(name, "name")))
    return fields if update is None else updated(fields, update)


def updated(fields: PackageFields, update: UpdateRequest) -> PackageFields:
    """Return `fields` as `update` leaves them, or raise BadInput."""
    changes = _changes(update)
    return validated(lambda: PackageFields.model_validate({**fields.model_dump(), **changes}))


def check_update(update: UpdateRequest) -> None:
    """Raise BadInput when a field that `update` sets cannot be stored, whatever package it is for."""
    validated(lambda: _check(PackageFields, _changes(update)))


def check_reason(reason: str | None) -> None:
    """Raise BadInput when a version's status cannot have this reason."""
    validated(lambda: _check(VersionFields, {"status_reason": reason}), renamed={"status_reason": "reason"})


def _check(table: type[PackageFields | VersionFields], values: Mapping[str, object]) -> None:
    """Check single fields, without a row that has the others. Raises ValidationError."""
    for name, value in values.items():
        table.__pydantic_validator__.validate_assignment(table.model_construct(), name, value)


def _changes(update: UpdateRequest) -> dict[str, object]:
    changes: dict[str, object] = {}
    if update.description is not None:
        changes["description"] = update.description
    if update.labels is not None:
        changes["labels"] = dict(update.labels)
    if update.status is not None:
        changes["status"] = update.status
    if update.status is not None or update.status_reason is not None:
        changes["status_reason"] = update.status_reason
    return changes


def validated(make: Callable[[], Fields], *, renamed: Mapping[str, str] = _RENAMED) -> Fields:
    """Return what `make` makes, or raise BadInput for the first field that cannot be stored."""
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        # Only the field: what follows in the place of a label is the label itself, however long.
        name = str(first["loc"][0])
        path = (renamed.get(name, to_camel(name)),)
        raise BadInput(first["msg"].removeprefix("Value error, "), path=path) from error
