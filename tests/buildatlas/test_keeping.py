"""Keeping to a lock."""

from pathlib import Path
from typing import Any

import pytest

from buildatlas import locks
from buildatlas.errors import WrongUse
from buildatlas.keeping import Keeping, Settled, keeping
from buildatlas.questions import Options

ASKED = Options().question(["app"])


def answer(*pins: str, fingerprint: str = "f") -> dict[str, Any]:
    """A resolution with pins such as `lib 1`."""
    versions = [dict(zip(("package", "version"), pin.split(), strict=True)) for pin in pins]
    return {"fingerprint": fingerprint, "pins": versions}


def kept(path: Path | None, *upgrade: str, is_checked: bool = False, is_read_only: bool = False) -> Keeping:
    return keeping(path, upgrade=upgrade, is_checked=is_checked, is_read_only=is_read_only)


def said(settled: Settled) -> list[str]:
    return [line.plain for line in settled.lines]


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "app.lock"
    kept(path).settle(ASKED, answer("app 1", "lib 1"))
    return path


def test_the_first_answer_is_written(tmp_path: Path) -> None:
    path = tmp_path / "app.lock"

    settled = kept(path).settle(ASKED, answer("app 1"))

    assert said(settled) == [f"{path}: written, 1 pin"]
    assert locks.read(path).pins == {"app": "1"}


def test_an_equal_answer_leaves_the_file_untouched(lock: Path) -> None:
    lock.write_text(lock.read_text() + "\n")

    settled = kept(lock).settle(ASKED, answer("app 1", "lib 1"))

    assert said(settled) == [f"{lock}: up to date, 2 pins"]
    assert lock.read_text().endswith("\n\n")


def test_a_stale_lock_is_rewritten_and_what_changed_is_told(lock: Path) -> None:
    asked = Options(constraints=("lib>1",)).question(["app"])

    settled = kept(lock).settle(asked, answer("app 1", "lib 2", "new 1", fingerprint="g"))

    assert said(settled) == [
        f"{lock}: was stale, rewritten, 3 pins",
        "  asked otherwise: constraints: + lib >1",
        "  + new 1",
        "  ↑ lib 1 → 2",
    ]
    assert locks.read(lock).question == asked
    assert not settled.is_stale


def test_a_checked_lock_that_is_stale_is_left_as_it_is(lock: Path) -> None:
    before = lock.read_bytes()
    checked = kept(lock, is_checked=True)

    fresh = checked.settle(ASKED, answer("app 1", "lib 1"))
    stale = checked.settle(ASKED, answer("app 1", "lib 1", fingerprint="g"))

    assert (fresh.is_stale, stale.is_stale) == (False, True)
    assert said(stale) == [
        f"{lock}: stale, and left as it is because of --locked",
        "  the pins are the same, but not what they need of each other",
    ]
    assert lock.read_bytes() == before


def test_an_upgrade_does_not_keep_the_pin_and_makes_no_lock_stale(lock: Path) -> None:
    upgrading = kept(lock, "lib")

    assert upgrading.pins == {"app": "1"}
    assert said(upgrading.settle(ASKED, answer("app 1", "lib 2"))) == [
        f"{lock}: rewritten, 2 pins",
        "  ↑ lib 1 → 2",
    ]


def test_what_is_only_supposed_is_never_written(lock: Path) -> None:
    before = lock.read_bytes()

    supposing = kept(lock, is_read_only=True)

    assert supposing.pins == {"app": "1", "lib": "1"}
    assert said(supposing.settle(ASKED, answer("app 2"))) == []
    assert lock.read_bytes() == before


def test_without_an_answer_a_lock_is_left_as_it_is(lock: Path, tmp_path: Path) -> None:
    assert said(kept(lock).left()) == [f"{lock}: left as it is"]
    assert said(kept(tmp_path / "new.lock").left()) == []
    assert said(kept(None).left()) == said(kept(None).settle(ASKED, answer())) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"upgrade": ["lib"]}, "--upgrade is about a lock"),
        ({"is_checked": True}, "--locked is about a lock"),
    ],
)
def test_options_about_a_lock_need_one(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(WrongUse, match=problem):
        keeping(None, **{"upgrade": [], "is_checked": False, "is_read_only": False, **options})


def test_options_that_contradict_each_other_are_refused(lock: Path) -> None:
    with pytest.raises(WrongUse, match="--upgrade asks for another"):
        kept(lock, "lib", is_checked=True)
    with pytest.raises(WrongUse, match="simulation"):
        kept(lock, is_checked=True, is_read_only=True)


def test_a_lock_that_is_not_there_can_only_be_written(tmp_path: Path) -> None:
    missing = tmp_path / "missing.lock"

    assert kept(missing).pins == {}
    for upgrade, options in (
        (["lib"], {}),
        ([], {"is_checked": True}),
        ([], {"is_read_only": True}),
    ):
        with pytest.raises(WrongUse, match="is not there"):
            kept(missing, *upgrade, **options)
