"""Pages of other sites, other names of the server, and what browsers are told."""

from dataclasses import replace

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from buildatlas.settings import Settings
from tests.api.access.clients import HANDSHAKE, READ, ask, greet, open_socket, stream, token, told
from tests.api.serving import serving
from tests.api.test_pages import files_of

CAREFUL = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


def test_every_answer_tells_browsers_to_be_careful(settings: Settings) -> None:
    token(settings, "ci")
    with serving(settings) as address, httpx.Client(base_url=address) as client:
        answers = {
            "page": client.get("/"),
            "file": client.get(f"/{files_of(client.get('/').text)[0]}"),
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
    with serving(settings) as address:
        assert httpx.get(f"{address}/graphql", headers={**HANDSHAKE, **place}).status_code == 421
