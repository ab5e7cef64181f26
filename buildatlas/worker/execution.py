"""What a worker asks of whoever runs its commands, and what it gets to know."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

RESULT_VARIABLE: Final = "BUILDATLAS_RESULT"
"""Where a command finds the path of the file in which it may say what it produced."""

MOST_RESULT: Final = 1024 * 1024
"""Bytes of that file: a thousand artifacts take some hundred thousand."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command to run for one build."""

    command: Sequence[str]
    environment: Mapping[str, str]
    """On top of the executor's own."""
    timeout_seconds: float
    kill_after_seconds: float
    """How long a command that is told to end may take for that."""


class Ending(Enum):
    """How it came to an end."""

    EXITED = auto()
    """By itself."""
    DIED = auto()
    """By a signal that nobody here sent."""
    TIMED_OUT = auto()
    STOPPED = auto()
    """It was told to."""
    NOT_STARTED = auto()
    LOST = auto()
    """The machine that ran it is gone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an order."""

    ending: Ending
    exit_code: int | None = None
    detail: str = ""
    """What is to be said beyond that, for who reads the build's message."""
    result: bytes | None = None
    """What the command wrote into its result file; None when it wrote none."""


class Executor(Protocol):
    """Whoever runs commands. Called by several threads at once."""

    def run(self, order: Order, *, on_output: Callable[[bytes], None], stop: threading.Event) -> Outcome:
        """Run a command to its end, or until `stop` is set. Gives all that it prints to `on_output`, in order."""
        ...
