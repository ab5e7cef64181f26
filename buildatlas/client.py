"""Asking a server, by the public API."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

import httpx

# A plan over tens of thousands of packages takes seconds; whoever waits longer than this can press Ctrl-C.
_PATIENCE: Final = 300.0
_CONNECT_PATIENCE: Final = 10.0

TOKEN_VARIABLE: Final = "BUILDATLAS_TOKEN"  # noqa: S105 - a name
"""Where the token is found: what stands on a command line, every user of the machine can read."""

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
        raise_first(body.get("errors"))
        data: Answer = body["data"]
        return data


@contextmanager
def connect(url: str, *, patience: float = _PATIENCE) -> Iterator[Client]:
    """Give a client of the server at `url` that waits so many seconds for an answer. Raises Unreachable for what is no URL."""
    if not _is_address(url):
        raise Unreachable(url, "this is not the address of a server, such as http://localhost:8000")
    timeout = httpx.Timeout(patience, connect=min(patience, _CONNECT_PATIENCE))
    # A worker's builds all speak at once.
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(timeout=timeout, limits=limits, headers=credentials(os.environ)) as client:
        yield ServerClient(url, client)


def credentials(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the header by which a server knows who asks, when there is a token in `BUILDATLAS_TOKEN`."""
    token = environment.get(TOKEN_VARIABLE)
    return {"Authorization": f"Bearer {token}"} if token else {}


def told(error: Refused, environment: Mapping[str, str]) -> str:
    """Return what a person at a terminal is told: a server speaks of headers, which nobody sends from there."""
    if error.code == "UNAUTHENTICATED" and not environment.get(TOKEN_VARIABLE):
        return f"the server needs a token: set {TOKEN_VARIABLE} to one that `buildatlas token create` has printed"
    return str(error)


def _is_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.host)


def raise_first(errors: Sequence[Mapping[str, Any]] | None) -> None:
    """Raise Refused for the first of a response's errors, if it has any."""
    if errors:
        code = errors[0].get("extensions", {}).get("code", "")
        raise Refused(str(errors[0].get("message", "")), str(code))
