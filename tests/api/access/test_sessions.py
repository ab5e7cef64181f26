"""Sessions of browsers: a token is exchanged for a cookie."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers

from buildatlas.doorkeeping import COOKIE, secret_of
from buildatlas.settings import Settings
from resolvers import access
from storage.monitoring_tables import Scope
from tests.api.access.clients import (
    READ,
    WRITE,
    ask,
    code,
    greet,
    open_socket,
    revoke,
    stream,
    streamed,
    token,
    told,
)
from tests.api.serving import serving


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
