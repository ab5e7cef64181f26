"""Tokens: found by digest, used, and revoked once."""

from datetime import timedelta

from storage import tokens
from storage.database import Connection, Database
from storage.monitoring_rows import TokenRow
from storage.monitoring_tables import Scope, TokenFields
from tests.storage.world import LATER, NOW

_END = LATER + timedelta(days=1)


def test_a_token_is_found_by_its_digest_and_its_name(database: Database) -> None:
    fields = TokenFields(name="ci", scopes=Scope.READ | Scope.BUILD, expires_at=LATER)

    id_ = database.write(lambda connection: tokens.insert(connection, fields, digest="d", now=NOW)).value

    expected = TokenRow(id_, "ci", 5, LATER, "d", None, None, NOW, NOW)
    with database.read() as connection:
        assert tokens.by_digest(connection, "d") == tokens.by_name(connection, "ci") == expected
        assert tokens.by_digest(connection, "D") is None
        assert tokens.by_name(connection, "\0") is None


def test_tokens_are_listed_by_name(database: Database) -> None:
    for name in ("b", "a"):
        fields = TokenFields(name=name)
        database.write(lambda connection: tokens.insert(connection, fields, digest=fields.name, now=NOW))  # noqa: B023

    with database.read() as connection:
        assert [row.name for row in tokens.all_tokens(connection)] == ["a", "b"]


def test_a_token_is_used_and_revoked_once(database: Database) -> None:
    def operation(connection: Connection) -> list[bool]:
        id_ = tokens.insert(connection, TokenFields(name="ci"), digest="d", now=NOW)
        return [
            tokens.use(connection, id_, now=LATER),
            tokens.use(connection, id_ + 1, now=LATER),
            tokens.revoke(connection, id_, now=_END),
            tokens.revoke(connection, id_, now=NOW),
        ]

    assert database.write(operation).value == [True, False, True, False]
    with database.read() as connection:
        row = tokens.by_digest(connection, "d")
    assert row == TokenRow(row.id if row else 0, "ci", 1, None, "d", LATER, _END, NOW, _END)
