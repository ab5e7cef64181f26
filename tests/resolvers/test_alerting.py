"""Evaluating rules: by several at once, of what is measured, and of what holds up builds."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial

import pytest

from resolvers import alert_steps
from resolvers.alert_readings import BLOCKED_BUILDS, Reading, readings
from resolvers.alert_rules import RuleRequest, delete_rule, set_rule
from resolvers.alerting import evaluate, take_turn
from resolvers.alerts import acknowledge, trim
from resolvers.metrics import record
from storage import alerts, deliveries, history
from storage.database import Database
from storage.errors import OutOfTime
from storage.monitoring_rows import AlertRuleRow
from storage.monitoring_tables import AlertRuleFields, Comparison, MetricAggregate, MetricFields
from storage.tables import SubjectType
from storage.time_limits import check_time
from storage.transitions import AlertState, BuildConclusion, BuildStatus
from tests.resolvers import build_world
from tests.resolvers.alert_world import World, hot, told_states
from tests.storage.world import NOW

MANY = 8


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def test_an_alert_goes_through_all_its_states(world: World) -> None:
    world.set()

    world.evaluate(paris=6)
    world.tick(30)
    world.evaluate(paris=7)
    (alert,) = world.alerts()
    world.tick(1)
    acknowledge(world.database, alert.id, now=world.now, actor="ann")
    world.evaluate(paris=8)
    world.evaluate(paris=1)
    world.tick(60)
    world.evaluate(paris=2)

    (alert,) = world.alerts()
    with world.database.read() as connection:
        moves = history.page(connection, SubjectType.ALERT, alert.id, limit=9)
    assert [(move.target, move.actor) for move in moves] == [
        ("PENDING", None),
        ("FIRING", None),
        ("ACKNOWLEDGED", "ann"),
        ("RESOLVED", None),
    ]
    assert (alert.value, alert.started_at) == (2, NOW)
    assert alert.resolved_at == world.now
    assert told_states(world.deliver()) == ["FIRING", "ACKNOWLEDGED", "RESOLVED"]


def test_a_rule_without_patience_fires_at_once(world: World) -> None:
    world.set(for_seconds=0)

    world.evaluate(paris=6)

    assert world.states() == ["FIRING"]


def test_what_goes_up_and_down_is_one_alert(world: World) -> None:
    world.set(for_seconds=0)
    for value in (6, 1, 6, 1, 6, 1, 6):
        world.evaluate(paris=value)
        world.tick(59)

    assert world.states() == ["FIRING"]
    assert told_states(world.deliver()) == ["FIRING"]


def test_what_is_over_before_it_fires_is_told_to_nobody(world: World) -> None:
    world.set()

    world.evaluate(paris=6)
    world.evaluate(paris=1)

    assert world.states() == ["RESOLVED"]
    assert world.deliver() == []


def test_a_clock_that_was_ahead_keeps_no_alert_open(world: World) -> None:
    world.set(for_seconds=0)
    world.evaluate(paris=6)
    world.tick(3_600)
    world.evaluate(paris=1)
    world.tick(-3_600)
    world.evaluate(paris=1)
    world.tick(60)
    world.evaluate(paris=1)

    assert world.states() == ["RESOLVED"]


def test_alerts_say_what_is_so_now(world: World) -> None:
    world.set(for_seconds=0)
    world.evaluate(paris=6)
    before = world.events()

    assert world.evaluate(paris=9) == 0

    (alert,) = world.alerts()
    assert (alert.value, alert.message) == (9, "9")
    assert world.events() == before


def test_a_rule_that_has_changed_meanwhile_is_evaluated_next_time(world: World) -> None:
    world.set(for_seconds=0)

    def see_and_change(database: Database, rule: AlertRuleRow, now: datetime) -> list[Reading]:
        set_rule(database, RuleRequest(hot(threshold=100)), now=now)
        return world._see(database, rule, now)

    world.seen = {"paris": 6}
    assert evaluate(world.database, now=world.now, see=see_and_change) == 0

    assert world.states() == []


def test_a_disabled_rule_has_its_alerts_resolved_and_its_receiver_told(world: World) -> None:
    world.set(for_seconds=0)
    world.evaluate(paris=6)

    world.set(for_seconds=0, enabled=False)
    world.evaluate(paris=6)

    assert world.states() == ["RESOLVED"]
    assert told_states(world.deliver()) == ["FIRING", "RESOLVED"]


def test_a_deleted_rule_leaves_the_history_of_its_alerts(world: World) -> None:
    world.set(for_seconds=0)
    world.evaluate(paris=6, rome=6)
    world.tick(1)

    delete_rule(world.database, "hot", now=world.now, actor="ann")

    assert world.alerts() == []
    with world.database.read() as connection:
        moves = history.page(connection, SubjectType.ALERT, limit=9)
    assert [(move.target, move.actor) for move in moves] == [
        ("FIRING", None),
        ("FIRING", None),
        ("RESOLVED", "ann"),
        ("RESOLVED", "ann"),
    ]


def test_what_has_ended_long_ago_goes_with_its_deliveries_and_leaves_its_history(world: World) -> None:
    world.set(for_seconds=0, window_seconds=60)
    world.evaluate(old=9, lasting=9)
    (old, lasting) = world.alerts()
    assert len(world.deliver()) == 2
    world.tick(10)
    world.evaluate(lasting=9)
    world.tick(100)
    world.evaluate(lasting=9)
    ended, day = world.now, timedelta(days=1)

    assert trim(world.database, age=day, now=ended + day) == 0
    assert trim(world.database, age=day, now=ended + day + timedelta(seconds=1)) == 1
    assert [alert.id for alert in world.alerts()] == [lasting.id]
    with world.database.read() as connection:
        assert deliveries.of_alerts(connection, [old.id]) == {old.id: []}
        moves = history.page(connection, SubjectType.ALERT, old.id, limit=9)
    assert [move.target for move in moves] == ["FIRING", "RESOLVED"]


def test_a_rule_that_holds_of_everything_has_a_bounded_number_of_alerts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_steps, "MOST_ALERTS", 3)
    world.set(for_seconds=0)

    for _ in range(2):
        world.evaluate(**{f"s{number}": 9.0 for number in range(5)})

    assert world.states() == ["FIRING"] * 3


def test_one_rule_that_cannot_be_evaluated_does_not_keep_others_from_it(world: World) -> None:
    for name in ("a", "b", "c"):
        world.set(name=name, for_seconds=0)

    def see(database: Database, rule: AlertRuleRow, now: datetime) -> list[Reading]:
        if rule.name == "b":
            raise ZeroDivisionError
        return world._see(database, rule, now)

    world.seen = {"paris": 6}
    with pytest.raises(ZeroDivisionError):
        evaluate(world.database, now=world.now, see=see)

    assert world.states() == ["FIRING"] * 2


def test_a_rule_that_looks_for_too_long_does_not_keep_others_from_being_evaluated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.alerting._LONGEST_LOOK", timedelta(0))
    for name in ("a", "b"):
        world.set(name=name, for_seconds=0)

    def see(database: Database, rule: AlertRuleRow, now: datetime) -> list[Reading]:
        if rule.name == "a":
            check_time()
        return world._see(database, rule, now)

    world.seen = {"paris": 6}
    with pytest.raises(OutOfTime):
        evaluate(world.database, now=world.now, see=see)

    assert world.states() == ["FIRING"]


def test_of_several_who_evaluate_each_takes_its_turn(database: Database) -> None:
    every = timedelta(seconds=10)
    turns = [
        take_turn(database, every=every, now=NOW + timedelta(seconds=seconds))
        for seconds in (0, 1, 9.9, 10, 19, 20, 55, 64, 65)
    ]

    assert turns == [True, False, False, True, False, True, True, False, True]


def test_a_clock_that_is_ahead_keeps_nobody_from_evaluating(database: Database) -> None:
    take_turn(database, every=timedelta(seconds=10), now=NOW + timedelta(hours=1))

    assert take_turn(database, every=timedelta(seconds=10), now=NOW)


@pytest.mark.parametrize("step", ["begin", "fire", "resolve"])
def test_many_who_evaluate_at_once_change_each_alert_once(
    world: World, two: tuple[Database, Database], step: str
) -> None:
    world.set()
    story = {"begin": [], "fire": [6], "resolve": [6, 6, 1]}[step]
    for value in story:
        world.evaluate(paris=value, rome=value)
        world.tick(60)
    before = world.events()
    world.seen = {"paris": 1, "rome": 1} if step == "resolve" else {"paris": 6, "rome": 6}

    at_once(*(partial(evaluate, each, now=world.now, see=world._see) for each in two * (MANY // 2)))

    assert set(world.states()) == {{"begin": "PENDING", "fire": "FIRING", "resolve": "RESOLVED"}[step]}
    assert len(world.alerts()) == 2
    assert world.events() == before + 2
    told = told_states(world.deliver())
    assert (
        sorted(told)
        == {"begin": [], "fire": ["FIRING"] * 2, "resolve": ["FIRING"] * 2 + ["RESOLVED"] * 2}[step]
    )


def test_of_many_who_acknowledge_while_it_ends_nobody_is_told_twice(
    world: World, two: tuple[Database, Database]
) -> None:
    world.set(for_seconds=0)
    world.evaluate(paris=6)
    world.evaluate(paris=1)
    world.tick(60)
    (alert,) = world.alerts()

    at_once(
        *(partial(evaluate, each, now=world.now, see=world._see) for each in two),
        *(partial(acknowledge, each, alert.id, now=world.now) for each in two),
    )

    with world.database.read() as connection:
        moves = [move.target for move in history.page(connection, SubjectType.ALERT, alert.id, limit=9)]
    assert moves in (["FIRING", "RESOLVED"], ["FIRING", "ACKNOWLEDGED", "RESOLVED"])
    assert told_states(world.deliver()) == moves


@pytest.fixture
def two(world: World, database_url: str) -> Iterator[tuple[Database, Database]]:
    """Two processes' views of one database."""
    with closing(Database.open(database_url)) as other:
        yield world.database, other


