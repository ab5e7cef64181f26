"""Reading and writing the tokens by which callers are known."""

from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, bindparam, select

from storage.columns import is_storable
from storage.dialects import ids
from storage.monitoring_rows import TokenRow
from storage.monitoring_tables import TOKENS, TokenFields
from storage.statements import BulkInsert, Query


def by_digest(connection: Connection, digest: str) -> TokenRow | None:
    """Return the token with this digest, be it expired or revoked, or None."""
    return _BY_DIGEST.one(connection, digest=digest)


def by_name(connection: Connection, name: str) -> TokenRow | None:
    """Return the token of this name, be it expired or revoked, or None."""
    return _BY_NAME.one(connection, name=name) if is_storable(name) else None


def all_tokens(connection: Connection) -> list[TokenRow]:
    """Return every token, by name."""
    return sorted(_ALL.all(connection), key=attrgetter("name"))


def insert(connection: Connection, fields: TokenFields, *, digest: str, now: datetime) -> int:
    """Write a new token, and return its id."""
    id_ = next(ids(connection, TOKENS))
    row = (fields.name, fields.scopes, fields.expires_at, id_, digest, None, None, now, now)
    _INSERT.run(connection, [row])
    return id_


def revoke(connection: Connection, id: int, *, now: datetime) -> bool:
    """End a token; False when it has ended already."""
    return _change(connection, id, _C.revoked_at.is_(None), revoked_at=now, updated_at=now)


def use(connection: Connection, id: int, *, now: datetime) -> bool:
    """Note that a token has been used; False when there is none."""
    return _change(connection, id, last_used_at=now, updated_at=now)


_C: Final = TOKENS.c
_ROW: Final = select(*(_C[name] for name in TokenRow.__struct_fields__))
_ALL: Final = Query(_ROW, TokenRow)
_BY_DIGEST: Final = Query(_ROW.where(_C.digest == bindparam("digest")), TokenRow)
_BY_NAME: Final = Query(_ROW.where(_C.name == bindparam("name")), TokenRow)
_INSERT: Final = BulkInsert(TOKENS)


def _change(connection: Connection, id: int, *conditions: Any, **values: Any) -> bool:
    changed = connection.execute(TOKENS.update().where(_C.id == id, *conditions).values(**values))
    return changed.rowcount == 1
