"""Who may come: with a token, without one, and with one that is not valid."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from buildatlas import sockets
from buildatlas.doorkeeping import COOKIE
from buildatlas.settings import Settings
from resolvers import access
from storage.database import Database
from storage.errors import Trouble, Unavailable
from storage.monitoring_tables import Scope
from tests.api.access.clients import (
    BUILD,
    DELETE,
    EVENTS,
    READ,
    WRITE,
    ask,
    bearer,
    closing_of,
    code,
    greet,
    open_socket,
    revoke,
    stream,
    streamed,
    token,
    told,
)
from tests.api.processes import server_process, wait_until
from tests.api.serving import serving

# ---- No token has been made


def test_as_long_as_no_token_has_been_made_everybody_on_this_machine_may_do_everything(
    settings: Settings,
) -> None:
    with serving(settings) as address, open_socket(address) as socket:
        greet(socket)

        assert [code(ask(address, each).json()) for each in (WRITE, READ, BUILD, DELETE)] == [None] * 4
        assert code(streamed(stream(address, READ))) is None
        assert told(socket, READ)["type"] == "next"


def test_the_first_token_closes_a_running_server_to_all_without_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_REMEMBERED_SECONDS", 0.0)
    with serving(settings) as address:
        before = ask(address, READ)
        secret = token(settings, "ci")

        assert (before.status_code, ask(address, READ).status_code) == (200, 401)
        assert ask(address, READ, secret).status_code == 200


def test_the_first_token_closes_sockets_that_were_open_before_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_REMEMBERED_SECONDS", 0.0)
    monkeypatch.setattr(sockets, "_RECOGNISE_EVERY", 0.05)
    with serving(settings) as address, open_socket(address) as socket:
        greet(socket)
        token(settings, "ci")

        assert closing_of(socket)[0] == 4403


# ---- Without a token, or with one that is not valid


@pytest.mark.parametrize("query", [READ, WRITE, BUILD])
def test_who_shows_no_token_is_refused_and_told_what_to_show(settings: Settings, query: str) -> None:
    token(settings, "ci")
    with serving(settings) as address:
        answer = ask(address, query)

    assert answer.status_code == 401
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["message"] == "this needs a token: send `Authorization: Bearer TOKEN`"
    assert code(answer.json()) == "UNAUTHENTICATED"


def test_an_answer_for_want_of_a_token_challenges_for_one(settings: Settings) -> None:
    token(settings, "ci")
    with serving(settings) as address:
        answer = ask(address, READ)

    assert answer.headers["www-authenticate"] == 'Bearer realm="buildatlas"'


@pytest.mark.parametrize("query", [READ, WRITE, EVENTS])
def test_without_a_token_each_operation_on_a_socket_is_refused(settings: Settings, query: str) -> None:
    token(settings, "ci")
    with serving(settings) as address, open_socket(address) as socket:
        greet(socket)
        refused = told(socket, query)

    assert refused["type"] == "error"
    assert code({"errors": refused["payload"]}) == "UNAUTHENTICATED"


@pytest.mark.parametrize("query", [READ, WRITE, EVENTS])
def test_without_a_token_a_stream_of_events_holds_the_refusal_alone(settings: Settings, query: str) -> None:
    token(settings, "ci")
    with serving(settings) as address:
        refused = stream(address, query)

    assert code(streamed(refused)) == "UNAUTHENTICATED"
    assert "data" not in streamed(refused)
    assert refused.text.endswith("event: complete\ndata:\n\n")


@contextmanager
def with_useless_tokens(settings: Settings) -> Iterator[tuple[str, dict[str, str]]]:
    """Give the address of a server, and values of `Authorization` by what is to be said of them."""
    token(settings, "good")
    revoked = token(settings, "old", Scope.ADMIN)
    revoke(settings, "old")
    expired = token(settings, "stale", Scope.ADMIN, expires_in=timedelta(minutes=-1))
    with serving(settings) as address:
        yield (
            address,
            {
                "this is not a token of this server": "Bearer bat_nonsense",
                "the token old has been revoked": f"Bearer {revoked}",
                "the token stale has expired": f"bearer {expired}",
                "`Authorization` has to be `Bearer TOKEN`": f"Basic {revoked}",
            },
        )


def test_a_token_that_is_not_valid_is_refused_with_the_reason(settings: Settings) -> None:
    with with_useless_tokens(settings) as (address, given):
        for reason, value in given.items():
            for send in (ask, stream):
                answer = send(address, READ, headers={"Authorization": value})
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == 'Bearer realm="buildatlas"'
                assert answer.json()["errors"] == [
                    {"message": reason, "extensions": {"code": "UNAUTHENTICATED"}}
                ]
                assert value.split()[1] not in str(answer.headers)


@pytest.mark.parametrize("place", ["payload", "handshake"])
def test_a_socket_that_shows_a_token_that_is_not_valid_is_closed_with_the_reason(
    settings: Settings, place: str
) -> None:
    with with_useless_tokens(settings) as (address, given):
        for reason, value in given.items():
            shown = {"Authorization": value}
            with open_socket(address, headers=shown if place == "handshake" else {}) as socket:
                socket.send({"type": "connection_init", "payload": shown if place == "payload" else None})
                assert closing_of(socket) == (4403, reason)


@pytest.mark.parametrize("value", ["Bearer", "bat_x", "Basic", "Bearer\tbat_x", ""])
def test_an_authorization_of_another_form_is_never_taken_for_none(settings: Settings, value: str) -> None:
    with serving(settings) as address:
        assert ask(address, READ, headers={"Authorization": value}).status_code == 401


# ---- Tokens as they come and go


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_a_socket_shows_its_token_in_the_first_message(settings: Settings, name: str) -> None:
    secret = token(settings, "ci", Scope.WRITE)
    with serving(settings) as address, open_socket(address) as socket:
        greet(socket, {name: f"Bearer {secret}"})

        assert told(socket, WRITE)["type"] == "next"


def test_a_socket_shows_its_token_in_the_handshake(settings: Settings) -> None:
    secret = token(settings, "ci", Scope.WRITE)
    with serving(settings) as address, open_socket(address, headers=bearer(secret)) as socket:
        greet(socket)

        assert told(socket, WRITE)["type"] == "next"


def test_revoking_a_token_closes_its_sockets_and_no_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_REMEMBERED_SECONDS", 0.0)
    monkeypatch.setattr(sockets, "_RECOGNISE_EVERY", 0.05)
    leaving, staying = token(settings, "leaving"), token(settings, "staying")
    with (
        serving(settings) as address,
        open_socket(address) as one,
        open_socket(address, headers=bearer(leaving)) as another,
        open_socket(address) as third,
    ):
        greet(one, {"Authorization": f"Bearer {leaving}"})
        greet(another)
        greet(third, {"Authorization": f"Bearer {staying}"})
        one.subscribe(EVENTS)
        revoke(settings, "leaving")

        assert [closing_of(each) for each in (one, another)] == [
            (4403, "the token leaving has been revoked")
        ] * 2
        assert ask(address, READ, leaving).status_code == 401
        assert told(third, READ)["type"] == "next"


def test_revoking_a_token_ends_its_streams(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_REMEMBERED_SECONDS", 0.0)
    monkeypatch.setattr("buildatlas.event_streams._RECOGNISE_EVERY", 0.05)
    secret = token(settings, "ci")
    headers = {"Accept": "text/event-stream", **bearer(secret)}
    with (
        serving(settings) as address,
        httpx.stream("POST", f"{address}/graphql/stream", json={"query": EVENTS}, headers=headers) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == ":"
        revoke(settings, "ci")

        assert "event: complete" not in list(lines)


def test_while_the_database_is_away_nobody_is_let_in_and_nobody_is_sent_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> access.Viewer:
        raise Unavailable("atlas.db", Trouble.UNREACHABLE, "it is gone")

    monkeypatch.setattr(sockets, "_RECOGNISE_EVERY", 0.01)
    secret = token(settings, "ci")
    with (
        serving(settings) as address,
        open_socket(address, headers=bearer(secret)) as inside,
        open_socket(address, headers=bearer(secret)) as outside,
    ):
        greet(inside)
        monkeypatch.setattr(access.Gate, "recall", lambda *_, **__: None)  # As after a few seconds.
        monkeypatch.setattr(access.Gate, "admit", fail)
        answers = [send(address, READ, secret) for send in (ask, stream)]
        outside.send({"type": "connection_init"})
        closed = closing_of(outside)

        assert told(inside, READ)["type"] == "next"
    assert closed == (1013, "the database cannot be reached: try again later")
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert code(answer.json()) == "UNAVAILABLE"


def test_it_is_kept_when_a_token_was_used_last(database_url: str) -> None:
    settings = Settings(database_url, port=0)
    used, unused = token(settings, "used"), token(settings, "unused")
    started = datetime.now(UTC)
    with serving(settings) as address:
        ask(address, READ, used)
        ask(address, READ, unused[:-1])
    with closing(Database.open(database_url)) as database:
        last = {row.name: row.last_used_at for row in access.list_all(database)}

    assert last["unused"] is None
    assert last["used"] is not None
    assert started - timedelta(seconds=1) <= last["used"] <= datetime.now(UTC)


def test_no_token_is_ever_written_to_the_log(settings: Settings) -> None:
    secret = token(settings, "ci")
    wrong = "bat_of_another_server"
    with server_process(settings.database_url, BUILDATLAS_LOG_LEVEL="DEBUG") as server:
        for each in (secret, wrong):
            ask(server.address, READ, each)
            stream(server.address, READ, each)
            httpx.post(f"{server.address}/session", json={"token": each})
            httpx.get(f"{server.address}/session", headers={"Cookie": f"{COOKIE}={each}"})
            with open_socket(server.address, headers={"Cookie": f"{COOKIE}={each}"}) as socket:
                socket.send({"type": "connection_init", "payload": bearer(each)})
                # An acknowledgement, or the end.
                with suppress(ConnectionClosed):
                    socket.receive()
        wait_until(lambda: sum("/session" in line for line in server.said) == 4)

    assert not [line for line in server.said if secret in line or wrong in line]
