"""Alerts from a measurement to a receiver, by two server processes of which one is killed."""

import hashlib
import hmac
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import pytest

from tests.api.processes import ServerProcess, server_process, wait_until
from tests.api.receiver import Receiver, receiver

QUICK: Final = {
    "BUILDATLAS_ALERT_SECONDS": "1",
    "BUILDATLAS_WEBHOOK_PRIVATE": "yes",
    "BUILDATLAS_WEBHOOK_SECONDS": "1",
    "BUILDATLAS_WEBHOOK_BACKOFF_SECONDS": "1",
    "BUILDATLAS_WEBHOOK_LONGEST_BACKOFF_SECONDS": "1",
    "BUILDATLAS_WEBHOOK_ATTEMPTS": "100",
    "BUILDATLAS_EXTERNAL_URL": "https://atlas.example",
}
SECRET: Final = "s3cret-of-mine"
ALERTS: Final = """{ alerts { nodes { id state value labels { key value } rule { name webhook }
    deliveries { attempt delivered status message } } } }"""


def ask(server: ServerProcess, query: str, **variables: object) -> Any:
    answer = httpx.post(
        f"{server.address}/graphql", json={"query": query, "variables": variables}, timeout=30
    ).json()
    assert "errors" not in answer, answer
    return answer["data"]


def measure(server: ServerProcess, value: float) -> None:
    metrics = [{"name": "heat", "value": value, "labels": [{"key": "site", "value": "paris"}]}]
    query = "mutation($metrics: [MetricInput!]!) { recordMetrics(input: { metrics: $metrics }) { recorded } }"
    assert ask(server, query, metrics=metrics) == {"recordMetrics": {"recorded": 1}}


def set_rule(server: ServerProcess, told: Receiver) -> None:
    # The least of a minute falls at once, unlike its mean.
    rule = {
        "name": "hot",
        "metric": "heat",
        "aggregate": "MIN",
        "comparison": "GT",
        "threshold": 5,
        "windowSeconds": 5,
        "forSeconds": 1,
        "webhook": told.url,
        "webhookSecret": SECRET,
    }
    ask(
        server,
        "mutation($rule: SetAlertRuleInput!) { setAlertRule(input: $rule) { rule { id } } }",
        rule=rule,
    )


def alert(server: ServerProcess) -> Any:
    nodes = [node for node in ask(server, ALERTS)["alerts"]["nodes"] if node["rule"]["name"] == "hot"]
    assert len(nodes) <= 1
    return nodes[0] if nodes else {"state": None}


def is_hot(server: ServerProcess, so: Callable[[], bool]) -> Callable[[], bool]:
    """Go on measuring until it is so: what was measured in one minute does not count in the next."""

    def measured() -> bool:
        measure(server, 9)
        return so()

    return measured


def is_in(server: ServerProcess, state: str) -> Callable[[], bool]:
    return lambda: alert(server)["state"] == state


@contextmanager
def serving(database_url: str) -> Iterator[ServerProcess]:
    with server_process(database_url, "--workers", "2", **QUICK) as server:
        wait_until(lambda: len(server.workers()) == 2)
        yield server


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


def test_every_change_is_told_once_and_in_order_whatever_breaks_down(
    database_url: str, told: Receiver
) -> None:
    told.status, told.text = 503, f"not now, {SECRET} and k3y-of-mine"
    with serving(database_url) as server:
        set_rule(server, told)
        wait_until(is_hot(server, is_in(server, "FIRING")))
        wait_until(is_hot(server, lambda: len(told.calls) >= 2))
        found = alert(server)
        acknowledge = "mutation($id: ID!) { acknowledgeAlert(input: { id: $id }) { alert { state } } }"
        ask(server, acknowledge, id=found["id"])
        told.hangs = True
        calls = len(told.calls)
        wait_until(lambda: len(told.calls) > calls)
        server.stop(signal.SIGKILL)
    assert told.taken() == []

    told.hangs, told.status, told.text = False, 200, ""
    with serving(database_url) as server:
        wait_until(lambda: len(told.states()) >= 2, seconds=60)
        measure(server, 1)
        wait_until(is_in(server, "RESOLVED"), seconds=120)
        wait_until(lambda: len(told.states()) == 3)
        found = alert(server)

    assert told.states() == ["FIRING", "ACKNOWLEDGED", "RESOLVED"]
    assert [call.state for call in told.taken()] == told.states()
    assert [each["status"] for each in found["deliveries"] if each["delivered"]] == [200] * 3
    said = [each["message"] for each in found["deliveries"] if not each["delivered"]]
    assert said[0] == "503 Service Unavailable: not now, … and …"
    assert SECRET not in str(found)
    assert SECRET not in "\n".join(server.said)
    for call in told.taken():
        text = f"{call.headers['buildatlas-timestamp']}.".encode() + call.raw
        signed = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
        assert call.headers["buildatlas-signature"] == f"sha256={signed}"
        assert call.body["externalURL"] == "https://atlas.example"
        assert call.body["commonLabels"] == {"alertname": "hot", "severity": "warning", "site": "paris"}


def test_a_server_begins_with_rules_and_keeps_what_became_of_them(database_url: str) -> None:
    with serving(database_url) as server:
        names = [rule["name"] for rule in ask(server, "{ alertRules { name } }")["alertRules"]]
        ask(server, 'mutation { deleteAlertRule(input: { name: "queue stuck" }) { deletedName } }')
    with serving(database_url) as server:
        left = [rule["name"] for rule in ask(server, "{ alertRules { name } }")["alertRules"]]

    assert names == [
        "builds fail",
        "builds held up",
        "database slow",
        "events late",
        "queue stuck",
        "workers fall silent",
    ]
    assert left == [name for name in names if name != "queue stuck"]
