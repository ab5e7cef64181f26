"""How long a solver may work on one question, and what happens when that is over."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

BUDGET = float(os.environ.get("BENCHMARK_SECONDS", "20"))

# What is left of a limit when the alarm goes off a little early is not waited for more finely than this.
_SHORTEST_WAIT = 0.01


class OutOfTime(Exception):
    """A solver was stopped, or gave up by itself: this says nothing about the question."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block once this process has worked for so long in it.

    What does not return to the interpreter is not stopped: such solvers need a limit of their own. The alarm is by
    the clock and set again while a busy machine has made the work lag behind; an alarm by processor time would have
    Linux count that to 4 ms only, and nothing could be measured.
    """
    end = time.process_time() + seconds

    def stop_or_wait(signal_number: int, frame: FrameType | None) -> None:
        left = end - time.process_time()
        if left <= 0:
            raise OutOfTime
        signal.setitimer(signal.ITIMER_REAL, max(left, _SHORTEST_WAIT))

    before = signal.signal(signal.SIGALRM, stop_or_wait)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
