"""Connections that stay open, and how many of them there may be."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from starlette.types import Scope

from resolvers.access import Viewer


class TooManyOpen(Exception):
    """As many connections are open as may be, of everybody's or of whoever asks for a further one."""

    def __init__(self, most: int, *, of_one: bool) -> None:
        super().__init__(most, of_one)
        self.most = most
        self.of_one = of_one

    def __str__(self) -> str:
        whose = (
            "by whoever shows this token, or comes from this address without one"
            if self.of_one
            else "of all clients"
        )
        return f"{self.most:,} connections {whose} are open already: close one, or try again later"


def client_address(scope: Scope) -> str:
    """Return where a connection comes from."""
    client = scope.get("client")
    return client[0] if client else ""


class Connections:
    """Counts the connections of a process that deliver what comes."""

    def __init__(self, most: int, *, most_of_one: int) -> None:
        """`most` may be open at once, and `most_of_one` by the bearers of one token, or from one address without."""
        self._most = most
        self._most_of_one = most_of_one
        self._open = 0
        self._open_by: Counter[Hashable] = Counter()

    @contextmanager
    def any(self) -> Iterator[None]:
        """Count one while the block runs. Raises TooManyOpen."""
        if self._open >= self._most:
            raise TooManyOpen(self._most, of_one=False)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    @contextmanager
    def one_of(self, viewer: Viewer, address: str) -> Iterator[None]:
        """Count one of a client's while the block runs. Raises TooManyOpen. Whoever is trusted may have any number."""
        if viewer.is_trusted:
            yield
            return
        owner = ("token", viewer.name) if viewer.name is not None else ("address", address)
        if self._open_by[owner] >= self._most_of_one:
            raise TooManyOpen(self._most_of_one, of_one=True)
        self._open_by[owner] += 1
        try:
            yield
        finally:
            self._open_by[owner] -= 1
            if not self._open_by[owner]:
                del self._open_by[owner]
