"""Catalogue files in every packing, whole and broken."""

import gzip
import io
import sys
import tracemalloc
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from buildatlas.files import UnreadableFile, _lines, open_lines, size_of

_LINES = [b'{"name":"a"}', b"", b'{"name":"b"}']
_TEXT = b"\n".join(_LINES) + b"\n"


def _read(path: Path | str, max_line: int = 1000) -> list[bytes]:
    with open_lines(str(path), max_line=max_line) as lines:
        return list(lines)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.jsonl", _TEXT),
        ("packed.jsonl.gz", gzip.compress(_TEXT, mtime=0)),
        ("packed.jsonl.zst", zstandard.compress(_TEXT)),
        ("packed.jsonl", gzip.compress(_TEXT, mtime=0)),
        ("packed", zstandard.compress(_TEXT)),
        ("two.gz", gzip.compress(_TEXT[:10], mtime=0) + gzip.compress(_TEXT[10:], mtime=0)),
        ("two.zst", zstandard.compress(_TEXT[:10]) + zstandard.compress(_TEXT[10:])),
        ("padded.gz", gzip.compress(_TEXT, mtime=0) + bytes(100)),
    ],
)
def test_a_file_is_read_whatever_it_is_packed_with(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    assert _read(path) == _LINES


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()

    assert _read(path) == []


def test_the_last_line_needs_no_end(tmp_path: Path) -> None:
    path = tmp_path / "plain.jsonl"
    path.write_bytes(_TEXT.rstrip())

    assert _read(path) == _LINES


def test_standard_input_is_read_and_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(gzip.compress(_TEXT, mtime=0)))
    monkeypatch.setattr(sys, "stdin", stdin)

    assert _read("-") == _LINES
    assert not stdin.closed
    assert size_of("-") is None


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_file_that_is_cut_off_in_the_middle_is_told(tmp_path: Path, pack: object, kept: float) -> None:
    assert callable(pack)
    packed = pack(b"".join(b'{"name":"p%d"}\n' % number for number in range(20_000)))
    path = tmp_path / "cut.jsonl"
    path.write_bytes(packed[: int(len(packed) * kept)])

    with pytest.raises(UnreadableFile, match="is cut off in the middle of its"):
        _read(path)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.jsonl.gz", _TEXT, "is not a gzip file"),
        ("a.jsonl.zst", _TEXT, "is not a zstandard file"),
        ("empty.gz", b"", "is not a gzip file"),
        ("flipped.gz", gzip.compress(_TEXT, mtime=0)[:-8] + bytes(8), "is damaged"),
        ("followed.gz", gzip.compress(_TEXT, mtime=0) + b"and more", "is damaged"),
        ("damaged.zst", zstandard.compress(_TEXT)[:8] + b"\xff" * 30, "is damaged"),
    ],
)
def test_a_broken_file_is_named_with_its_problem(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(UnreadableFile, match=problem) as refused:
        _read(path)

    assert refused.value.path == str(path)
    assert str(refused.value).startswith(f"{path}: ")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be opened: No such file or directory"):
        _read(tmp_path / "missing.jsonl")
    assert size_of(str(tmp_path / "missing.jsonl")) is None


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="Is a directory"):
        _read(tmp_path)


def test_a_device_that_fails_in_the_middle_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Failing()))

    with pytest.raises(UnreadableFile, match="standard input: cannot be read: Input/output error"):
        _read("-")


def test_a_line_of_100_mb_is_cut_and_never_held_whole(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl.zst"
    path.write_bytes(zstandard.compress(b"x" * 100_000_000 + b"\nnext\n"))
    assert path.stat().st_size < 20_000

    tracemalloc.start()
    lines = _read(path, max_line=1_000_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [len(line) for line in lines] == [1_000_001, 4]
    assert most < 60_000_000


def test_progress_tells_how_much_of_the_file_itself_has_been_read(tmp_path: Path) -> None:
    path = tmp_path / "packed.gz"
    path.write_bytes(gzip.compress(_TEXT, mtime=0))
    told: list[int] = []

    with open_lines(str(path), max_line=100, progress=told.append) as lines:
        list(lines)

    assert told == [path.stat().st_size]
    assert size_of(str(path)) == path.stat().st_size


@given(st.lists(st.binary(max_size=12)), st.integers(0, 5))
def test_lines_are_those_that_a_plain_split_gives(chunks: list[bytes], max_line: int) -> None:
    *ended, rest = b"".join(chunks).split(b"\n")
    expected = [*ended, rest] if rest else ended

    assert list(_lines(iter(chunks), max_line)) == [line[: max_line + 1] for line in expected]
