"""Tokens: made once, known by their digest, and no longer valid when they are revoked or have expired."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from resolvers import access
from resolvers.access import NOBODY, READER, TRUSTED, Gate, Viewer
from resolvers.errors import BadInput, Forbidden, NotFound, TokenTaken, Unauthenticated
from storage.database import Database
from storage.monitoring_tables import Scope

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Door:
    """A gate whose memory is as old as the test says."""

    database: Database
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.gate = Gate(self.database, clock=self.clock)

    def make(self, name: str = "ci", scopes: Scope = Scope.READ, **given: datetime) -> str:
        return access.create(self.database, name, scopes, now=NOW, **given).secret

    def admit(self, secret: str | None, now: datetime = NOW) -> Viewer:
        return self.gate.admit(secret, now=now)

    def wait(self) -> None:
        self.clock.now += 3


@pytest.fixture
def door(database: Database) -> Door:
    return Door(database)


def test_without_any_token_everybody_is_trusted_and_from_the_first_one_on_nobody_is(door: Door) -> None:
    assert door.admit(None) == TRUSTED
    secret = door.make()
    door.wait()

    assert door.admit(None) == NOBODY
    assert Gate(door.database, READER).admit(None, now=NOW) == READER

    access.revoke(door.database, "ci", now=NOW)
    door.wait()
    assert door.admit(None) == NOBODY
    assert secret.startswith("bat_")


def test_whoever_shows_a_token_is_known_by_its_name(door: Door) -> None:
    secret = door.make("ci", Scope.WRITE | Scope.BUILD)

    assert door.admit(secret) == Viewer("ci", Scope.WRITE | Scope.BUILD)
    assert door.admit(secret).is_known
    assert not NOBODY.is_known


@pytest.mark.parametrize("secret", ["", "bat_", "bat_x", "Bearer", "\0", "ü" * 1_000])
def test_what_is_no_token_is_refused(door: Door, secret: str) -> None:
    with pytest.raises(Unauthenticated, match="not a token of this server"):
        door.admit(secret)


def test_a_token_is_refused_once_it_has_expired(door: Door) -> None:
    secret = door.make(expires_at=LATER)

    assert door.admit(secret, LATER - timedelta(seconds=1)).name == "ci"
    with pytest.raises(Unauthenticated, match="the token ci has expired"):
        door.admit(secret, LATER)


def test_a_token_is_refused_soon_after_it_was_revoked(door: Door) -> None:
    secret = door.make()
    door.admit(secret)
    assert access.revoke(door.database, "ci", now=LATER)
    door.wait()

    with pytest.raises(Unauthenticated, match="the token ci has been revoked"):
        door.admit(secret)
    assert not access.revoke(door.database, "ci", now=LATER)
    with pytest.raises(NotFound, match="token cj"):
        access.revoke(door.database, "cj", now=LATER)


def test_only_a_digest_is_kept(door: Door) -> None:
    secret = door.make()

    (row,) = access.list_all(door.database)

    assert (row.name, row.scopes, row.expires_at, row.revoked_at) == ("ci", Scope.READ, None, None)
    assert row.digest == access.digest_of(secret)
    assert secret not in repr(row)
    assert re.fullmatch(r"bat_[A-Za-z0-9_-]{43}", secret)
    assert door.make("other") != secret


def test_it_is_kept_when_a_token_was_used_last_to_the_minute(door: Door) -> None:
    secret = door.make()

    def used() -> datetime | None:
        return access.list_all(door.database)[0].last_used_at

    assert used() is None
    door.admit(secret, NOW)
    assert used() == NOW
    door.admit(secret, NOW + timedelta(seconds=59))
    assert used() == NOW
    door.admit(secret, NOW + timedelta(seconds=61))
    assert used() == NOW + timedelta(seconds=61)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a" * 201])
def test_a_token_needs_a_name_that_can_be_read(door: Door, name: str) -> None:
    with pytest.raises(BadInput, match="printable"):
        door.make(name)


def test_a_token_allows_something_and_is_valid_for_a_while(door: Door) -> None:
    with pytest.raises(BadInput, match="allows nothing"):
        door.make(scopes=Scope(0))
    with pytest.raises(BadInput, match="expired already"):
        door.make(expires_at=NOW)
    assert access.list_all(door.database) == []


def test_a_name_is_never_used_again(door: Door) -> None:
    door.make()
    access.revoke(door.database, "ci", now=NOW)

    with pytest.raises(TokenTaken, match="there is or was a token ci"):
        door.make()


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (Scope.READ, "read"),
        (Scope.WRITE, "read write"),
        (Scope.BUILD, "read build"),
        (Scope.ADMIN, "read write build admin"),
        (Scope.WRITE | Scope.BUILD, "read write build"),
        (Scope(0), ""),
    ],
)
def test_what_may_be_done_may_be_read(scopes: Scope, allowed: str) -> None:
    viewer = Viewer("ci", scopes)

    assert [scope for scope in Scope if viewer.may(scope)] == [
        Scope[each.upper()] for each in allowed.split()
    ]


def test_who_may_not_is_told_what_it_takes() -> None:
    with pytest.raises(Forbidden, match="the token ci has the scopes read, build, and this needs write"):
        Viewer("ci", Scope.READ | Scope.BUILD).demand(Scope.WRITE)
    with pytest.raises(Unauthenticated, match="this needs a token"):
        NOBODY.demand(Scope.READ)
    TRUSTED.demand(Scope.ADMIN)


def test_the_memory_of_a_gate_is_bounded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_MOST_REMEMBERED", 3)
    for number in range(10):
        with pytest.raises(Unauthenticated):
            door.admit(f"guess {number}")

    assert len(door.gate._known) <= 3


def test_what_is_known_of_a_token_is_recalled_for_as_long_as_it_may_be_relied_on(door: Door) -> None:
    secret = door.make(expires_at=LATER)
    recall = door.gate.recall

    assert recall(secret, now=NOW) is None
    door.admit(secret)  # Its use is kept, after which it is read anew.
    admitted = door.admit(secret)
    assert recall(secret, now=NOW) == admitted
    # What has to be looked up, refused or kept is for `admit`.
    assert recall(secret, now=NOW + timedelta(minutes=2)) is None
    assert recall(secret, now=LATER) is None
    assert recall("bat_x", now=NOW) is None
    with pytest.raises(Unauthenticated):
        door.admit("bat_x")
    assert recall("bat_x", now=NOW) is None
    door.wait()
    assert recall(secret, now=NOW) is None

    access.revoke(door.database, "ci", now=NOW)
    with pytest.raises(Unauthenticated):
        door.admit(secret)
    assert recall(secret, now=NOW) is None


def test_that_no_token_is_needed_is_recalled_until_there_may_be_one(door: Door) -> None:
    recall = door.gate.recall

    assert recall(None, now=NOW) is None
    door.admit(None)
    assert recall(None, now=NOW) == TRUSTED
    door.wait()
    assert recall(None, now=NOW) is None
    door.make()
    door.admit(None)
    door.wait()
    assert recall(None, now=NOW) == NOBODY
