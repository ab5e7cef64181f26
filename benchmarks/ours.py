"""Our solver, without the explanation: what the peers do not give must not be in the time."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from benchmarks.limits import BUDGET, OutOfTime, limited
from benchmarks.puzzle import Pins
from benchmarks.shelf import Rows, Shelf, forget_texts
from graph.catalogue import Catalogue
from graph.errors import GaveUp
from graph.resolution import Question, Resolution
from graph.solver import find

Numbers = Mapping[tuple[str, str], int]
"""The number of each version, as the peers count them, by package and text."""


def prepare_loaded(rows: Rows, question: Question, numbers: Numbers) -> Callable[[float], Pins | None]:
    """Return what solves from a catalogue in memory, as a server does that has been asked the same before."""
    shelf = Shelf(rows)
    # Out of time here, it is out of time when measured: for that to find out.
    with suppress(OutOfTime):
        answer(shelf, question, numbers, BUDGET)
    return lambda seconds: answer(shelf, question, numbers, seconds)


def prepare_cold(rows: Rows, question: Question, numbers: Numbers) -> Callable[[float], Pins | None]:
    """Return what solves from texts alone, as a process does that has only just started."""

    def solve(seconds: float) -> Pins | None:
        forget_texts()
        return answer(Shelf(rows), question, numbers, seconds)

    return solve


def answer(catalogue: Catalogue, question: Question, numbers: Numbers, seconds: float) -> Pins | None:
    """Return the pins, None when there can be none, or raise OutOfTime."""
    end = time.process_time() + seconds
    try:
        with limited(seconds):
            found = find(catalogue, question, should_stop=lambda: time.process_time() > end)
    except GaveUp as error:
        raise OutOfTime from error
    if not isinstance(found, Resolution):
        return None
    return {pin.package: numbers[pin.package, pin.version] for pin in found.pins}
