"""Who asks: by the token in a header, in the first message of a socket, or in the cookie that a browser has for one."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import anyio
from starlette.datastructures import Headers
from starlette.requests import cookie_parser

from buildatlas.origins import is_foreign
from buildatlas.requests import CHALLENGE, BadRequest, unavailable
from resolvers.access import Gate, Viewer
from resolvers.errors import Unauthenticated
from schema.context import Context
from schema.enums import ErrorCode
from storage.errors import StorageError

COOKIE: Final = "buildatlas_session"

_SCHEME: Final = "bearer"

# How browsers say that a page of ours asks, or its user by the address bar.
_OWN: Final = {"same-origin", "none"}


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Lets in who may come."""

    gate: Gate

    async def admit(self, headers: Headers, secret: str | None = None) -> Viewer:
        """Return who asks, `secret` being the token when it was shown elsewhere.

        Raises BadRequest: with 401, or with 503 while the database cannot be asked.
        """
        shown, now = secret or secret_of(headers), datetime.now(UTC)
        known = self.gate.recall(shown, now=now)
        if known is not None:
            return known
        try:
            return await anyio.to_thread.run_sync(lambda: self.gate.admit(shown, now=now))
        except Unauthenticated as error:
            raise BadRequest(
                HTTPStatus.UNAUTHORIZED, str(error), CHALLENGE, ErrorCode.UNAUTHENTICATED
            ) from error
        except StorageError as error:
            raise unavailable(error) from error


async def expulsion(entering: Awaitable[Context], was: Viewer) -> str | None:
    """Return why whoever was let in may not stay, or None. While the database is away, everybody may."""
    try:
        context = await entering
    except BadRequest as refusal:
        return None if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE else str(refusal)
    return None if context.viewer == was else "what may be done without a token has changed: connect again"


def secret_of(headers: Headers) -> str | None:
    """Return the token that a request shows, or None. Raises BadRequest for credentials of another kind."""
    given = headers.get("authorization")
    if given is not None:
        return _bearer(given)
    return _cookie(headers) if is_own(headers) else None


def secret_in(payload: Mapping[str, object] | None) -> str | None:
    """Return the token that the first message on a socket shows, or None. Raises BadRequest."""
    for name, value in (payload or {}).items():
        if name.lower() == "authorization" and isinstance(value, str):
            return _bearer(value)
    return None


def is_own(headers: Headers) -> bool:
    """Whether a page of ours asks, so that a cookie counts. A program that is no browser has none."""
    return headers.get("sec-fetch-site", "same-origin") in _OWN and not is_foreign(headers)


def _bearer(given: str) -> str:
    scheme, _, secret = given.strip().partition(" ")
    if scheme.lower() != _SCHEME or not secret.strip():
        raise BadRequest(
            HTTPStatus.UNAUTHORIZED,
            "`Authorization` has to be `Bearer TOKEN`",
            CHALLENGE,
            ErrorCode.UNAUTHENTICATED,
        )
    return secret.strip()


def _cookie(headers: Headers) -> str | None:
    # Python's own parser gives up at the first cookie that it finds odd, and other servers on this machine set cookies too.
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)
