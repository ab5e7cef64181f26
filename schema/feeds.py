"""What a running subscription and whoever delivers its items tell each other, beside the items."""

from collections.abc import Callable
from dataclasses import dataclass


def _go_on(_position: int) -> bool:
    return True


@dataclass(slots=True)
class Feed:
    """One execution of a subscription; of a query or a mutation nothing is told."""

    after: str | None = None
    """Where to begin, in place of the `after` that the operation gives."""
    cursor: int | None = None
    """Position of the item that was yielded last. None: it is no place to resume from."""
    at_end: Callable[[int], bool] = _go_on
    """Told when everything up to a position has been yielded, and whether to wait for more is its answer."""
