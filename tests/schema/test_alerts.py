"""Rules and alerts by the API."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from resolvers.access import Viewer
from resolvers.alerting import evaluate
from schema.root import schema
from storage import alert_rules
from storage.monitoring_tables import Scope
from tests.schema.world import NOW, World

RULE: dict[str, Any] = {
    "name": "silent",
    "metric": "beats",
    "labels": [{"key": "site", "value": "paris"}],
    "aggregate": "COUNT",
    "comparison": "LT",
    "threshold": 1.0,
    "webhook": "https://alerts.example/hook?key=k3y",
    "webhookSecret": "s3cret",
}
SET = """mutation($rule: SetAlertRuleInput!) { setAlertRule(input: $rule) { rule {
    id name metric labels { key value } aggregate comparison threshold windowSeconds forSeconds severity enabled webhook
} } }"""
ALERTS = """query($state: [AlertState!], $first: Int, $after: String) {
    alerts(state: $state, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } edges { cursor }
        nodes { id state severity value message labels { key value } rule { name } deliveries { id } } } }"""


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    made = World.at(database_url)
    with closing(made.database):
        yield made


def code(world: World, query: str, **variables: object) -> str:
    """Return the code and message of the only error."""
    message, extensions = world.refusal(query, **variables)
    return f"{extensions['code']}: {message}"


def secret(world: World) -> str | None:
    with world.database.read() as connection:
        return alert_rules.by_names(connection, ["silent"])["silent"].webhook_secret


def test_a_rule_is_shown_as_it_was_set_but_for_its_secret(world: World) -> None:
    rule = world.ask(SET, rule=RULE)["setAlertRule"]["rule"]

    id_ = rule.pop("id")
    expected = {name: value for name, value in RULE.items() if name != "webhookSecret"}
    assert rule == {
        **expected,
        "windowSeconds": 300,
        "forSeconds": 0,
        "severity": "WARNING",
        "enabled": True,
    }
    found = world.ask("query($id: ID!) { node(id: $id) { id ... on AlertRule { name } } }", id=id_)["node"]
    assert found == {"id": id_, "name": "silent"}
    assert "secret" not in str(world.ask('{ __type(name: "AlertRule") { fields { name } } }')).lower()


def test_a_secret_stays_until_another_is_set(world: World) -> None:
    kept = []
    for given in ("s3cret", None, "other", ""):
        world.ask(SET, rule={**RULE, "webhookSecret": given})
        kept.append(secret(world))

    assert kept == ["s3cret", "s3cret", "other", None]


def test_who_may_not_set_rules_does_not_see_the_address_of_a_receiver(world: World) -> None:
    world.ask(SET, rule=RULE)

    def seen_by(scope: Scope) -> object:
        context = world.context()
        context.viewer = Viewer("ci", scope)
        result = asyncio.run(schema.execute("{ alertRules { webhook } }", context_value=context))
        assert result.data is not None
        return result.data["alertRules"][0]["webhook"]

    seen = {scope: seen_by(scope) for scope in (Scope.READ, Scope.ADMIN)}

    assert seen == {Scope.READ: "https://alerts.example/…", Scope.ADMIN: RULE["webhook"]}


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"name": ""}, "BAD_USER_INPUT: name: "),
        ({"windowSeconds": 0}, "BAD_USER_INPUT: windowSeconds: "),
        ({"forSeconds": -1}, "BAD_USER_INPUT: forSeconds: "),
        ({"webhook": "ftp://x"}, "BAD_USER_INPUT: webhook: is not the address of a receiver"),
        ({"webhook": "https://"}, "BAD_USER_INPUT: webhook: is not"),
        ({"webhook": "https://x:99999/"}, "BAD_USER_INPUT: webhook: is not"),
        ({"webhook": "https://x/a b"}, "BAD_USER_INPUT: webhook: is not"),
        ({"webhook": "https://u:p@x/"}, "BAD_USER_INPUT: webhook: must not name a user or password"),
        ({"labels": [{"key": "a", "value": "1"}] * 2}, "BAD_USER_INPUT: "),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(world: World, fields: dict[str, object], refusal: str) -> None:
    assert code(world, SET, rule={**RULE, **fields}).startswith(refusal)
    assert world.ask("{ alertRules { name } }") == {"alertRules": []}


def test_a_rule_is_deleted_by_its_name(world: World) -> None:
    world.ask(SET, rule=RULE)
    delete = "mutation($name: String!) { deleteAlertRule(input: { name: $name }) { deletedName } }"

    wrong = code(world, delete, name="silnet")
    deleted = world.ask(delete, name="silent")

    assert wrong == "NOT_FOUND: there is no alert rule 'silnet'; did you mean silent?"
    assert deleted == {"deleteAlertRule": {"deletedName": "silent"}}
    assert world.ask("{ alertRules { name } }") == {"alertRules": []}


def test_alerts_are_listed_by_state_page_by_page(world: World) -> None:
    for name in ("a", "b", "c"):
        world.ask(SET, rule={**RULE, "name": name, "forSeconds": 60 if name == "c" else 0})
    evaluate(world.database, now=NOW)

    first = world.ask(ALERTS, first=2)["alerts"]
    rest = world.ask(ALERTS, first=2, after=first["pageInfo"]["endCursor"])["alerts"]
    firing = world.ask(ALERTS, state=["FIRING"])["alerts"]
    none = world.ask(ALERTS, state=["RESOLVED"])["alerts"]

    assert [node["rule"]["name"] for node in first["nodes"] + rest["nodes"]] == ["c", "b", "a"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert [edge["cursor"] for edge in first["edges"]][-1] == first["pageInfo"]["endCursor"]
    assert [node["rule"]["name"] for node in firing["nodes"]] == ["b", "a"]
    assert none == {
        "totalCount": 0,
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "edges": [],
        "nodes": [],
    }


def test_an_alert_is_acknowledged_once_and_its_history_says_by_whom(world: World) -> None:
    world.ask(SET, rule=RULE)
    evaluate(world.database, now=NOW)
    (alert,) = world.ask(ALERTS)["alerts"]["nodes"]
    acknowledge = """mutation($id: ID!) { acknowledgeAlert(input: { id: $id }) {
        alert { state acknowledgedAt } } }"""

    first, again = (world.ask(acknowledge, id=alert["id"]) for _ in "12")

    assert first == again
    assert first["acknowledgeAlert"]["alert"]["state"] == "ACKNOWLEDGED"
    history = "query($id: ID!) { stateTransitions(subject: $id) { nodes { from to } } }"
    assert world.ask(history, id=alert["id"])["stateTransitions"]["nodes"] == [
        {"from": None, "to": "FIRING"},
        {"from": "FIRING", "to": "ACKNOWLEDGED"},
    ]


def test_what_cannot_be_done_with_an_alert_says_why(world: World) -> None:
    world.ask(SET, rule={**RULE, "webhook": None, "forSeconds": 60})
    evaluate(world.database, now=NOW)
    (alert,) = world.ask(ALERTS)["alerts"]["nodes"]
    acknowledge = "mutation($id: ID!) { acknowledgeAlert(input: { id: $id }) { alert { id } } }"
    redeliver = "mutation($id: ID!) { redeliverAlert(input: { id: $id }) { alert { id } } }"

    assert code(world, acknowledge, id=alert["id"]).startswith("ILLEGAL_TRANSITION: ")
    assert code(world, redeliver, id=alert["id"]).startswith("CONFLICT: nobody is told of alert 1: ")
    assert code(world, redeliver, id="QWxlcnQ6OTk") == "NOT_FOUND: there is no alert of this id"
    assert code(world, redeliver, id="UGFja2FnZTox").startswith("BAD_USER_INPUT: ")
