"""A world whose rows of every kind are as many as it is told to, so that what is asked of it can be counted."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from resolvers.alerting import evaluate
from resolvers.atlas import Atlas
from resolvers.failures import failure
from resolvers.rollups import add
from resolvers.webhooks import Answer, WebhookPolicy, claim_due, settle
from storage import error_groups
from storage.monitoring_rows import MetricRow
from tests.schema.building import claim, held, ids, report, start
from tests.schema.world import NOW, World

PUBLISH: Final = """mutation Publish($items: [PublishVersionInput!]!) {
    publishVersions(input: { versions: $items }) { failed } }"""
LOG: Final = "mutation($log: AppendLogInput!) { appendLog(input: $log) { cursor } }"
LABEL: Final = "mutation($update: UpdatePackageInput!) { updatePackage(input: $update) { cursor } }"
RULE: Final = "mutation($rule: SetAlertRuleInput!) { setAlertRule(input: $rule) { rule { id } } }"
REDELIVER: Final = "mutation($alert: ID!) { redeliverAlert(input: { id: $alert }) { alert { id } } }"
ACKNOWLEDGE: Final = "mutation($alert: ID!) { acknowledgeAlert(input: { id: $alert }) { alert { id } } }"

_LABELS: Final = [{"key": "team", "value": "core"}]


class Crowd:
    """A world of `size` packages, runs, builds, and so on of each kind, and the variables of what is asked of it."""

    def __init__(self, world: World, size: int) -> None:
        self.world = world
        self._numbers = range(size)
        self.variables: dict[str, Any] = {}
        self._publish()
        self._build()
        self._fail()
        self._measure()
        self._alert()

    def forget(self) -> None:
        """Begin as a new process does, without the graphs and what the solver has seen of the catalogue."""
        self.world.atlas = Atlas(self.world.database)

    def statements_of(self, query: str) -> Sequence[str]:
        """Return the statements of an operation that read."""
        return self.world.statements_of(query, **self.variables)

    def ask(self, query: str) -> Mapping[str, Any]:
        return self.world.ask(query, **self.variables)

    def _names(self, letter: str) -> list[str]:
        return [f"{letter}{number}" for number in self._numbers]

    def _publish(self) -> None:
        items = list(self._versions())
        self.world.ask(PUBLISH, items=items)
        for name in self._names("p"):
            update = {"name": name, "labels": _LABELS}
            self.world.ask(LABEL, update=update)
        chain = self._names("p")
        self.variables |= {
            "items": items,
            "top": items[-1],
            "bad": [{"package": name, "version": "none"} for name in chain],
            "update": update,
            "last": chain[-1],
            "all": ["hub", "top", *chain, *self._names("a"), *self._names("b")],
            "wrong": [{"package": name} for name in self._names("g")],
            "simulate": {
                "resolve": {"requirements": [{"package": "top"}]},
                "publish": [_version("top", "2", chain[-1], *self._names("f"))],
                "yank": [{"package": name, "version": "2"} for name in chain],
            },
        }

    def _versions(self) -> Iterator[Mapping[str, object]]:
        yield _version("hub", "1")
        before = "hub"
        for name in self._names("p"):  # A chain.
            yield _version(name, "1", before)
            yield _version(name, "2", before)
            before = name
        for number in self._numbers:
            yield _version(f"a{number}", "1", f"b{number}")
            yield _version(f"b{number}", "1", f"a{number}")  # A cycle.
            yield _version(f"f{number}", "1")
            yield _version(f"d{number}", "1", f"f{number}")
            yield _version(f"u{number}", "1", f"missing{number}")
            yield _version("m", str(number))
            yield _version(f"g{number}", "1", f"m !={number}")  # Not all of these at a time.
        yield _version("top", "1", *self._names("p"), *self._names("a"))

    def _build(self) -> None:
        runs = [self._run(number) for number in self._numbers]
        chain = start(self.world, "hub", *self._names("p"))
        start(self.world, *self._names("g"), idempotencyKey="again", priority=9)
        again = {"worker": "w", "limit": len(self._numbers), "requestId": "again", "leaseSeconds": 3600}
        claims = claim(self.world, **again)
        builds = [each["build"]["id"] for each in claims]
        waiting = ids(self.world)[self._names("p")[-1]]
        log = {**held(claims[0]), "firstLine": 0, "lines": ["one", "two"]}
        self.world.ask(LOG, log=log)
        self.variables |= {
            "build": builds[0],
            "waiting": waiting,
            "run": chain["id"],
            "ids": [*builds, *runs],
            "log": log,
            "claim": again,
            "start": {"plan": {"packages": self._names("g")}, "priority": 9, "idempotencyKey": "again"},
        }

    def _fail(self) -> None:
        errors = [failure("FAILURE", f"part {number}", "no", text="no") for number in self._numbers]
        self.world.database.write(
            lambda connection: error_groups.record(connection, errors, now=NOW), of_catalogue=False
        )

    def _measure(self) -> None:
        rows = [
            MetricRow("load", "s", {"host": str(number)}, NOW + timedelta(minutes=number), 0, 1, 1, 1, 1)
            for number in self._numbers
        ]
        self.world.database.write(partial(add, rows=rows), of_catalogue=False)
        self.variables["load"] = {
            "name": "load",
            "since": NOW.isoformat(),
            "until": (NOW + timedelta(hours=1)).isoformat(),
            "aggregate": "P95",
        }

    def _alert(self) -> None:
        """Have alerts of rules with labels come and go, one of which was delivered and then taken on."""
        labels = [{"key": name, "value": "a"} for name in self._names("n")]
        database, policy = self.world.database, WebhookPolicy()
        for enabled in (True, False, True, False, True):
            for name in self._names("rule"):
                rule: dict[str, object] = {
                    "name": name,
                    "metric": "heat",
                    "labels": labels,
                    "aggregate": "COUNT",
                }
                rule |= {"comparison": "LT", "threshold": 1, "enabled": enabled}
                rule |= {"webhook": "https://alerts.example/hook"}
                self.world.ask(RULE, rule=rule)
            evaluate(database, now=NOW)
        alert = self.world.ask("{ alerts { nodes { id } } }")["alerts"]["nodes"][0]["id"]
        for _ in self._numbers:
            self.world.ask(REDELIVER, alert=alert)
            # Of one receiver only a few are given out at a time.
            while claims := claim_due(database, policy, limit=100, under_way={}, clock=_clock):
                for each in claims:
                    settle(database, each, Answer(True, 200, None), policy, jitter=0, now=_clock())
        self.world.ask(ACKNOWLEDGE, alert=alert)
        self.variables |= {"alert": alert, "rule": rule}

    def _run(self, number: int) -> str:
        """Run what fails, what needs that, what needs what is not there, and a cycle; return the run."""
        names = [f"{letter}{number}" for letter in "abdfu"]
        run = start(self.world, *names, labels=_LABELS, workerLabels=_LABELS)
        for claimed in claim(self.world, limit=2, labels=_LABELS):
            report(self.world, claimed, "RUNNING")
            log = {**held(claimed), "firstLine": 0, "lines": ["one", "two"]}
            self.world.ask(LOG, log=log)
            failed = claimed["build"]["packageVersion"]["package"]["name"].startswith("f")
            report(
                self.world,
                claimed,
                conclusion="FAILURE" if failed else "SUCCESS",
                artifacts=[{"name": "wheel", "uri": "file:///wheel"}],
            )
        return str(run["id"])


@contextmanager
def crowd(url: str, size: int) -> Iterator[Crowd]:
    """Give a crowd in the database at `url`, which has no rows yet."""
    world = World.at(url)
    try:
        yield Crowd(world, size)
    finally:
        world.database.close()


def _version(package: str, version: str, *needs: str) -> Mapping[str, object]:
    parts = [need.partition(" ") for need in needs]
    dependencies = [{"package": name, "constraint": constraint} for name, _, constraint in parts]
    return {"package": package, "version": version, "dependencies": dependencies, "labels": _LABELS}


def _clock() -> datetime:
    return datetime.now(UTC)