def at_once(*steps: Callable[[], object]) -> None:
    """Do all of this at the same moment; some of it may be refused."""
    start = threading.Barrier(len(steps))

    def do(step: Callable[[], object]) -> BaseException | None:
        start.wait()
        try:
            step()
        except Exception as error:
            return error
        return None

    with ThreadPoolExecutor(len(steps)) as pool:
        errors = [error for error in pool.map(do, steps) if error is not None]
    assert all("cannot become" in str(error) or "is RESOLVED" in str(error) for error in errors), errors


def rule_row(database: Database, **fields: object) -> AlertRuleRow:
    return set_rule(database, RuleRequest(hot(**fields)), now=NOW)


def measure(database: Database, *samples: tuple[str, float]) -> None:
    fields = [
        MetricFields(name="heat", value=value, labels={"site": site}, at=NOW) for site, value in samples
    ]
    record(database, fields, now=NOW)


def test_a_rule_sees_each_series_that_has_its_labels(database: Database) -> None:
    measure(database, ("paris", 1), ("paris", 9), ("rome", 4))
    moment = NOW + timedelta(seconds=1)

    everywhere = readings(database, rule_row(database), moment)
    in_rome = readings(database, rule_row(database, labels={"site": "rome"}), moment)
    later = readings(database, rule_row(database), NOW + timedelta(hours=1))

    assert [(reading.labels, reading.value) for reading in everywhere] == [
        ({"site": "paris"}, 9),
        ({"site": "rome"}, 4),
    ]
    assert everywhere[0].message == "heat: MAX over 60 s is 9; alerts are due above 5"
    assert [reading.value for reading in in_rome] == [4]
    assert later == []


