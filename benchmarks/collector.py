"""Keeping Python's garbage collector out of what it has no part in."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_the_old() -> Iterator[None]:
    """Keep the collector to what is made in the block.

    It stays on, as in a server. But to go over a registry that was made just before takes half a second at times,
    and is nobody's work.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
