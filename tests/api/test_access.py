"""Who may do what: by tokens, by sessions of browsers, and from pages of other sites."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from buildatlas import sockets
from buildatlas.doorkeeping import COOKIE, secret_of
from buildatlas.settings import Settings
from resolvers import access
from storage.database import Database
from storage.errors import Trouble, Unavailable
from storage.monitoring_tables import Scope
from tests.api.processes import server_process, wait_until
from tests.api.serving import Socket, serving

READ = "{ packages { totalCount } }"
WRITE = 'mutation { registerPackage(input: { name: "a" }) { cursor } }'
BUILD = 'mutation { claimBuilds(input: { worker: "w" }) { claims { lease } } }'
DELETE = 'mutation { deletePackage(input: { name: "a" }) { cursor } }'
EVENTS = "subscription { events { ... on Event { cursor } } }"

MAY = {
    Scope.READ: {READ},
    Scope.WRITE: {READ, WRITE},
    Scope.BUILD: {READ, BUILD},
    Scope.ADMIN: {READ, WRITE, BUILD, DELETE},
}
NEEDS = {WRITE: "write", BUILD: "build", DELETE: "admin"}

CAREFUL = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a server on an empty SQLite file and any free port."""
    return Settings(str(tmp_path / "atlas.db"), port=0)


def token(
    settings: Settings, name: str, scopes: Scope = Scope.READ, *, expires_in: timedelta | None = None
) -> str:
    """Make a token, an hour ago, and return its secret."""
    now = datetime.now(UTC)
    expires_at = None if expires_in is None else now + expires_in
    with closing(Database.open(settings.database_url)) as database:
        made = access.create(database, name, scopes, expires_at=expires_at, now=now - timedelta(hours=1))
    return made.secret


def revoke(settings: Settings, name: str) -> None:
    with closing(Database.open(settings.database_url)) as database:
        assert access.revoke(database, name, now=datetime.now(UTC))


def bearer(secret: str | None) -> dict[str, str]:
    return {} if secret is None else {"Authorization": f"Bearer {secret}"}