@pytest.mark.parametrize("aggregate", [MetricAggregate.COUNT, MetricAggregate.SUM])
def test_nothing_counts_as_none(database: Database, aggregate: MetricAggregate) -> None:
    rule = rule_row(database, aggregate=aggregate, labels={"site": "oslo"}, comparison=Comparison.LT)

    (reading,) = readings(database, rule, NOW)

    assert (reading.labels, reading.value) == ({"site": "oslo"}, 0)


@pytest.mark.parametrize(
    ("comparison", "holding"),
    [
        (Comparison.GT, [6]),
        (Comparison.GTE, [5, 6]),
        (Comparison.LT, [4]),
        (Comparison.LTE, [4, 5]),
    ],
)
def test_a_rule_holds_by_its_comparison(world: World, comparison: Comparison, holding: list[float]) -> None:
    world.set(comparison=comparison, for_seconds=0)

    world.evaluate(a=4, b=5, c=6)

    assert sorted(alert.value for alert in world.alerts()) == holding


BLOCKED = AlertRuleFields(
    name="held up", metric=BLOCKED_BUILDS, comparison=Comparison.GTE, threshold=1, window_seconds=1
)


def test_what_a_worker_has_said_is_told_without_secrets(database: Database) -> None:
    world = build_world.World.of(database, "base 1\nlib 1 needs base")
    set_rule(database, RuleRequest(hot(**BLOCKED.model_dump(exclude={"webhook", "labels"}))), now=world.now)
    world.start("base", "lib")
    world.claim()
    said = "PASSWORD=hunter2 is refused"
    world.tell("base", BuildStatus.COMPLETED, BuildConclusion.FAILURE, message=said)

    evaluate(database, now=world.now)

    told = World(database, now=world.now)
    (alert,) = told.alerts()
    assert alert.message == "base 1 ended as FAILURE: PASSWORD=*** is refused: 1 build is held up"
    assert [body["commonAnnotations"]["summary"] for body in told.deliver()] == [alert.message]


