"""Handing in what a command prints, line by line and in batches, while it runs.

How it works: whoever reads the command's output writes it here; a thread, which is started by the first line, hands in what
has come together. When that does not keep up, as while the server is away, writing waits, and so does the command in the end:
no more is kept in memory than a batch or two.
"""

import codecs
import threading
from collections.abc import Callable, Sequence
from typing import Final

# What is handed in at a time: often enough to watch, seldom enough to cost little.
_EVERY_SECONDS: Final = 0.5
_MOST_LINES: Final = 1_000
_MOST_CHARACTERS: Final = 65_536

# What may wait to be handed in.
_MOST_WAITING: Final = 4 * _MOST_CHARACTERS

LONGEST_LINE: Final = 10_000
"""Longer ones are cut into several."""

Deliver = Callable[[int, Sequence[str]], bool]
"""Hands in lines, of which the first has this number in the attempt; False when nobody wants any more."""


class Output:
    """What one attempt prints."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""
        """The line that has not ended yet."""
        self._waiting: list[str] = []
        self._size = 0
        self._delivered = 0
        self._changed = threading.Condition()
        self._is_closed = False
        self._is_unwanted = False
        self._thread: threading.Thread | None = None
        self.last_line = ""
        """The last line that says something."""

    def write(self, chunk: bytes) -> None:
        """Take in some output. Waits while too much of it has not been handed in."""
        *lines, self._begun = (self._begun + self._decoder.decode(chunk)).split("\n")
        while len(self._begun) > LONGEST_LINE:
            lines.append(self._begun[:LONGEST_LINE])
            self._begun = self._begun[LONGEST_LINE:]
        self._add(lines)

    def close(self, *, patience: float) -> None:
        """Hand in what is left, for `patience` seconds at most."""
        rest = self._begun + self._decoder.decode(b"", final=True)
        if rest:
            self._add([rest], is_last=True)
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(patience)
        self.drop()

    def drop(self) -> None:
        """Hand in no more: what waits, and all that is still written."""
        with self._changed:
            self._is_unwanted = True
            self._changed.notify_all()

    @property
    def is_wanted(self) -> bool:
        """Whether anything is still to be handed in."""
        return not self._is_unwanted

    def _add(self, lines: Sequence[str], *, is_last: bool = False) -> None:
        if not lines:
            return
        pieces = [piece for line in lines for piece in _pieces(line.removesuffix("\r"))]
        with self._changed:
            self._changed.wait_for(lambda: self._size < _MOST_WAITING or self._is_unwanted or is_last)
            if self._is_unwanted:
                return
            self._waiting += pieces
            self._size += sum(map(len, pieces)) + len(pieces)
            self.last_line = next((each for each in reversed(pieces) if each.strip()), self.last_line)
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._hand_in, name="output", daemon=True)
            self._thread.start()

    def _hand_in(self) -> None:
        try:
            while (batch := self._batch()) and self._deliver(self._delivered, batch):
                with self._changed:
                    del self._waiting[: len(batch)]
                    self._size -= sum(map(len, batch)) + len(batch)
                    self._delivered += len(batch)
                    self._changed.notify_all()
        finally:
            # Whatever has happened: who writes would wait for ever.
            self.drop()

    def _batch(self) -> list[str]:
        """Wait until there is something worth handing in, and return it; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed or self._is_unwanted)
            self._changed.wait_for(self._is_due, _EVERY_SECONDS)
            return [] if self._is_unwanted else _first(self._waiting)

    def _is_due(self) -> bool:
        is_enough = self._size >= _MOST_CHARACTERS or len(self._waiting) >= _MOST_LINES
        return is_enough or self._is_closed or self._is_unwanted


def _first(lines: Sequence[str]) -> list[str]:
    """Return as many lines as one call may carry, and one at least."""
    size = 0
    batch: list[str] = []
    for line in lines[:_MOST_LINES]:
        size += len(line)
        if batch and size > _MOST_CHARACTERS:
            break
        batch.append(line)
    return batch


def _pieces(line: str) -> list[str]:
    return [line[start : start + LONGEST_LINE] for start in range(0, len(line), LONGEST_LINE)] or [""]
