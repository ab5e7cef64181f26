"""What Prometheus reads at `/metrics`, and who may."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from buildatlas.settings import Settings
from resolvers import access
from resolvers.access import Gate
from storage.database import Database
from storage.monitoring_tables import Scope
from tests.api.processes import server_process, wait_until
from tests.api.serving import publish, serving

Labels = tuple[tuple[str, str], ...]


def scraped(address: str, **headers: str) -> Mapping[tuple[str, Labels], float]:
    """Return each value by its name and labels."""
    answer = httpx.get(f"{address}/metrics", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def total(values: Mapping[tuple[str, Labels], float], name: str, **labels: str) -> float:
    return sum(
        value
        for (each, found), value in values.items()
        if each == name and labels.items() <= dict(found).items()
    )


def test_requests_are_counted_by_method_route_and_status(address: str) -> None:
    for path in ("/healthz", "/healthz", "/graphql", "/nowhere"):
        httpx.get(f"{address}{path}")
    httpx.request("BREW", f"{address}/graphql")

    values = scraped(address)

    name = "buildatlas_http_request_seconds_count"
    assert total(values, name, method="GET", route="/healthz", status="200") == 2
    assert total(values, name, method="GET", route="/graphql", status="400") == 1
    assert total(values, name, method="GET", route="other", status="404") == 1
    assert total(values, name, method="other", route="/graphql", status="405") == 1


def test_operations_are_counted_by_name(address: str) -> None:
    publish(address, "lib", "1")
    httpx.post(f"{address}/graphql", json={"query": "query Mine { packages { totalCount } }"})

    values = scraped(address)

    assert total(values, "buildatlas_operation_seconds_count", operation="Mine", outcome="OK") == 1
    assert total(values, "buildatlas_database_run_seconds_count", **{"class": "write"}) >= 1


def test_an_unexpected_error_is_counted(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(Gate, "admit", fail)
        httpx.get(f"{address}/session")

    assert total(scraped(address), "buildatlas_errors_total", component="http") == 1


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "text/plain"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
    ],
)
def test_the_form_is_the_one_that_is_asked_for(address: str, accept: str, media: str) -> None:
    answer = httpx.get(f"{address}/metrics", headers={"Accept": accept})

    assert answer.headers["content-type"].startswith(media)
    assert answer.headers["cache-control"] == "no-store"
    parse = openmetrics if "openmetrics" in media else text_string_to_metric_families
    families = {family.name: family for family in parse(answer.text)}
    assert families["buildatlas_http_request_seconds"].documentation.startswith("How long it takes until")


def test_another_method_is_refused(address: str) -> None:
    assert httpx.post(f"{address}/metrics").status_code == 405


@pytest.mark.parametrize(
    ("scope", "anonymous", "status"),
    [(None, False, 401), (None, True, 200), (Scope.READ, False, 200), (Scope.BUILD, False, 200)],
)
def test_who_may_read_the_api_may_read_what_is_measured(
    settings: Settings, scope: Scope | None, anonymous: bool, status: int
) -> None:
    with closing(Database.open(settings.database_url)) as database:
        made = access.create(database, "prometheus", scope or Scope.READ, now=datetime.now(UTC))
    headers = {"Authorization": f"Bearer {made.secret}"} if scope else {}

    with serving(Settings(settings.database_url, port=0, anonymous_read=anonymous)) as address:
        answer = httpx.get(f"{address}/metrics", headers=headers)

    assert answer.status_code == status
    assert ("www-authenticate" in answer.headers) is (status == 401)


def test_several_processes_answer_for_all_of_them(tmp_path: Path) -> None:
    with server_process(str(tmp_path / "atlas.db"), "--workers", "2") as server:
        wait_until(lambda: len(server.workers()) == 2)
        for _ in range(20):
            # Each by a connection of its own, so that both processes have some.
            httpx.get(f"{server.address}/healthz")

        found = {
            total(scraped(server.address), "buildatlas_http_request_seconds_count", route="/healthz")
            for _ in range(10)
        }
        workers = {str(process) for process in server.workers()}
        wait_until(
            lambda: {dict(labels).get("pid") for _, labels in scraped(server.address)} - {None} == workers
        )

    assert found == {20}
