"""Asking a database without a server, by the same operations."""

import asyncio
import getpass
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from buildatlas.client import Answer, raise_first
from resolvers.atlas import Atlas
from schema.context import Application, Context
from schema.pulse import Pulse
from schema.root import schema
from storage.database import Database


class LocalClient:
    """Executes operations in this process."""

    def __init__(self, atlas: Atlas, version: str) -> None:
        pulse = Pulse(atlas.database.watch)
        self._application = Application(atlas, pulse, version, datetime.now(UTC))

    def ask(self, document: str, variables: Mapping[str, Any]) -> Answer:
        context = Context(self._application, request_id="local", actor=_login())
        result = asyncio.run(schema.execute(document, dict(variables), context))
        raise_first([error.formatted for error in result.errors or ()])
        data: Answer = result.data or {}
        return data

    async def subscribe(
        self, document: str, variables: Mapping[str, Any], *, acknowledged: Callable[[], object]
    ) -> AsyncGenerator[Answer, None]:
        """Yield the data of each message. Calls `acknowledged` first, and raises Refused."""
        context = Context(self._application, request_id="local")
        acknowledged()
        async with self._application.pulse.beating():
            results = await schema.subscribe(document, dict(variables), context)
            async with aclosing(results):
                async for result in results:
                    raise_first([error.formatted for error in result.errors or ()])
                    yield result.data or {}


@contextmanager
def connect(database_url: str, *, version: str) -> Iterator[LocalClient]:
    """Give a client of the database, which has to be there."""
    with closing(Database.open(database_url, create=False)) as database:
        yield LocalClient(Atlas(database), version)


def _login() -> str | None:
    """Return the name of whoever runs this, as far as the system knows one."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
