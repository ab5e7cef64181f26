"""Lock files: what is in them, what is refused, and that they are replaced whole."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from buildatlas import locks
from buildatlas.errors import UnwritableFile, WrongUse
from buildatlas.locks import Lock, UnusableLock
from buildatlas.questions import Options

LOCK = Lock(
    question=Options(constraints=("lib<2",)).question(["app"]),
    fingerprint="f",
    pins={"app": "1.0", "lib": "1.1"},
)


def written(folder: Path, **changes: Any) -> Path:
    """Write LOCK with some of its keys changed; None takes one out."""
    file = folder / "app.lock"
    locks.write(file, LOCK)
    content = {**json.loads(file.read_text()), **changes}
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    return file


def test_a_lock_is_read_as_it_was_written(tmp_path: Path) -> None:
    locks.write(tmp_path / "app.lock", LOCK)

    assert locks.read(tmp_path / "app.lock") == LOCK
    assert [file.name for file in tmp_path.iterdir()] == ["app.lock"]


def test_a_lock_has_a_line_for_each_pin(tmp_path: Path) -> None:
    locks.write(tmp_path / "app.lock", LOCK)

    lines = (tmp_path / "app.lock").read_text().splitlines()
    assert '  "buildatlasLock": 1,' in lines
    assert '    "app": "1.0",' in lines
    assert '    "lib": "1.1"' in lines


@pytest.mark.parametrize("content", [b"", b"pins", b"{}", b'{"lockfileVersion": 3}', b"[" * 100_000, b"\xff"])
def test_a_file_of_something_else_is_no_lock(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)

    with pytest.raises(UnusableLock, match="other is not a lock of Buildatlas"):
        locks.read(file)


def test_a_lock_of_another_format_says_which(tmp_path: Path) -> None:
    with pytest.raises(UnusableLock, match="is a lock of format 2, and this Buildatlas reads format 1"):
        locks.read(written(tmp_path, buildatlasLock=2, pins=[]))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"fingerprint": None}, "missing required field `fingerprint`"),
        ({"colour": "red"}, "unknown field `colour`"),
        ({"pins": {"lib": 1}}, "Expected `str`"),
        ({"pins": {"lib": "one"}}, "'one' is not a version"),
        ({"pins": {"a b": "1"}}, "'a b' is not a package name"),
        ({"question": {"requirements": ["app >=x"]}}, "'>=x' is not a constraint"),
        ({"question": {"requirements": [], "strategy": "BEST"}}, "Invalid enum value"),
        ({"question": {"requirements": [], "asOf": "2024-01-01T00:00:00"}}, "timezone"),
    ],
)
def test_a_lock_that_was_spoilt_says_where(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnusableLock, match="is a damaged lock") as caught:
        locks.read(written(tmp_path, **changes))

    assert problem in str(caught.value)


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnusableLock, match="cannot be read: No such file"):
        locks.read(tmp_path / "missing")
    with pytest.raises(UnusableLock, match="cannot be read: Is a directory"):
        locks.read(tmp_path)


def test_a_lock_that_cannot_be_replaced_stays_and_leaves_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "app.lock"
    file.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(UnwritableFile, match="No space left on device"):
        locks.write(file, LOCK)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnwritableFile):
        locks.write(tmp_path / "no" / "app.lock", LOCK)


def test_a_link_to_a_lock_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "app.lock")

    locks.write(tmp_path / "link", LOCK)

    assert (tmp_path / "link").is_symlink()
    assert locks.read(tmp_path / "app.lock") == LOCK


def test_pins_to_upgrade_are_not_kept() -> None:
    assert locks.pins_to_keep(Path("a"), LOCK, upgrade=[]) == LOCK.pins
    assert locks.pins_to_keep(Path("a"), LOCK, upgrade=["lib"]) == {"app": "1.0"}
    with pytest.raises(WrongUse, match="lbi is not pinned in a"):
        locks.pins_to_keep(Path("a"), LOCK, upgrade=["lbi"])


def test_two_sets_of_pins_are_compared_in_the_form_of_the_api() -> None:
    assert locks.compared({"a": "1", "b": "2", "c": "1"}, {"b": "1", "c": "1.0", "d": "1"}) == {
        "added": [{"package": "d", "version": "1"}],
        "removed": [{"package": "a", "version": "1"}],
        "changed": [{"package": "b", "from": "2", "to": "1", "direction": "DOWNGRADE"}],
    }


def test_a_stale_lock_has_a_reason() -> None:
    asked = Options().question(["app"])
    other_needs = Lock(question=LOCK.question, fingerprint="g", pins=LOCK.pins)
    other_pins = Lock(question=LOCK.question, fingerprint="g", pins={"app": "1.0"})
    asked_otherwise = Lock(question=asked, fingerprint="g", pins=LOCK.pins)

    assert locks.reasons(LOCK, LOCK) == []
    assert locks.reasons(LOCK, other_pins) == []
    assert locks.reasons(LOCK, other_needs) == ["the pins are the same, but not what they need of each other"]
    assert locks.reasons(LOCK, asked_otherwise) == ["asked otherwise: constraints: - lib <2"]
