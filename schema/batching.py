"""Reads in a thread, and those of one kind that are asked for at the same time in one statement."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

import anyio
from strawberry.dataloader import DataLoader

from storage.database import Connection, Database

Asked = TypeVar("Asked", bound=Hashable)
Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row")

Query = Callable[[Connection, Sequence[Key]], Mapping[Key, Row]]
_Read = Callable[[Callable[[Connection], Any]], Awaitable[Any]]


class Reads:
    """Reading from one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def glance(self, query: Callable[[Connection], Row]) -> Row:
        """Return what `query` reads by one statement, in a thread."""
        return await anyio.to_thread.run_sync(_within, self._database.glance, query)

    async def read(self, query: Callable[[Connection], Row]) -> Row:
        """Return what `query` reads by several statements from one snapshot, in a thread."""
        return await anyio.to_thread.run_sync(_within, self._database.read, query)

    def rows(self, query: Query[Key, Row], read: _Read | None = None) -> DataLoader[Key, Row | None]:
        """Return a loader by a query of one statement, or of several where they are read by `read`."""
        chosen: _Read = read or self.glance

        async def load(keys: list[Key]) -> list[Row | None]:
            rows = await chosen(lambda connection: query(connection, keys))
            return [rows.get(key) for key in keys]

        return DataLoader(load)


class Family(Generic[Asked, Key, Row]):
    """Loaders of one kind of rows, one for each set of arguments that they are asked for with."""

    def __init__(self, make: Callable[[Asked], DataLoader[Key, Row | None]]) -> None:
        self._make = make
        self._loaders: dict[Asked, DataLoader[Key, Row | None]] = {}

    async def load(self, asked: Asked, key: Key) -> Row | None:
        """Return what belongs to `key`, or None."""
        if asked not in self._loaders:
            self._loaders[asked] = self._make(asked)
        return await self._loaders[asked].load(key)


def _within(
    opened: Callable[[], AbstractContextManager[Connection]], query: Callable[[Connection], Row]
) -> Row:
    with opened() as connection:
        return query(connection)
