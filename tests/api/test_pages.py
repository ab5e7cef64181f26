"""What browsers are given: the pages, their files, and the headers of both."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from buildatlas.pages import PageOrAPI, Pages, compressed

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture(params=["/", "/graphql"])
def place(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def files_of(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="\./(assets/[^"]+)"', page)


def test_a_page_is_served_with_headers_that_keep_it_to_itself(address: str, place: str) -> None:
    page = httpx.get(f"{address}{place}", headers=BROWSER)

    assert page.status_code == 200
    assert "Buildatlas</title>" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-cache"


def test_the_dashboard_may_do_nothing_unsafe(address: str) -> None:
    assert "unsafe" not in httpx.get(f"{address}/").headers["content-security-policy"]


def test_a_page_holds_no_script_or_style_of_its_own(address: str, place: str) -> None:
    page = httpx.get(f"{address}{place}", headers=BROWSER).text

    assert "<style" not in page
    assert " style=" not in page
    assert " on" not in re.sub(r">[^<]*<", "><", page)
    assert page.count("<script") == page.count('<script type="module" crossorigin src="./assets/') == 1


def test_every_file_that_a_page_names_is_served_and_kept(address: str, place: str) -> None:
    files = files_of(httpx.get(f"{address}{place}", headers=BROWSER).text)

    answers = [httpx.get(f"{address}/{name}") for name in files]

    assert len(files) >= 2
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["cache-control"] for answer in answers} == {FOREVER}


def test_files_go_compressed_to_those_who_take_them_so(address: str) -> None:
    name = files_of(httpx.get(f"{address}/").text)[0]

    compressed_one = httpx.get(f"{address}/{name}", headers={"Accept-Encoding": "gzip"})
    plain = httpx.get(f"{address}/{name}", headers={"Accept-Encoding": "identity"})

    assert compressed_one.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert compressed_one.content == plain.content


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("text/html;q=0.5, application/json", "application/json"),
        (BROWSER["Accept"], "text/html"),
    ],
)
def test_the_ide_is_for_those_who_would_rather_have_a_page(address: str, accept: str, kind: str) -> None:
    answer = httpx.get(f"{address}/graphql", headers={"Accept": accept})

    assert answer.headers["content-type"].partition(";")[0] == kind


def test_a_query_in_the_address_is_answered_in_a_browser_too(address: str) -> None:
    answer = httpx.get(f"{address}/graphql", params={"query": "{ __typename }"}, headers=BROWSER)

    assert answer.json()["data"] == {"__typename": "Query"}


def test_the_ide_has_one_address(address: str) -> None:
    assert httpx.get(f"{address}/graphql.html", headers=BROWSER).status_code == 404


@pytest.mark.parametrize("path", ["/nothing", "/../settings.py", "/%2e%2e/settings.py"])
def test_nothing_else_is_served(address: str, path: str) -> None:
    assert httpx.get(f"{address}{path}").status_code == 404


def asked_in_process(app: ASGIApp, path: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get(path, headers=BROWSER)

    return asyncio.run(ask())


def test_pages_that_are_not_built_say_how_to_build_them(tmp_path: Path) -> None:
    answer = asked_in_process(compressed(Pages(tmp_path)), "/")

    assert answer.status_code == 404
    assert "make dashboard" in answer.text


def test_an_ide_that_is_not_built_leaves_its_address_to_the_api(tmp_path: Path) -> None:
    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("the API")(scope, receive, send)

    assert asked_in_process(PageOrAPI(api, tmp_path), "/graphql").text == "the API"
