"""Asking the public API: of a server, or of a database without one. Either way it is the same operation."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import httpx

from resolvers.atlas import Atlas
from schema.context import Application, Context
from schema.pulse import Pulse
from schema.root import schema
from storage.database import Database

# A plan over tens of thousands of packages takes seconds; whoever waits longer than this can press Ctrl-C.
_PATIENCE: Final = httpx.Timeout(300, connect=10)

Answer = dict[str, Any]
"""The `data` of a response: its form is the operation's."""


class Refused(Exception):
    """The API answered with errors; the first of them is told."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, code)
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return self.message


class Unreachable(Exception):
    """No server answers at the address, or what answers is not Buildatlas."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem)
        self.url = url
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.url}: {self.problem}"


class Client(Protocol):
    """Whatever answers operations."""

    def ask(self, document: str, variables: Mapping[str, Any]) -> Answer:
        """Return the operation's data. Raises Refused, or Unreachable."""
        ...


class ServerClient:
    """Asks over HTTP."""

    def __init__(self, url: str, client: httpx.Client) -> None:
        self._url = url.rstrip("/").removesuffix("/graphql") + "/graphql"
        self._client = client

    def ask(self, document: str, variables: Mapping[str, Any]) -> Answer:
        try:
            response = self._client.post(self._url, json={"query": document, "variables": dict(variables)})
            body = response.json()
        except httpx.HTTPError as error:
            raise Unreachable(self._url, f"no answer ({error})") from error
        except ValueError as error:
            raise Unreachable(
                self._url, f"status {response.status_code} and no JSON: is this Buildatlas?"
            ) from error
        if not isinstance(body, dict) or not {"data", "errors"} & body.keys():
            raise Unreachable(self._url, "an answer that is not GraphQL: is this Buildatlas?")
        _raise_first(body.get("errors"))
        data: Answer = body["data"]
        return data


class LocalClient:
    """Executes operations in this process."""

    def __init__(self, atlas: Atlas, version: str) -> None:
        pulse = Pulse(atlas.database.cursor)
        self._application = Application(atlas, pulse, version, datetime.now(UTC))

    def ask(self, document: str, variables: Mapping[str, Any]) -> Answer:
        context = Context(self._application, request_id="local")
        result = asyncio.run(schema.execute(document, dict(variables), context))
        _raise_first([error.formatted for error in result.errors or ()])
        data: Answer = result.data or {}
        return data


def connect(*, url: str | None, database_url: str, version: str) -> AbstractContextManager[Client]:
    """Give a client of the server at `url`, or of the database when there is no `url`."""
    return _server_client(url) if url else _local_client(database_url, version)


@contextmanager
def _server_client(url: str) -> Iterator[Client]:
    with httpx.Client(timeout=_PATIENCE) as client:
        yield ServerClient(url, client)


@contextmanager
def _local_client(database_url: str, version: str) -> Iterator[Client]:
    database = Database.open(database_url)
    try:
        yield LocalClient(Atlas(database), version)
    finally:
        database.close()


def _raise_first(errors: Sequence[Mapping[str, Any]] | None) -> None:
    if errors:
        code = errors[0].get("extensions", {}).get("code", "")
        raise Refused(str(errors[0].get("message", "")), str(code))
