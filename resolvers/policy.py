"""What the scheduler is told by settings."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Policy:
    """How long to wait before another try, and how much of a log to keep."""

    first_backoff: timedelta = timedelta(seconds=5)
    """Before the second attempt at what met an INFRA_ERROR; each further one waits twice as long, give or take."""
    longest_backoff: timedelta = timedelta(minutes=5)
    log_limit: int = 16 * 1024 * 1024
    """Characters of output that are kept of one attempt."""

    def backoff(self, attempt: int, *, jitter: float) -> timedelta:
        """Return how long to wait after the `attempt`th try. `jitter`, from 0 to 1, spreads it over a half to the whole.

        Without it, all that a broken server failed at once would come back at once.
        """
        # Past 30 doublings it is the longest in any case.
        doublings = min(attempt - 1, 30)
        whole: timedelta = min(self.first_backoff * (1 << doublings), self.longest_backoff)
        return whole * (0.5 + jitter / 2)


DEFAULT_POLICY = Policy()
