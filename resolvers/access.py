"""Who may do what: tokens, of which only a digest is kept, and what their bearers may do.

How it works: as long as no token has ever been made, everybody who reaches the server is trusted, and the server lets nobody
reach it but from its own machine. From the first token on, whoever shows none may do nothing, or read where that is allowed.
"""

import hashlib
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from resolvers.errors import BadInput, Forbidden, NotFound, TokenTaken, Unauthenticated
from storage import tokens
from storage.database import Connection, Database
from storage.errors import StorageError
from storage.monitoring_rows import TokenRow
from storage.monitoring_tables import ALL_SCOPES, Scope, TokenFields

log = logging.getLogger(__name__)

PREFIX: Final = "bat_"
"""What every token begins with, so that those who look for leaked secrets know one."""

# For how long what a token allows is taken from memory: a revoked one is refused that much later.
_REMEMBERED_SECONDS: Final = 2.0
_MOST_REMEMBERED: Final = 10_000
# How exactly it is kept when a token was used last.
_USED_WITHIN: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever asks."""

    name: str | None
    """Of the token that was shown. None: none was."""
    scopes: Scope
    is_trusted: bool = False
    """Whether the one who asks is taken for whoever runs the server: no token has been made yet."""

    @property
    def is_known(self) -> bool:
        """Whether a token was shown, or none is needed."""
        return self.is_trusted or self.name is not None

    def may(self, scope: Scope) -> bool:
        """Whether a scope is given. What is allowed to write or to build is allowed to read."""
        return bool(_IMPLIED[scope] & self.scopes)

    def demand(self, scope: Scope) -> None:
        """Raise Forbidden unless a scope is given, or Unauthenticated when no token was shown."""
        if self.may(scope):
            return
        if self.name is None:
            raise Unauthenticated("this needs a token: send `Authorization: Bearer TOKEN`")
        raise Forbidden(self.name, needs=(scope.name or "").lower(), has=names_of(self.scopes))


_IMPLIED: Final = {
    Scope.READ: Scope(ALL_SCOPES),
    Scope.WRITE: Scope.WRITE | Scope.ADMIN,
    Scope.BUILD: Scope.BUILD | Scope.ADMIN,
    Scope.ADMIN: Scope.ADMIN,
}
"""The scopes of which any gives the one."""

TRUSTED: Final = Viewer(None, Scope(ALL_SCOPES), is_trusted=True)
"""Whoever reaches a server without tokens, or its database."""
NOBODY: Final = Viewer(None, Scope(0))
READER: Final = Viewer(None, Scope.READ)
"""Whoever shows no token where anybody may read."""


def names_of(scopes: int) -> tuple[str, ...]:
    """Return the names of scopes, as callers give them."""
    return tuple(scope.name.lower() for scope in Scope if scope & scopes and scope.name)


@dataclass(frozen=True, slots=True)
class Created:
    """A new token, and the only time that it can be read."""

    row: TokenRow
    secret: str


def create(
    database: Database, name: str, scopes: Scope, *, expires_at: datetime | None = None, now: datetime
) -> Created:
    """Make a token. Raises BadInput, and TokenTaken: history tells who did what by the names of tokens."""
    if not scopes:
        raise BadInput("a token without a scope allows nothing", path=("scopes",))
    if expires_at is not None and expires_at <= now:
        raise BadInput("it would have expired already", path=("expiresAt",))
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadInput(f"has to be printable text of 1 to {_LONGEST_NAME} characters", path=("name",))
    secret = PREFIX + secrets.token_urlsafe(32)
    digest = digest_of(secret)

    def operation(connection: Connection) -> TokenRow:
        if tokens.by_name(connection, name) is not None:
            raise TokenTaken(name)
        fields = TokenFields(name=name, scopes=int(scopes), expires_at=expires_at)
        tokens.insert(connection, fields, digest=digest, now=now)
        row = tokens.by_digest(connection, digest)
        assert row is not None
        return row

    return Created(database.write(operation, of_catalogue=False).value, secret)


_LONGEST_NAME: Final = 200


def revoke(database: Database, name: str, *, now: datetime) -> bool:
    """End a token; False when it has been ended before. Raises NotFound."""

    def operation(connection: Connection) -> bool:
        row = tokens.by_name(connection, name)
        if row is None:
            known = [each.name for each in tokens.all_tokens(connection)]
            raise NotFound(f"token {name}", known[:5], path=("name",))
        return tokens.revoke(connection, row.id, now=now)

    return database.write(operation, of_catalogue=False).value


def list_all(database: Database) -> list[TokenRow]:
    """Return every token, by name, also those that have ended."""
    with database.read() as connection:
        return tokens.all_tokens(connection)


def digest_of(secret: str) -> str:
    """Return what is kept of a token. It is long and random, so a plain digest cannot be guessed at."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(slots=True)
