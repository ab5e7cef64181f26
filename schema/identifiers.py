"""Opaque global ids: a type and the number of its row."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Final

import strawberry

from schema.errors import InvalidId

# Rows are numbered by the database in 64 bits; a larger number could not even be asked for.
LARGEST_ROW: Final = 2**63 - 1

_FORM: Final = re.compile(r"([A-Za-z]{1,40}):(0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class GlobalId:
    """What an opaque id stands for."""

    type_name: str
    row: int


def global_id(type_name: str, row: int) -> strawberry.ID:
    """Return the opaque id of a row."""
    return strawberry.ID(urlsafe_b64encode(f"{type_name}:{row}".encode()).decode().rstrip("="))


def read_id(text: str) -> GlobalId:
    """Return what `text` stands for, or raise InvalidId; whether such a row exists is not looked up."""
    try:
        plain = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (Base64Error, ValueError) as error:
        raise InvalidId(text) from error
    match = _FORM.fullmatch(plain)
    # Base64 is lenient about padding bits and foreign characters: only our own spelling is an id.
    if match is None or int(match[2]) > LARGEST_ROW or global_id(match[1], int(match[2])) != text:
        raise InvalidId(text)
    return GlobalId(match[1], int(match[2]))
