"""The line that is logged for each request."""

import logging
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from buildatlas.settings import Settings
from resolvers import access
from storage.database import Database
from storage.monitoring_tables import Scope
from tests.api.serving import serving


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the facts of each line."""
    names = ("method", "path", "status", "viewer", "operation")
    return [
        {name: vars(record)[name] for name in names if name in vars(record)}
        for record in caplog.records
        if record.name == "buildatlas.middleware"
    ]


@pytest.fixture(autouse=True)
def _told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_a_line_tells_what_was_asked_how_it_was_answered_and_how_long_that_took(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    httpx.get(f"{address}/healthz?a=1")

    (record,) = [record for record in caplog.records if record.name == "buildatlas.middleware"]
    assert record.getMessage() == "GET /healthz"
    assert vars(record)["seconds"] > 0
    assert lines(caplog) == [{"method": "GET", "path": "/healthz", "status": 200}]


def test_a_line_tells_the_name_of_the_token_and_never_the_token(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Database.open(settings.database_url)) as database:
        secret = access.create(database, "ci", Scope.READ, now=datetime.now(UTC)).secret
    with serving(settings) as address:
        httpx.post(
            f"{address}/graphql",
            json={"query": "query Mine { packages { totalCount } }"},
            headers={"Authorization": f"Bearer {secret}"},
        )

    assert lines(caplog) == [
        {"method": "POST", "path": "/graphql", "status": 200, "viewer": "ci", "operation": "Mine"}
    ]
    assert secret not in "".join(str(vars(record)) for record in caplog.records)


@pytest.mark.parametrize(
    ("body", "operation"),
    [
        ({"query": "query A { packages { totalCount } } query B { __typename }", "operationName": "B"}, "B"),
        ({"query": "query A { __typename } query B { __typename }"}, None),
        ({"query": "{ __typename }"}, None),
        ({"query": "query {"}, None),
        ({"query": f"query Long {{ __typename }} {' ' * 9_000}"}, None),
        ({"query": "{ __typename }", "operationName": "x" * 1_000}, "x" * 200),
    ],
)
def test_a_line_tells_the_name_of_the_operation_if_it_has_one(
    address: str, caplog: pytest.LogCaptureFixture, body: dict[str, str], operation: str | None
) -> None:
    httpx.post(f"{address}/graphql", json=body)

    assert [line.get("operation") for line in lines(caplog)] == [operation]


def test_a_line_tells_the_name_of_what_is_asked_by_an_event_stream(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    query = "query Mine { packages { totalCount } }"
    httpx.get(f"{address}/graphql/stream", params={"query": query}, headers={"Accept": "text/event-stream"})

    assert [line.get("operation") for line in lines(caplog)] == ["Mine"]
