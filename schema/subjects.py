"""What events and transitions are about: which type of object, and its global id."""

from collections.abc import Mapping
from typing import Final

import strawberry

from schema.errors import WrongType
from schema.identifiers import global_id, read_id
from storage.tables import SubjectType

_TYPES: Final[Mapping[SubjectType, str]] = {
    SubjectType.PACKAGE: "Package",
    SubjectType.VERSION: "PackageVersion",
    SubjectType.BUILD: "Build",
    SubjectType.RUN: "BuildRun",
    SubjectType.ALERT: "Alert",
}
_SUBJECTS: Final = {name: subject for subject, name in _TYPES.items()}


def subject_id(subject_type: SubjectType, row: int) -> strawberry.ID:
    """Return the id of the object in this row; it may be gone by now."""
    return global_id(_TYPES[subject_type], row)


def read_subject(argument: str, id: strawberry.ID) -> tuple[SubjectType, int]:
    """Return which row of which table an object's history is kept under. Raises InvalidId, and WrongType when it has none."""
    found = read_id(id)
    if found.type_name not in _SUBJECTS:
        raise WrongType(argument, found.type_name, tuple(_SUBJECTS))
    return _SUBJECTS[found.type_name], found.row


def read_row(argument: str, id: strawberry.ID, expected: SubjectType) -> int:
    """Return the row of an object of the `expected` type. Raises InvalidId, and WrongType when it is of another."""
    found = read_id(id)
    if found.type_name != _TYPES[expected]:
        raise WrongType(argument, found.type_name, (_TYPES[expected],))
    return found.row
