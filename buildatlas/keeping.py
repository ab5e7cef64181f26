"""Keeping to a lock: which pins it asks for, whether it is stale, and putting a new one in its place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

from buildatlas import locks
from buildatlas.errors import WrongUse
from buildatlas.explaining import changed_lines
from buildatlas.locks import Lock
from buildatlas.questions import Question
from buildatlas.rendering import Data
from buildatlas.wording import counted


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a lock."""

    lines: Sequence[Text] = ()
    is_stale: bool = False
    """It differs from the answer and was left so."""

    def show(self, console: Console) -> None:
        """Print it, each line in one piece."""
        for line in self.lines:
            console.print(line, soft_wrap=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Keeping:
    """A lock that an answer keeps to. Without a path there is none."""

    path: Path | None = None
    lock: Lock | None = None
    """What the file holds; None when it is not there yet."""
    pins: Mapping[str, str] = field(default_factory=dict)
    """To keep, by package."""
    is_checked: bool = False
    """A stale lock is left as it is."""
    is_read_only: bool = False
    is_upgraded: bool = False

    def settle(self, asked: Question, answer: Data) -> Settled:
        """Write the lock of a resolution where it is not what the file holds already. Raises UnwritableFile."""
        if self.path is None or self.is_read_only:
            return Settled()
        new = locks.lock_of(asked, answer)
        pins = counted(len(new.pins), "pin")
        if new == self.lock:
            return Settled([Text(f"{self.path}: up to date, {pins}", "dim")])
        if self.lock is None:
            locks.write(self.path, new)
            return Settled([Text(f"{self.path}: written, {pins}")])
        changes = _changes(self.lock, new)
        if self.is_checked:
            said = f"{self.path}: stale, and left as it is because of --locked"
            return Settled([Text(said, "bold yellow"), *changes], is_stale=True)
        locks.write(self.path, new)
        said = f"{self.path}: {'' if self.is_upgraded else 'was stale, '}rewritten, {pins}"
        return Settled([Text(said), *changes])

    def left(self) -> Settled:
        """Say that there is no answer to keep."""
        if self.path is None or self.lock is None:
            return Settled()
        return Settled([Text(f"{self.path}: left as it is", "dim")])


def keeping(path: Path | None, *, upgrade: Collection[str], is_checked: bool, is_read_only: bool) -> Keeping:
    """Read the lock at `path`, if there is one. Raises WrongUse where the options do not go together."""
    if path is None:
        if upgrade or is_checked:
            raise WrongUse(f"{'--upgrade' if upgrade else '--locked'} is about a lock: name it by --lock")
        return Keeping()
    if is_checked and (upgrade or is_read_only):
        other = (
            "--upgrade asks for another" if upgrade else "a simulation has nothing to do with what is in it"
        )
        raise WrongUse(f"--locked is for a lock that stays as it is, and {other}")
    if not path.exists():
        if upgrade or is_checked or is_read_only:
            raise WrongUse(f"{path} is not there: --lock without other options about it writes it")
        return Keeping(path)
    lock = locks.read(path)
    pins = locks.pins_to_keep(path, lock, upgrade=upgrade)
    return Keeping(path, lock, pins, is_checked, is_read_only, bool(upgrade))


def _changes(old: Lock, new: Lock) -> list[Text]:
    said = [Text(f"  {reason}") for reason in locks.reasons(old, new)]
    return [*said, *changed_lines(locks.compared(old.pins, new.pins))]
