"""Answers that bear a tag, and word that they still hold: never when something has changed that they tell of."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from buildatlas.settings import Settings
from resolvers import access
from resolvers.trimming import Retention, trim_events
from schema.root import Schema
from storage.backup import back_up, restore
from storage.database import Database
from storage.monitoring_tables import Scope
from tests.api.processes import server_process
from tests.api.serving import publish, serving
from tests.databases import url_of
from tests.schema.crowd import crowd
from tests.schema.test_repeatable import REPEATABLE

RESPONSE = "application/graphql-response+json"
LATEST = '{ package(name: "a") { latestVersion { version } } }'
NAMED = "query A($name: String!) { package(name: $name) { name } } query B { packages { totalCount } }"
KEPT = {"cache-control": "private, no-cache", "vary": "Accept, Authorization, Cookie"}


def get(address: str, query: str = LATEST, *, tag: str | None = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if tag is not None:
        named["If-None-Match"] = tag
    return httpx.get(f"{address}/graphql", params={"query": query}, headers=named, timeout=60)


def said(answer: httpx.Response, *names: str) -> Mapping[str, str | None]:
    return {name: answer.headers.get(name) for name in names}


def latest(answer: httpx.Response) -> Any:
    return answer.json()["data"]["package"]["latestVersion"]["version"]


def tag_at(address: str, query: str = LATEST, **headers: str) -> str:
    """Return the tag of an answer, which it must have."""
    answer = get(address, query, **headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


def test_an_answer_has_a_tag_and_is_not_sent_again_until_something_changes(address: str) -> None:
    publish(address, "a", "1")
    first = get(address)
    tag = first.headers["etag"]

    again = get(address, tag=tag)
    publish(address, "a", "2")
    changed = get(address, tag=tag)

    assert (first.status_code, latest(first), said(first, *KEPT)) == (200, "1", KEPT)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert said(again, *KEPT) == KEPT
    assert (changed.status_code, latest(changed)) == (200, "2")
    assert changed.headers["etag"] != tag


def test_what_still_holds_is_not_executed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    executed: list[str] = []
    execute = Schema.execute

    async def counted(self: Schema, query: str, *arguments: Any, **options: Any) -> Any:
        executed.append(query)
        return await execute(self, query, *arguments, **options)

    monkeypatch.setattr(Schema, "execute", counted)
    tag = tag_at(address)

    assert [get(address, tag=tag).status_code for _ in range(3)] == [304, 304, 304]
    assert executed == [LATEST]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("{tag}", 304),
        ("{strong}", 304),
        ('"other", {tag}', 304),
        ('W/"a,b",{tag} , "c"', 304),
        ("*", 304),
        ('"other"', 200),
        ('W/"other"', 200),
        ("{bare}", 200),
        ("", 200),
        ('"*"', 200),
    ],
)
def test_tags_are_compared_as_weak_ones_in_a_list(address: str, given: str, status: int) -> None:
    tag = tag_at(address)
    strong = tag.removeprefix("W/")

    answer = get(address, tag=given.format(tag=tag, strong=strong, bare=strong.strip('"')))

    assert answer.status_code == status
    assert answer.headers["etag"] == tag


def test_headers_of_the_same_name_are_one_list(address: str) -> None:
    tag = tag_at(address)
    headers = [("If-None-Match", '"other"'), ("If-None-Match", tag)]

    assert httpx.get(f"{address}/graphql", params={"query": LATEST}, headers=headers).status_code == 304


@pytest.mark.parametrize("given", [None, "*"])
@pytest.mark.parametrize(
    "query",
    [
        "{ server { version } }",
        "{ blockers { kind } packages { totalCount } }",
        "{ builds { nodes { leaseExpiresAt } } }",
        "{ packages(first: 0) { totalCount } }",  # Refused while it is executed.
        '{ packages { totalCount } node(id: "nonsense") { id } }',
        "{ nothing }",
        "{",
        'mutation { registerPackage(input: { name: "a" }) { cursor } }',
        "query A { packages { totalCount } } query B { packages { totalCount } }",
    ],
)
def test_what_may_be_answered_otherwise_the_next_time_has_no_tag(
    address: str, query: str, given: str | None
) -> None:
    answer = get(address, query, tag=given)

    assert answer.status_code != 304
    assert said(answer, "etag", "cache-control") == {"etag": None, "cache-control": "no-store"}


def test_what_is_posted_has_no_tag(address: str) -> None:
    tag = tag_at(address)

    answer = httpx.post(f"{address}/graphql", json={"query": LATEST}, headers={"If-None-Match": tag})

    assert answer.status_code == 200
    assert said(answer, "etag", "cache-control") == {"etag": None, "cache-control": "no-store"}


def test_a_document_too_long_to_be_kept_has_no_tag(address: str) -> None:
    answer = get(address, LATEST + " " * 9_000)

    assert (answer.status_code, "etag" in answer.headers) == (200, False)


def test_each_question_has_a_tag_of_its_own(address: str) -> None:
    asked: list[dict[str, str]] = [
        {"query": LATEST},
        {"query": LATEST + " "},
        {"query": NAMED, "operationName": "B"},
        *(
            {"query": NAMED, "operationName": "A", "variables": json.dumps({"name": name})}
            for name in ("a", "b")
        ),
    ]
    answers = [
        httpx.get(f"{address}/graphql", params=each, headers={"Accept": media})
        for each in asked
        for media in ("application/json", RESPONSE)
    ]

    assert [answer.status_code for answer in answers] == [200] * 10
    assert len({answer.headers["etag"] for answer in answers}) == 10


def test_the_order_of_variables_makes_no_other_question(address: str) -> None:
    query = "query($a: String!, $b: String!) { a: package(name: $a) { name } b: package(name: $b) { name } }"
    tags = [
        httpx.get(f"{address}/graphql", params={"query": query, "variables": text}).headers["etag"]
        for text in ('{"a": "x", "b": "y"}', '{"b": "y", "a": "x"}')
    ]

    assert tags[0] == tags[1]


def token(settings: Settings, name: str, scopes: Scope) -> dict[str, str]:
    """Make a token, and return the header that shows it."""
    with closing(Database.open(settings.database_url)) as database:
        secret = access.create(database, name, scopes, now=datetime.now(UTC)).secret
    return {"Authorization": f"Bearer {secret}"}


def test_a_tag_does_not_stand_in_for_a_right(settings: Settings) -> None:
    # Whatever the server remembers of a token is two seconds old at most; a new one remembers nothing.
    reader, other, writer = (
        token(settings, "reader", Scope.READ),
        token(settings, "other", Scope.READ),
        token(settings, "writer", Scope.WRITE),
    )
    with serving(settings) as address:
        tag = tag_at(address, **reader)
        same, another, without = (get(address, tag=tag, **who) for who in (other, writer, {}))
    with closing(Database.open(settings.database_url)) as database:
        access.revoke(database, "reader", now=datetime.now(UTC))
    with serving(settings) as address:
        revoked, still = get(address, tag=tag, **reader), get(address, tag=tag, **other)

    assert (same.status_code, another.status_code) == (304, 200)
    assert (without.status_code, revoked.status_code, still.status_code) == (401, 401, 304)
    assert said(revoked, "etag", "cache-control") == {"etag": None, "cache-control": "no-store"}


def test_a_tag_does_not_stand_in_for_a_limit(settings: Settings) -> None:
    query = "{ packages(first: 100) { nodes { name } } }"
    with serving(settings) as address:
        tag = tag_at(address, query)
    with serving(replace(settings, cost_limit=50)) as address:
        refused = get(address, query, tag=tag, Accept=RESPONSE)

    assert refused.status_code == 400
    assert refused.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


def test_a_position_is_waited_for_before_a_tag_is_looked_at(settings: Settings) -> None:
    with serving(replace(settings, catch_up_seconds=1)) as address:
        cursor = publish(address, "a", "1")
        tag = tag_at(address)

        reached = get(address, tag=tag, Buildatlas_After=cursor)
        ahead = get(address, tag=tag, Buildatlas_After=str(int(cursor) + 1))

    assert (reached.status_code, ahead.status_code) == (304, 503)
    assert ahead.headers["cache-control"] == "no-store"


@contextmanager
def pair(url: str, **environment: str) -> Iterator[tuple[str, str]]:
    """Give the addresses of two server processes on one database."""
    with (
        # Which may order what they keep in sets in another way each.
        server_process(url, PYTHONHASHSEED="1", **environment) as first,
        server_process(url, PYTHONHASHSEED="2", **environment) as second,
    ):
        yield first.address, second.address


@pytest.mark.parametrize("times", [15, pytest.param(300, marks=pytest.mark.long)])
def test_no_process_takes_an_answer_for_good_once_a_write_is_acknowledged(
    database_url: str, times: int
) -> None:
    with pair(database_url) as addresses:
        publish(addresses[0], "a", "0")
        tag = tag_at(addresses[0])
        for number in range(1, times + 1):
            here, there = addresses if number % 2 else reversed(addresses)
            assert get(there, tag=tag).status_code == 304

            publish(here, "a", str(number))
            answer = get(there, tag=tag)

            assert (answer.status_code, latest(answer)) == (200, str(number))
            tag = answer.headers["etag"]
            assert get(here, tag=tag).status_code == 304


def test_processes_answer_what_is_repeatable_byte_by_byte_alike(database_url: str) -> None:
    with crowd(database_url, 3) as made:
        variables = json.dumps(made.variables)
    with (
        pair(database_url, BUILDATLAS_COST_LIMIT="100000000") as (here, there),
        httpx.Client(base_url=here, timeout=60) as one,
        httpx.Client(base_url=there, timeout=60) as other,
    ):
        for field, document in REPEATABLE.items():
            asked = {"query": document, "variables": variables}
            first, second = (client.get("/graphql", params=asked) for client in (one, other))
            assert "etag" in first.headers, first.text
            assert first.headers["etag"] == second.headers["etag"], field
            assert first.content == second.content, field


def test_a_trimmed_log_changes_no_tag(settings: Settings) -> None:
    with serving(settings) as address:
        for version in ("1", "2", "3"):
            publish(address, "a", version)
        tag = tag_at(address)
        with closing(Database.open(settings.database_url)) as database:
            trimmed = trim_events(database, Retention(1, timedelta(0)), now=datetime.now(UTC))
        after = get(address, tag=tag)
        publish(address, "a", "4")
        changed = get(address, tag=tag)

    assert trimmed > 0
    assert (after.status_code, changed.status_code) == (304, 200)


def test_a_tag_of_a_history_that_was_left_means_nothing_in_the_one_gone_on_with(
    settings: Settings, tmp_path: Path
) -> None:
    backup = tmp_path / "backup.db"
    with serving(settings) as address:
        publish(address, "a", "1")
        before = tag_at(address)
        with closing(Database.open(settings.database_url)) as database:
            back_up(database, backup)
        left = publish(address, "a", "2")
        tag = tag_at(address)

    kind = "postgresql" if "://" in settings.database_url else "sqlite"
    with url_of(kind, tmp_path / "restored") as url:
        restore(backup, url)
        with serving(replace(settings, database_url=url)) as address:
            same = get(address, tag=before)
            gone_on = publish(address, "a", "3")
            answer = get(address, tag=tag)

    assert same.status_code == 304
    assert gone_on == left, "the positions are the same"
    assert (answer.status_code, latest(answer)) == (200, "3")


def test_pages_of_other_sites_may_ask_with_a_tag(settings: Settings) -> None:
    site = "https://dashboard.example"
    asked = {
        "Origin": site,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match",
    }
    with serving(replace(settings, origins=(site,))) as address:
        preflight = httpx.options(f"{address}/graphql", headers=asked)
        answer = get(address, Origin=site)
        again = get(address, tag=answer.headers["etag"], Origin=site)

    assert preflight.status_code == 200
    assert "etag" in answer.headers["access-control-expose-headers"].lower()
    assert (again.status_code, again.headers["access-control-allow-origin"]) == (304, site)
