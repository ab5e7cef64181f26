"""Rules, and their alerts: one open for each set of labels, listed by state, and moved."""

import pytest

from storage import alert_rules, alerts, history
from storage.database import Connection, Database
from storage.monitoring_rows import AlertRow, AlertRuleRow
from storage.monitoring_tables import AlertRuleFields, AlertSeverity, Comparison, MetricAggregate
from storage.tables import SubjectType
from storage.transitions import AlertState
from tests.storage.build_world import undone
from tests.storage.subjects import SUBJECTS
from tests.storage.world import LATER, NOW

_SUBJECT = next(subject for subject in SUBJECTS if subject.type is SubjectType.ALERT)
_PAIRS = [(origin, target) for origin in AlertState for target in AlertState]


def add_rule(database: Database, name: str, **fields: object) -> int:
    """Write a rule and return its id."""
    values = {"name": name, "metric": "load", "comparison": Comparison.GT, "threshold": 1.0, **fields}

    def operation(connection: Connection) -> int:
        alert_rules.put(connection, AlertRuleFields.model_validate(values), now=NOW)
        return alert_rules.by_names(connection, [name])[name].id

    return database.write(operation).value


def add_alert(database: Database, rule_id: int, state: AlertState, **labels: str) -> int:
    """Write an alert and return its id."""

    def operation(connection: Connection) -> int:
        id_ = next(alerts.ids(connection))
        beginning = AlertState.PENDING
        severity = AlertSeverity.WARNING
        row = AlertRow(id_, rule_id, beginning, severity, 2.0, labels, "high", NOW, NOW, NOW)
        alerts.insert(connection, [row], actor="rules")
        if state is not beginning:
            alerts.move(connection, id_, state, now=NOW)
        return id_

    return database.write(operation).value


def test_a_rule_put_again_keeps_its_id_and_its_beginning(database: Database) -> None:
    id_ = add_rule(database, "busy", webhook="https://example.org/hook", webhook_secret="s")
    fields = AlertRuleFields(
        name="busy",
        metric="heat",
        labels={"site": "paris"},
        aggregate=MetricAggregate.P99,
        comparison=Comparison.LTE,
        threshold=-1.5,
        window_seconds=60,
        for_seconds=5,
        severity=AlertSeverity.CRITICAL,
        enabled=False,
    )

    database.write(lambda connection: alert_rules.put(connection, fields, now=LATER))

    expected = AlertRuleRow(id=id_, **fields.model_dump(), created_at=NOW, updated_at=LATER)
    with database.read() as connection:
        assert alert_rules.by_ids(connection, [id_, id_ + 1]) == {id_: expected}
        assert alert_rules.by_names(connection, ["busy", "Busy"]) == {"busy": expected}


def test_rules_are_listed_by_name(database: Database) -> None:
    for name in ("b", "B", "a"):
        add_rule(database, name)

    with database.read() as connection:
        assert [rule.name for rule in alert_rules.all_rules(connection)] == ["B", "a", "b"]


def test_a_deleted_rule_takes_its_alerts_along(database: Database) -> None:
    rule, other = add_rule(database, "busy"), add_rule(database, "idle")
    add_alert(database, rule, AlertState.FIRING)
    kept = add_alert(database, other, AlertState.FIRING)

    deleted = [database.write(lambda connection: alert_rules.delete(connection, rule)).value for _ in "12"]

    with database.read() as connection:
        assert [row.id for row in alerts.page(connection, limit=9)] == [kept]
    assert deleted == [True, False]


def test_alerts_are_listed_newest_first_by_state(database: Database) -> None:
    rule = add_rule(database, "busy")
    states = (AlertState.RESOLVED, AlertState.PENDING, AlertState.FIRING, AlertState.RESOLVED)
    ids = [add_alert(database, rule, state, n=str(number)) for number, state in enumerate(states)]
    open_ = (AlertState.PENDING, AlertState.FIRING)

    with database.read() as connection:
        everything = alerts.page(connection, limit=3)
        rest = alerts.page(connection, limit=3, after=everything[-1].id)
        some = alerts.page(connection, states=open_, limit=9)
        none = alerts.page(connection, states=(), limit=9)
        counts = [alerts.count(connection, states=states) for states in (None, open_, ())]

    assert [row.id for row in everything + rest] == ids[::-1]
    assert [row.id for row in some] == [ids[2], ids[1]]
    assert none == []
    assert counts == [4, 2, 0]


def test_one_alert_is_open_for_each_rule_and_set_of_labels(database: Database) -> None:
    rule, other = add_rule(database, "busy"), add_rule(database, "idle")
    add_alert(database, rule, AlertState.RESOLVED, a="1", b="2")
    both = add_alert(database, rule, AlertState.FIRING, b="2", a="1")
    one = add_alert(database, rule, AlertState.PENDING, a="1")
    another = add_alert(database, other, AlertState.PENDING)

    with database.read() as connection:
        assert [row.id for row in alerts.still_open(connection)] == [both, one, another]
        found = [alerts.open_for(connection, rule, labels) for labels in ({"a": "1", "b": "2"}, {})]
    assert [row and row.id for row in found] == [both, None]
    with pytest.raises(Exception, match=r"ix_alerts_open|alerts\.labels"):
        add_alert(database, rule, AlertState.PENDING, a="1")


def test_an_alert_says_what_is_so_while_it_lasts(database: Database) -> None:
    id_ = add_alert(database, add_rule(database, "busy"), AlertState.FIRING)

    def renew(connection: Connection) -> bool:
        return alerts.renew(connection, id_, value=3.5, message="higher", blocked_builds=4, now=LATER)

    assert database.write(renew).value
    with database.read() as connection:
        row = alerts.by_ids(connection, [id_, id_ + 1])[id_]
    assert (row.value, row.message, row.blocked_builds, row.updated_at) == (3.5, "higher", 4, LATER)

    database.write(lambda connection: alerts.move(connection, id_, AlertState.RESOLVED, now=LATER))

    assert not database.write(renew).value


@pytest.mark.parametrize(("origin", "target"), _PAIRS)
def test_an_alert_moves_as_its_life_cycle_allows(
    kept_database: Database, origin: AlertState, target: AlertState
) -> None:
    def operation(connection: Connection) -> tuple[AlertRow, bool, AlertRow, str | None]:
        id_ = _SUBJECT.add_in(connection, origin)
        before = alerts.by_ids(connection, [id_])[id_]
        moved = alerts.move(connection, id_, target, reason="so", actor="ann", now=LATER)
        last = history.page(connection, SubjectType.ALERT, id_, limit=9)[-1]
        return before, moved, alerts.by_ids(connection, [id_])[id_], last.actor

    before, moved, after, actor = undone(kept_database, operation)

    assert moved is ((origin, target) in _SUBJECT.moves)
    if moved:
        assert (after.status, after.status_reason, after.updated_at, actor) == (target, "so", LATER, "ann")
        assert (after.acknowledged_at == LATER) is (target is AlertState.ACKNOWLEDGED)
        assert (after.resolved_at == LATER) is (target is AlertState.RESOLVED)
    else:
        assert after == before
