"""GraphQL over HTTP, as the specification says and as clients misuse it."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.api.serving import publish

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
VERSION = '{ package(name: "a") { name } }'


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as made:
        yield made


def post(client: httpx.Client, body: bytes | str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/graphql", content=body, headers={"Content-Type": JSON} | named)


def test_a_query_by_post_and_by_get_have_the_same_answer(client: httpx.Client) -> None:
    publish(str(client.base_url).rstrip("/"), "a", "1")
    variables = {"name": "a"}
    document = "query Find($name: String!) { package(name: $name) { name } }"

    posted = client.post(
        "/graphql", json={"query": document, "variables": variables, "operationName": "Find"}
    )
    got = client.get(
        "/graphql", params={"query": document, "variables": json.dumps(variables), "extensions": ""}
    )

    assert posted.json() == got.json() == {"data": {"package": {"name": "a"}}, "extensions": {"cost": 1}}
    assert (posted.status_code, got.status_code) == (200, 200)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (RESPONSE, RESPONSE),
        (f"{RESPONSE}, {JSON};q=0.9", RESPONSE),
        (f"{RESPONSE};q=0.5, {JSON}", JSON),
        (f"text/html, {RESPONSE}, */*;q=0.1", RESPONSE),
        (f"{RESPONSE};charset=utf-8", RESPONSE),
    ],
)
def test_the_answer_has_the_type_that_the_client_prefers(
    client: httpx.Client, accept: str | None, expected: str
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    if accept is None:
        del client.headers["accept"]

    answer = client.post("/graphql", json={"query": VERSION}, headers=headers)

    assert answer.headers["content-type"] == f"{expected}; charset=utf-8"
    assert answer.status_code == 200


def test_a_client_that_takes_no_json_is_told_what_there_is(client: httpx.Client) -> None:
    answer = client.post(
        "/graphql", json={"query": VERSION}, headers={"Accept": "text/html, image/*, x/y;q=z"}
    )

    assert answer.status_code == 406
    assert JSON in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "document", ["{", "{ nothing }", "query($v: Int!) { cycles(first: $v) { totalCount } }"]
)
def test_a_refused_document_has_no_data_and_a_status_where_the_client_knows_it(
    client: httpx.Client, document: str
) -> None:
    newer = client.post("/graphql", json={"query": document}, headers={"Accept": RESPONSE})
    older = client.post("/graphql", json={"query": document}, headers={"Accept": JSON})

    assert (newer.status_code, older.status_code) == (400, 200)
    assert "data" not in newer.json()
    assert newer.json() == older.json()


def test_an_error_in_one_field_keeps_the_others(client: httpx.Client) -> None:
    document = '{ package(name: "a") { name } node(id: "nonsense") { id } }'

    answer = client.post("/graphql", json={"query": document}, headers={"Accept": RESPONSE})

    assert answer.status_code == 200
    assert answer.json()["data"] == {"package": None, "node": None}
    assert answer.json()["errors"][0]["path"] == ["node"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"5",
        b'"x"',
        b"[]",
        b"[{}]",
        b"{",
        b"\xff\xfe",
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 5}',
        b'{"query": ["{ server { version } }"]}',
        b'{"query": "{ server { version } }", "variables": 5}',
        b'{"query": "{ server { version } }", "variables": "{}"}',
        b'{"query": "{ server { version } }", "variables": []}',
        b'{"query": "{ server { version } }", "operationName": 5}',
        b'{"query": "{ server { version } }", "extensions": 5}',
        b'{"query": "{ server { version } }", "operationName": "Other"}',
        b'{"query": "query A { server { version } } query B { server { version } }", "operationName": "C"}',
        b'{"query": "subscription { events { __typename } }"}',
        b'{"query": "fragment F on Query { server { version } }"}',
        b'{"query": "\\ud800"}',
    ],
)
@pytest.mark.parametrize("accept", [JSON, RESPONSE])
def test_a_body_that_is_no_request_is_a_bad_request(client: httpx.Client, body: bytes, accept: str) -> None:
    answer = post(client, body, accept=accept)

    assert answer.status_code == 400
    assert "data" not in answer.json()
    assert answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        f"{JSON}; charset=latin-1",
    ],
)
def test_a_post_of_anything_but_json_in_utf_8_is_unsupported(client: httpx.Client, kind: str) -> None:
    answer = client.post(
        "/graphql", content=b'{"query": "{ server { version } }"}', headers={"Content-Type": kind}
    )

    assert answer.status_code == 415


def test_a_post_without_a_content_type_is_unsupported(client: httpx.Client) -> None:
    assert client.post("/graphql", content=b"{}").status_code == 415


@pytest.mark.parametrize("kind", ["application/json;charset=UTF-8", "Application/JSON; charset=utf8"])
def test_json_in_utf_8_by_another_spelling_is_supported(client: httpx.Client, kind: str) -> None:
    body = json.dumps({"query": VERSION}).encode()

    assert client.post("/graphql", content=body, headers={"Content-Type": kind}).status_code == 200


def test_a_mutation_by_get_is_not_allowed_and_changes_nothing(client: httpx.Client) -> None:
    document = 'mutation { registerPackage(input: { name: "a" }) { cursor } }'

    answer = client.get("/graphql", params={"query": document})

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert client.get("/graphql", params={"query": VERSION}).json()["data"] == {"package": None}


@pytest.mark.parametrize(
    "query", [{}, {"query": ""}, {"query": VERSION, "variables": "{"}, {"query": VERSION, "variables": "5"}]
)
def test_a_get_that_is_no_request_is_a_bad_request(client: httpx.Client, query: dict[str, str]) -> None:
    assert client.get("/graphql", params=query).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_not_allowed(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "/graphql")

    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) >= {"GET", "POST"}


def test_a_body_past_the_limit_is_refused_by_its_declared_length(client: httpx.Client) -> None:
    answer = post(client, json.dumps({"query": VERSION + " " * 70_000}))

    assert answer.status_code == 413
    assert "65,536 bytes" in answer.json()["errors"][0]["message"]


def test_a_body_past_the_limit_is_refused_though_it_declares_no_length(client: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(80):
            yield b" " * 1024

    answer = client.post("/graphql", content=chunks(), headers={"Content-Type": JSON})

    assert answer.status_code == 413


def test_an_answer_carries_the_id_that_the_request_came_with(client: httpx.Client) -> None:
    given = client.post("/graphql", json={"query": VERSION}, headers={"X-Request-Id": "from-me.1"})
    unfit = client.post("/graphql", json={"query": VERSION}, headers={"X-Request-Id": "spaces and \t tabs"})
    none = client.post("/graphql", json={"query": VERSION})

    assert given.headers["x-request-id"] == "from-me.1"
    assert len(unfit.headers["x-request-id"]) == 32
    assert unfit.headers["x-request-id"] != none.headers["x-request-id"]


@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.example", 421), ("localhost:1234", 200), ("[::1]:80", 200), ("127.0.0.1", 200)],
)
def test_only_names_of_this_machine_are_answered(client: httpx.Client, host: str, status: int) -> None:
    answer = client.post("/graphql", json={"query": VERSION}, headers={"Host": host})

    assert answer.status_code == status