def ask(
    address: str, query: str, secret: str | None = None, *, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    return httpx.post(
        f"{address}/graphql", json={"query": query}, headers={**bearer(secret), **(headers or {})}, timeout=10
    )


def stream(
    address: str, query: str, secret: str | None = None, *, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Return all that is sent for an operation that ends."""
    accept = {"Accept": "text/event-stream"}
    return httpx.post(
        f"{address}/graphql/stream",
        json={"query": query},
        headers={**accept, **bearer(secret), **(headers or {})},
        timeout=10,
    )


def streamed(response: httpx.Response) -> Any:
    """Return the first result in a stream."""
    return json.loads(response.text.partition("data: ")[2].partition("\n")[0])


def code(answer: Any) -> str | None:
    """Return the code of the one error of an answer, or None for one without."""
    errors = answer.get("errors", [])
    assert len(errors) <= 1, errors
    return errors[0]["extensions"]["code"] if errors else None


@contextmanager
def open_socket(address: str, *, headers: Mapping[str, str] | None = None) -> Iterator[Socket]:
    """Give a socket before its first message."""
    place = f"{address.replace('http', 'ws', 1)}/graphql"
    protocols = [Subprotocol("graphql-transport-ws")]
    with connect(
        place, subprotocols=protocols, additional_headers=headers or {}, open_timeout=10
    ) as connection:
        yield Socket(connection)


def greet(socket: Socket, payload: Mapping[str, object] | None = None) -> None:
    """Say who one is, and be let in."""
    socket.send({"type": "connection_init", "payload": payload})
    assert socket.receive() == {"type": "connection_ack"}


def told(socket: Socket, query: str) -> Any:
    """Return the first message about an operation."""
    socket.subscribe(query)
    return socket.receive()


def while_open(socket: Socket) -> None:
    """Read whatever comes until the socket is closed, which raises."""
    while True:
        socket.connection.recv(timeout=10)


def closing_of(socket: Socket) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as closed:
        while_open(socket)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


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


# ---- Scopes


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_may_do_what_its_scope_says_and_nothing_else(settings: Settings, scope: Scope) -> None:
    secret = token(settings, "ci", scope)
    with serving(settings) as address:
        answers = {query: ask(address, query, secret) for query in (WRITE, READ, BUILD, DELETE)}

    assert {query for query, answer in answers.items() if code(answer.json()) is None} == MAY[scope]
    for query in answers.keys() - MAY[scope]:
        (error,) = answers[query].json()["errors"]
        assert answers[query].status_code == 403
        assert error["extensions"] == {
            "code": "FORBIDDEN",
            "token": "ci",
            "needs": NEEDS[query],
            "has": [access.names_of(scope)[0]],
        }


def test_scopes_add_up(settings: Settings) -> None:
    secret = token(settings, "ci", Scope.WRITE | Scope.BUILD)
    with serving(settings) as address:
        assert [ask(address, query, secret).status_code for query in (WRITE, BUILD, READ, DELETE)] == [
            200,
            200,
            200,
            403,
        ]


def test_a_mutation_of_which_one_part_is_forbidden_does_nothing(settings: Settings) -> None:
    secret = token(settings, "ci", Scope.WRITE)
    hidden = f'fragment F on Mutation {{ deletePackage(input: {{ name: "a" }}) {{ cursor }} }} {WRITE[:-1]} ...F }}'
    with serving(settings) as address:
        refused = ask(address, hidden, secret)
        found = ask(address, READ, secret)

    assert (refused.status_code, code(refused.json())) == (403, "FORBIDDEN")
    assert found.json()["data"] == {"packages": {"totalCount": 0}}


def test_what_is_forbidden_is_forbidden_on_sockets_and_streams_too(settings: Settings) -> None:
    secret = token(settings, "ci", Scope.READ)
    with serving(settings) as address, open_socket(address, headers=bearer(secret)) as socket:
        greet(socket)
        refused = told(socket, WRITE)

        assert (refused["type"], code({"errors": refused["payload"]})) == ("error", "FORBIDDEN")
        assert code(streamed(stream(address, WRITE, secret))) == "FORBIDDEN"
        assert streamed(stream(address, READ, secret))["data"] == {"packages": {"totalCount": 0}}


def test_what_is_published_is_changed_by_an_admin_alone(settings: Settings) -> None:
    writer, admin = token(settings, "ci", Scope.WRITE), token(settings, "root", Scope.ADMIN)
    publish = 'mutation { publishVersion(input: { package: "a", version: "1" }) { cursor } }'
    change = """mutation { setDependencies(input: {
        package: "a", version: "1", dependencies: [{ package: "b" }] }) { cursor } }"""
    with serving(settings) as address:
        published = ask(address, publish, writer).json()
        codes = [code(ask(address, change, secret).json()) for secret in (writer, admin)]

    assert code(published) is None
    assert codes == ["CONFLICT", None]


def test_history_tells_by_which_token_something_was_done(settings: Settings) -> None:
    secret = token(settings, "nightly ci", Scope.WRITE)
    with serving(settings) as address:
        ask(address, 'mutation { publishVersion(input: { package: "a", version: "1" }) { cursor } }', secret)
        found = ask(address, "{ stateTransitions { nodes { actor } } }", secret).json()

    actors = {each["actor"] for each in found["data"]["stateTransitions"]["nodes"]}
    assert actors == {"nightly ci"}


def test_where_anybody_may_read_a_token_is_needed_to_write(settings: Settings) -> None:
    token(settings, "ci")
    with serving(replace(settings, anonymous_read=True)) as address, open_socket(address) as socket:
        greet(socket)

        assert ask(address, READ).json()["data"] == {"packages": {"totalCount": 0}}
        assert streamed(stream(address, READ))["data"] == {"packages": {"totalCount": 0}}
        assert told(socket, READ)["type"] == "next"
        for query in (WRITE, BUILD, DELETE):
            assert code(ask(address, query).json()) == "UNAUTHENTICATED"
        assert ask(address, READ, "bat_nonsense").status_code == 401


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


# ---- Sessions of browsers


@contextmanager
def signed_in(settings: Settings, scopes: Scope = Scope.WRITE) -> Iterator[httpx.Client]:
    """Give a browser that has exchanged a token for a cookie."""
    secret = token(settings, "me", scopes)
    with serving(settings) as address, httpx.Client(base_url=address) as browser:
        answer = browser.post("/session", json={"token": secret}, headers={"Origin": address})
        assert answer.status_code == 200, answer.text
        yield browser


def test_a_token_is_exchanged_for_a_cookie_that_no_script_and_no_other_site_can_use(
    settings: Settings,
) -> None:
    secret = token(settings, "me", Scope.WRITE | Scope.BUILD)
    with serving(settings) as address:
        answer = httpx.post(f"{address}/session", json={"token": secret})

    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert answer.json() == {"token": "me", "scopes": ["write", "build"], "isKnown": True}
    assert answer.headers["cache-control"] == "no-store"
    assert (cookie.value, cookie["httponly"], cookie["samesite"].lower()) == (secret, True, "strict")
    assert (cookie["path"], cookie["domain"], cookie["max-age"], cookie["expires"]) == ("/", "", "", "")


def test_a_cookie_counts_for_whatever_a_page_of_ours_asks(settings: Settings) -> None:
    with signed_in(settings) as browser:
        address = str(browser.base_url).rstrip("/")
        cookie = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
        own = {**cookie, "Origin": address, "Sec-Fetch-Site": "same-origin"}
        with open_socket(address, headers=own) as socket:
            greet(socket)
            on_socket = told(socket, WRITE)

        assert browser.get("/graphql", params={"query": READ}).status_code == 200
        assert ask(address, WRITE, headers=own).status_code == 200
        assert code(streamed(stream(address, READ, headers=own))) is None
        assert on_socket["type"] == "next"
        assert browser.get("/session").json() == {"token": "me", "scopes": ["write"], "isKnown": True}


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_cookie_does_not_count_for_a_page_of_another_site(
    settings: Settings, foreign: Mapping[str, str]
) -> None:
    # Not even for one that may use the API.
    with signed_in(replace(settings, origins=("https://evil.example",))) as browser:
        secret = browser.cookies[COOKIE]
        address = str(browser.base_url).rstrip("/")
        headers = {"Cookie": f"{COOKIE}={secret}", **foreign}
        signing_in = browser.post("/session", json={"token": secret}, headers=foreign)
        signing_out = browser.delete("/session", headers=foreign)

        assert browser.get("/graphql", params={"query": READ}, headers=foreign).status_code == 401
        assert ask(address, WRITE, headers=headers).status_code == 401
        assert code(streamed(stream(address, READ, headers=headers))) == "UNAUTHENTICATED"
        assert browser.get("/session", headers=foreign).json()["isKnown"] is False
        for refused in (signing_in, signing_out):
            assert refused.status_code == 403
            assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
            assert "set-cookie" not in refused.headers
        # A token that it shows itself does.
        assert ask(address, WRITE, secret, headers=foreign).status_code == 200


def test_a_socket_of_another_site_does_not_count_as_ours_though_it_may_be_opened(settings: Settings) -> None:
    with signed_in(replace(settings, origins=("https://board.example",))) as browser:
        secret = browser.cookies[COOKIE]
        address = str(browser.base_url).rstrip("/")
        headers = {"Cookie": f"{COOKIE}={secret}", "Origin": "https://board.example"}
        with open_socket(address, headers=headers) as socket:
            greet(socket)
            refused = told(socket, READ)

    assert code({"errors": refused["payload"]}) == "UNAUTHENTICATED"


def test_a_session_is_ended_by_forgetting_the_cookie(settings: Settings) -> None:
    with signed_in(settings) as browser:
        answer = browser.delete("/session")
        after = browser.get("/session")

    assert (answer.status_code, answer.content) == (204, b"")
    assert after.json() == {"token": None, "scopes": [], "isKnown": False}
    assert dict(browser.cookies) == {}


def test_a_session_ends_with_its_token(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_REMEMBERED_SECONDS", 0.0)
    with signed_in(settings) as browser:
        revoke(settings, "me")

        assert browser.get("/session").status_code == 401
        # It can still be left, and another begun.
        assert browser.delete("/session").status_code == 204


@pytest.mark.parametrize(
    ("given", "status", "problem"),
    [
        ({"json": {}}, 400, "`token` must be a string"),
        ({"json": {"token": ""}}, 400, "`token` must be a string"),
        ({"json": {"token": 5}}, 400, "`token` must be a string"),
        ({"json": []}, 400, "the body must be a JSON object"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "the body is not JSON"),
        ({"data": {"token": "bat_x"}}, 415, "send the body as application/json"),
        ({"json": {"token": "x" * 5_000}}, 413, "larger than 4,096 bytes"),
        ({"json": {"token": "bat_x\u00e9\n"}}, 401, "this is not a token of this server"),
    ],
)
def test_what_is_no_way_to_sign_in_is_refused(
    settings: Settings, given: Mapping[str, Any], status: int, problem: str
) -> None:
    token(settings, "me")
    with serving(settings) as address:
        answer = httpx.post(f"{address}/session", **given)

    assert answer.status_code == status
    assert problem in answer.json()["errors"][0]["message"]
    assert "set-cookie" not in answer.headers


def test_a_session_has_no_other_methods(settings: Settings) -> None:
    with serving(settings) as address:
        answer = httpx.put(f"{address}/session", json={})

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, DELETE")


@pytest.mark.parametrize("beside", ['theme={"dark": true}', "a b", "=", "x=\u00e9", "é[]=1; $Path=/"])
def test_cookies_of_others_on_this_machine_do_not_hide_ours(beside: str) -> None:
    headers = Headers(raw=[(b"cookie", f"{beside}; {COOKIE}=bat_x".encode())])

    assert secret_of(headers) == "bat_x"


# ---- Browsers, other sites and other names


def test_every_answer_tells_browsers_to_be_careful(settings: Settings) -> None:
    token(settings, "ci")
    with serving(settings) as address, httpx.Client(base_url=address) as client:
        answers = {
            "page": client.get("/"),
            "file": client.get("/dashboard.js"),
            "nothing": client.get("/nothing"),
            "refused": client.post("/graphql", json={"query": READ}),
            "malformed": client.post("/graphql", content=b"{"),
            "method": client.put("/graphql"),
            "events": stream(address, READ),
            "session": client.get("/session"),
            "health": client.get("/healthz"),
            "ready": client.get("/readyz"),
            "misdirected": client.get("/", headers={"Host": "evil.example"}),
        }

    for kind, answer in answers.items():
        assert answer.headers.items() >= CAREFUL.items(), kind
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, kind
        assert "frame-ancestors 'none'" in policy, kind
        assert "strict-transport-security" not in answer.headers, kind
    assert "script-src 'self'" in answers["page"].headers["content-security-policy"]


def test_an_answer_of_the_api_tells_browsers_to_be_careful(settings: Settings) -> None:
    with serving(settings) as address:
        answer = ask(address, READ)

    assert answer.status_code == 200
    assert answer.headers.items() >= CAREFUL.items()
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def preflight(address: str, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    return httpx.options(f"{address}/graphql", headers=headers)


def granted(answer: httpx.Response) -> str | None:
    found: str | None = answer.headers.get("access-control-allow-origin")
    return found


def test_no_other_site_is_granted_anything_by_default(settings: Settings) -> None:
    with serving(settings) as address:
        answers = [
            preflight(address, "https://board.example"),
            ask(address, READ, headers={"Origin": "https://board.example"}),
        ]

    assert [granted(answer) for answer in answers] == [None, None]


def test_sites_that_are_named_are_granted_the_api_and_no_cookies(settings: Settings) -> None:
    board = "https://board.example"
    with serving(replace(settings, origins=(board, "https://two.example"))) as address:
        asked = preflight(address, board)
        answer = ask(address, READ, headers={"Origin": board})
        others = [
            preflight(address, "https://evil.example"),
            ask(address, READ, headers={"Origin": "https://evil.example"}),
        ]

    assert (asked.status_code, granted(asked), granted(answer)) == (200, board, board)
    assert "access-control-allow-credentials" not in asked.headers
    assert [granted(each) for each in others] == [None, None]


def test_a_server_is_known_by_its_names_alone(settings: Settings) -> None:
    secret = token(settings, "ci")
    given = ["atlas.example", "ATLAS.example:443", "localhost:1", "evil.example", "xatlas.example"]
    with serving(replace(settings, hosts=("atlas.example",))) as address:
        answers = [ask(address, READ, secret, headers={"Host": host}) for host in given]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 421, 421]
    assert "atlas.example" in answers[-1].text


def test_a_socket_is_opened_by_pages_of_ours_and_of_sites_that_are_named(settings: Settings) -> None:
    with serving(replace(settings, origins=("https://board.example",))) as address:
        for origin in (address, "https://board.example"):
            with open_socket(address, headers={"Origin": origin}) as socket:
                greet(socket)
                assert told(socket, READ)["type"] == "next"
        for origin in ("https://evil.example", "http://board.example", "null"):
            with (
                pytest.raises(InvalidStatus) as refused,
                open_socket(address, headers={"Origin": origin}),
            ):
                pass
            assert refused.value.response.status_code == 403


def test_an_origin_that_is_no_address_is_that_of_another_site(settings: Settings) -> None:
    with (
        serving(settings) as address,
        pytest.raises(InvalidStatus) as refused,
        open_socket(address, headers={"Origin": "http://["}),
    ):
        pass

    assert refused.value.response.status_code == 403


def test_a_socket_to_an_unknown_name_is_refused(settings: Settings) -> None:
    place = {"Host": "evil.example", "Origin": "http://evil.example"}
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Protocol": "graphql-transport-ws",
    }
    with serving(settings) as address:
        assert httpx.get(f"{address}/graphql", headers={**handshake, **place}).status_code == 421
