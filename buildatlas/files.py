"""Reading catalogue files: plain, gzip or zstandard, or standard input; the first bytes tell which.

How it works: the file is fed to its decompressor in small pieces and the lines
are cut from what comes out, so that neither a line without an end nor a file
that unpacks to a million times its size is ever held whole.
"""

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import zstandard

_READ_BYTES: Final = 1 << 18


class UnreadableFile(Exception):
    """A file cannot be read to its end."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@contextmanager
def open_lines(
    path: str, *, max_line: int, progress: Callable[[int], None] = lambda _bytes: None
) -> Iterator[Iterator[bytes]]:
    """Give the lines of the file at `path` (`-`: standard input), without their ends.

    A line longer than `max_line` bytes is cut to `max_line` + 1, and the rest of it skipped. `progress` is told how
    many bytes of the file itself have been read. Raises UnreadableFile, also from the iterator.
    """
    if path == "-":
        yield _lines(_plain(sys.stdin.buffer, "standard input", progress), max_line)
        return
    with _opened(path) as file:
        yield _lines(_plain(file, path, progress), max_line)


def size_of(path: str) -> int | None:
    """Return the size in bytes of the file at `path`, or None where only reading it will tell."""
    file = Path(path)
    return file.stat().st_size if path != "-" and file.is_file() else None


def _opened(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise UnreadableFile(path, f"cannot be opened: {error.strerror}") from error


class _Decompressor(Protocol):
    """What zlib and zstandard have in common: an object for one stream of possibly several."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _Format:
    """A way of packing, told by its first bytes."""

    def __init__(
        self, name: str, suffix: str, magic: bytes, piece: int, decompressor: Callable[[], _Decompressor]
    ) -> None:
        self.name = name
        self.suffix = suffix
        self.magic = magic
        # What one piece can unpack to has to fit into memory: 16 MB, by the highest ratio that each format reaches.
        self.piece = piece
        self.decompressor = decompressor


_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_FORMATS: Final = (
    _Format("gzip", ".gz", b"\x1f\x8b", 16 * 1024, lambda: zlib.decompressobj(_GZIP_WINDOW)),
    _Format(
        "zstandard", ".zst", b"\x28\xb5\x2f\xfd", 512, lambda: zstandard.ZstdDecompressor().decompressobj()
    ),
)


def _plain(file: BinaryIO, path: str, progress: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the content of `file`, unpacked, in chunks."""
    chunks = _chunks(file, path, progress)
    first = next(chunks, b"")
    for packing in _FORMATS:
        if first.startswith(packing.magic):
            yield from _unpacked(first, chunks, packing, path)
            return
        if path.endswith(packing.suffix):
            raise UnreadableFile(path, f"is not a {packing.name} file")
    yield first
    yield from chunks


def _chunks(file: BinaryIO, path: str, progress: Callable[[int], None]) -> Iterator[bytes]:
    read = 0
    try:
        while chunk := file.read(_READ_BYTES):
            read += len(chunk)
            progress(read)
            yield chunk
    except OSError as error:
        raise UnreadableFile(path, f"cannot be read: {error.strerror}") from error


def _unpacked(first: bytes, chunks: Iterator[bytes], packing: _Format, path: str) -> Iterator[bytes]:
    stream = packing.decompressor()
    try:
        for piece in _pieces(first, chunks, packing.piece):
            data = piece
            while data:
                if stream.eof:
                    stream = packing.decompressor()
                yield stream.decompress(data)
                # Several streams after one another are one file, and zeros may fill up the last block.
                data = stream.unused_data.lstrip(b"\0") if stream.eof else b""
    except (zlib.error, zstandard.ZstdError) as error:
        raise UnreadableFile(path, f"is damaged: {error}") from error
    if not stream.eof:
        raise UnreadableFile(path, f"is cut off in the middle of its {packing.name} data")


def _pieces(first: bytes, chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    chunk: bytes | None = first
    while chunk is not None:
        for start in range(0, len(chunk), size):
            yield chunk[start : start + size]
        chunk = next(chunks, None)


def _lines(chunks: Iterator[bytes], max_line: int) -> Iterator[bytes]:
    kept = max_line + 1
    begun = bytearray()
    for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for end in ended:
            if begun:
                begun += end[: kept - len(begun)]
                yield bytes(begun)
                begun.clear()
            else:
                yield end[:kept]
        begun += rest[: kept - len(begun)]
    if begun:
        yield bytes(begun)