class _Known:
    row: TokenRow | None
    read_at: float


@dataclass(slots=True)
class Gate:
    """Tells who asks by the token that is shown. May be asked by several threads at once."""

    database: Database
    anonymous: Viewer = NOBODY
    """Who shows no token, once there are any."""
    clock: Callable[[], float] = time.monotonic
    _known: dict[str, _Known] = field(default_factory=dict)
    _has_tokens: bool = False
    _looked_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, secret: str | None, *, now: datetime) -> Viewer:
        """Return whoever shows this token, or none. Raises Unauthenticated for one that is not, or not any more, valid."""
        if secret is None:
            return self.anonymous if self.is_closed() else TRUSTED
        row = self._row(digest_of(secret))
        if row is None:
            raise Unauthenticated("this is not a token of this server")
        if row.revoked_at is not None:
            raise Unauthenticated(f"the token {row.name} has been revoked")
        if _is_over(row.expires_at, now):
            raise Unauthenticated(f"the token {row.name} has expired")
        self._note_use(row, now)
        return Viewer(row.name, Scope(row.scopes))

    def recall(self, secret: str | None, *, now: datetime) -> Viewer | None:
        """Return whom `admit` would let in, when that is known without asking the database; None when it has to be asked."""
        if secret is None:
            if self._has_tokens:
                return self.anonymous
            return None if self._looked_at is None or self._is_old(self._looked_at) else TRUSTED
        known = self._known.get(digest_of(secret))
        row = known.row if known is not None and not self._is_old(known.read_at) else None
        if (
            row is None
            or row.revoked_at is not None
            or _is_over(row.expires_at, now)
            or _is_unnoted(row, now)
        ):
            return None
        return Viewer(row.name, Scope(row.scopes))

    def is_closed(self) -> bool:
        """Whether a token has ever been made."""
        if not self._has_tokens and (self._looked_at is None or self._is_old(self._looked_at)):
            looked_at = self.clock()
            self._has_tokens = bool(list_all(self.database))
            self._looked_at = looked_at
        return self._has_tokens

    def _is_old(self, read_at: float) -> bool:
        return self.clock() > read_at + _REMEMBERED_SECONDS

    def _row(self, digest: str) -> TokenRow | None:
        known = self._known.get(digest)
        if known is None or self._is_old(known.read_at):
            read_at = self.clock()
            with self.database.read() as connection:
                known = _Known(tokens.by_digest(connection, digest), read_at)
            with self._lock:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                self._known[digest] = known
        return known.row

    def _note_use(self, row: TokenRow, now: datetime) -> None:
        if not _is_unnoted(row, now):
            return
        try:
            self.database.write(
                lambda connection: tokens.use(connection, row.id, now=now), of_catalogue=False
            )
        except StorageError as error:
            # A database that takes no writes may still be read.
            log.warning("the last use of the token %s is not kept: %s", row.name, error)
        self._known.pop(row.digest, None)


def _is_over(end: datetime | None, now: datetime) -> bool:
    return end is not None and end <= now


def _is_unnoted(row: TokenRow, now: datetime) -> bool:
    """Whether it is to be kept that a token is used now."""
    return row.last_used_at is None or now >= row.last_used_at + _USED_WITHIN
