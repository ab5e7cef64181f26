"""The rules that every installation begins with."""

from functools import partial

from resolvers.alert_readings import BLOCKED_BUILDS
from resolvers.alert_rules import SHIPPED, delete_rule, make_shipped
from resolvers.measurements import MEASUREMENTS
from storage import alert_rules
from storage.database import Database
from tests.resolvers.alert_world import World
from tests.storage.world import NOW


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return [rule.name for rule in alert_rules.all_rules(connection)]


def test_what_is_shipped_looks_at_what_is_measured() -> None:
    for rule in SHIPPED:
        assert rule.metric == BLOCKED_BUILDS or set(rule.labels) <= set(MEASUREMENTS[rule.metric].labels)


def test_rules_are_made_once(database: Database) -> None:
    made = make_shipped(database, now=NOW)
    for name in names(database):
        delete_rule(database, name, now=NOW)

    again = make_shipped(database, now=NOW)

    assert (made, again) == (True, False)
    assert names(database) == []


def test_who_has_a_rule_of_their_own_is_given_none(database: Database) -> None:
    World(database).set()

    assert not make_shipped(database, now=NOW)

    assert names(database) == ["hot"]


def test_of_two_who_make_them_at_once_one_does(database: Database) -> None:
    add = partial(alert_rules.add_missing, rules=SHIPPED, now=NOW)
    for _ in "12":
        database.write(add)

    assert names(database) == sorted(rule.name for rule in SHIPPED)