def test_a_failure_is_one_alert_with_all_that_it_holds_up(database: Database) -> None:
    world = build_world.World.of(
        database, "base 1\nlib 1 needs base\napp 1 needs lib\ntool 1 needs lib\nother 1"
    )
    set_rule(database, RuleRequest(BLOCKED), now=world.now)
    world.start("base", "lib", "app", "tool", "other")
    world.end("base", BuildConclusion.FAILURE)

    evaluate(database, now=world.now)

    with database.read() as connection:
        (alert,) = alerts.page(connection, limit=9)
    assert alert.labels == {"cause": "DEP_FAILED", "package": "base"}
    assert (alert.blocked_builds, alert.value, alert.status) == (3, 3, AlertState.FIRING)
    assert alert.message.endswith("3 builds are held up")


def test_causes_with_equal_labels_are_one_and_count_together(database: Database) -> None:
    world = build_world.World.of(database, "base 1\nlib 1 needs base\nbase 2\napp 1 needs base ==2")
    set_rule(database, RuleRequest(BLOCKED), now=world.now)
    for names in (("base", "lib"), ("base", "app")):
        world.start(*names, worker_labels={"gpu": "1"})

    evaluate(database, now=world.now)

    with database.read() as connection:
        (alert,) = alerts.page(connection, limit=9)
    assert alert.labels == {"cause": "NO_WORKER", "worker_labels": '{"gpu":"1"}'}


def test_long_worker_labels_are_cut_and_still_told_apart(database: Database) -> None:
    world = build_world.World.of(database, "app 1\nlib 1")
    set_rule(database, RuleRequest(BLOCKED), now=world.now)
    for name, last in (("app", "1"), ("lib", "2")):
        world.start(name, worker_labels={"gpu": "x" * 900 + last})

    evaluate(database, now=world.now)

    with database.read() as connection:
        found = [alert.labels["worker_labels"] for alert in alerts.page(connection, limit=9)]
    assert len(set(found)) == 2
    assert all(len(text) < 400 for text in found)
