"""PEP 440 versions, and the bytes that order as they do.

How the sort key works: every slot that PEP 440 compares is written so that
comparing bytes gives the same answer, most significant slot first. A number is
its length in bytes plus one, then its bytes, so that 0x00 stays free to end a
list and a longer number sorts after a shorter one. A slot that is absent is
0x00 where absence sorts first and 0xFF where it sorts last.

    epoch · release without trailing zeros · end · pre · post · dev · local · end

A key ends in 0x00, and 0xFF in the place of a post or local slot is above
anything a version can have there: `after_locals` and `after_posts` use this for
bounds that lie between versions.
"""

import functools
import re
from enum import Enum, auto
from typing import Final

import packaging.version
from packaging.version import Version

from graph.errors import InvalidVersion

# Longer texts are refused, which also keeps each number below 256 bytes as the key needs.
MAX_VERSION_LENGTH: Final = 256

_END: Final = b"\x00"
_FIRST: Final = b"\x00"
_LAST: Final = b"\xff"
_PRE_PHASES: Final = {"a": b"\x01", "b": b"\x02", "rc": b"\x03"}
_TEXT: Final = b"\x01"
_NUMBER: Final = b"\x02"

# The longest beginning that could still become a version: where it stops is where the text goes wrong.
_BEGINNING: Final = re.compile(
    r"""\s*v?(?:\d+!)?\d+(?:\.\d+)*
        (?:[-_.]?(?:alpha|beta|preview|pre|rc|a|b|c)(?:[-_.]?\d+)?)?
        (?:-\d+|[-_.]?(?:post|rev|r)(?:[-_.]?\d+)?)?
        (?:[-_.]?dev(?:[-_.]?\d+)?)?
        (?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


# Room for every version of the largest catalogues measured, at about 300 bytes each.
@functools.lru_cache(maxsize=1 << 17)
def parse_version(text: str) -> Version:
    """Return the version that `text` spells, or raise InvalidVersion with the position of the first misfit."""
    if len(text) > MAX_VERSION_LENGTH:
        raise InvalidVersion(text, MAX_VERSION_LENGTH, f"at most {MAX_VERSION_LENGTH} characters")
    try:
        return Version(text)
    except packaging.version.InvalidVersion:
        beginning = _BEGINNING.match(text)
        position = beginning.end() if beginning else 0
        expected = "the end of the version" if position else "a number such as 1.4.0"
        raise InvalidVersion(text, position, expected) from None


def sort_key(version: Version) -> bytes:
    """Return bytes that compare as `version` does; equal versions (1.0 and 1.0.0) have equal keys."""
    return _up_to_post(version) + _post(version) + _dev(version) + _local(version)


def after_locals(version: Version) -> bytes:
    """Return the point just above `version` and each of its local versions."""
    return _up_to_post(version) + _post(version) + _dev(version) + _LAST


def after_posts(version: Version) -> bytes:
    """Return the point just above `version` and each of its post-releases."""
    return _up_to_post(version) + _LAST


def just_after(key: bytes) -> bytes:
    """Return the lowest point above `key`: no version lies between the two."""
    return key + _END


def _up_to_post(version: Version) -> bytes:
    release = version.release
    while release and release[-1] == 0:
        release = release[:-1]
    return _number(version.epoch) + b"".join(map(_number, release)) + _END + _pre(version)


def _number(value: int) -> bytes:
    length = (value.bit_length() + 7) // 8
    return bytes((length + 1,)) + value.to_bytes(length, "big")


def _pre(version: Version) -> bytes:
    if version.pre is not None:
        phase, number = version.pre
        return _PRE_PHASES[phase] + _number(number)
    # 1.0.dev1 sorts before 1.0a1, and 1.0 and 1.0.post1 after every pre-release.
    return _FIRST if version.dev is not None and version.post is None else _LAST


def _post(version: Version) -> bytes:
    return _FIRST if version.post is None else b"\x01" + _number(version.post)


def _dev(version: Version) -> bytes:
    return _LAST if version.dev is None else b"\x01" + _number(version.dev)


def _local(version: Version) -> bytes:
    if version.local is None:
        return _END
    return b"".join(map(_segment, version.local.split("."))) + _END


def _segment(text: str) -> bytes:
    """Within a local version, text sorts before any number."""
    return _NUMBER + _number(int(text)) if text.isdigit() else _TEXT + text.encode("ascii") + _END


class Side(Enum):
    """Where a point lies, seen from the version it is named after."""

    AT = auto()
    JUST_AFTER = auto()
    AFTER_LOCALS = auto()
    AFTER_POSTS = auto()


def locate(point: bytes) -> tuple[Version, Side]:
    """Return the version that `point` was made of, in normal form, and on which side of it the point lies."""
    reader = _Reader(point)
    epoch, release, pre = reader.number(), reader.release(), reader.pre()
    if reader.peek() == _LAST[0]:
        return _version(epoch, release, pre, "", ""), Side.AFTER_POSTS
    post, dev = reader.slot(".post"), reader.slot(".dev")
    if reader.peek() == _LAST[0]:
        return _version(epoch, release, pre, post, dev), Side.AFTER_LOCALS
    version = _version(epoch, release, pre, post, dev, reader.local())
    return version, Side.AT if reader.is_done() else Side.JUST_AFTER


def _version(epoch: int, release: str, pre: str, post: str, dev: str, local: str = "") -> Version:
    return Version(f"{epoch}!{release}{pre}{post}{dev}{local}")


class _Reader:
    """Takes a key apart from front to back."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._at = 0

    def peek(self) -> int:
        return self._key[self._at]

    def is_done(self) -> bool:
        return self._at == len(self._key)

    def number(self) -> int:
        start, end = self._at + 1, self._at + self.peek()
        self._at = end
        return int.from_bytes(self._key[start:end], "big")

    def release(self) -> str:
        numbers = []
        while self._byte() != _END[0]:
            self._at -= 1
            numbers.append(str(self.number()))
        return ".".join(numbers) or "0"

    def pre(self) -> str:
        phase = self._byte().to_bytes(1, "big")
        for name, byte in _PRE_PHASES.items():
            if byte == phase:
                return f"{name}{self.number()}"
        return ""

    def slot(self, name: str) -> str:
        return f"{name}{self.number()}" if self._byte() == 1 else ""

    def local(self) -> str:
        segments = []
        while (kind := self._byte()) != _END[0]:
            segments.append(self._text() if kind == _TEXT[0] else str(self.number()))
        return "+" + ".".join(segments) if segments else ""

    def _text(self) -> str:
        end = self._key.index(_END, self._at)
        text = self._key[self._at : end].decode("ascii")
        self._at = end + 1
        return text

    def _byte(self) -> int:
        byte = self._key[self._at]
        self._at += 1
        return byte
