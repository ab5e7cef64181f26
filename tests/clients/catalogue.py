"""A small catalogue with builds, made and read by a client over HTTP."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

_MANY: Final = "mutation($input: PublishVersionsInput!) { publishVersions(input: $input) { failed } }"
_START: Final = "mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }"
_REPORT: Final = "mutation($input: ReportBuildInput!) { reportBuild(input: $input) { cursor } }"
_CLAIM: Final = """mutation { claimBuilds(input: { worker: "w", limit: 100, leaseSeconds: 3600 }) {
    claims { lease build { id packageVersion { package { name } } } } } }"""

_FORGET: Final = "mutation($input: DeleteAlertRuleInput!) { deleteAlertRule(input: $input) { __typename } }"
_RULE: Final = """mutation { setAlertRule(input: {
    name: "hot", metric: "heat", aggregate: MAX, comparison: GT, threshold: 5, windowSeconds: 86400, severity: INFO
}) { rule { name } } }"""
_RECORD: Final = "mutation($input: RecordMetricsInput!) { recordMetrics(input: $input) { recorded } }"

LIBRARIES: Final = tuple(f"lib{number}" for number in range(7))

Connection = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """A client that asks a server, and knows what was made there."""

    client: httpx.Client

    def answer(self, query: str, **variables: object) -> Mapping[str, Any]:
        """Return the whole answer, errors and all."""
        answer = self.client.post("/graphql", json={"query": query, "variables": variables})
        found: Mapping[str, Any] = answer.json()
        return found

    def ask(self, query: str, **variables: object) -> Any:
        """Return the data of an answer without errors."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def publish(self, *packages: str, version: str = "1", needs: Sequence[str] = ()) -> None:
        """Publish a version of each of these packages, in one transaction."""
        dependencies = [{"package": each} for each in needs]
        versions = [{"package": each, "version": version, "dependencies": dependencies} for each in packages]
        assert self.ask(_MANY, input={"versions": versions})["publishVersions"]["failed"] == 0

    def start(self, *packages: str) -> str:
        """Start a run of these packages, or of all, and return its id."""
        started = self.ask(_START, input={"plan": {"packages": list(packages), "kinds": ["RUNTIME"]}})
        return str(started["startRun"]["run"]["id"])

    def build(self, *steps: Mapping[str, str]) -> str:
        """Claim all that can be built, and report these steps of each; return the last one's id."""
        claims = self.ask(_CLAIM)["claimBuilds"]["claims"]
        for claim in claims:
            held = {"build": claim["build"]["id"], "lease": claim["lease"]}
            for step in steps:
                self.ask(_REPORT, input={**held, **step})
        return str(claims[-1]["build"]["id"])


@contextmanager
def asking(address: str) -> Iterator[Api]:
    """Give a client of the server at `address`."""
    with httpx.Client(base_url=address, timeout=60) as client:
        yield Api(client)


@dataclass(frozen=True, slots=True)
class Made:
    """A catalogue in which every list has several entries: seven users need an app, and that needs seven libraries."""

    api: Api
    run: str
    """Of everything."""
    build: str
    """The build of the app, under way."""

    def page(self, place: str, **arguments: object) -> Connection:
        """Return the page that these arguments mean, of the list at `place`."""
        found = self.api.ask(self.written(place, **arguments))
        while "pageInfo" not in found:
            (found,) = found.values()
        connection: Connection = found
        return connection

    def written(self, place: str, **arguments: object) -> str:
        """Return the query for a page."""
        given = ", ".join(f"{name}: {json.dumps(value)}" for name, value in arguments.items())
        key = "sequence" if "ransitions" in place else "id"
        fields = f"edges {{ cursor node {{ {key} }} }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}"
        written = place.replace("RUN", json.dumps(self.run)).replace("BUILD", json.dumps(self.build))
        return written.replace("PAGE", given).replace("FIELDS", f"{{ {fields} }}")


def raise_alerts(api: Api, *sites: str) -> None:
    """Have one alert for each site, and no rule but the one that they are of. Rules are to be evaluated every second."""
    for rule in api.ask("{ alertRules { name } }")["alertRules"]:
        api.ask(_FORGET, input=rule)
    api.ask(_RULE)
    metrics = [{"name": "heat", "value": 9, "labels": [{"key": "site", "value": site}]} for site in sites]
    api.ask(_RECORD, input={"metrics": metrics})
    deadline = time.monotonic() + 60
    while api.ask("{ alerts { totalCount } }")["alerts"]["totalCount"] < len(sites):
        assert time.monotonic() < deadline, "no alerts are raised"
        time.sleep(0.2)


def fail_builds(api: Api, *messages: str) -> None:
    """Have a build fail for each of these reasons."""
    for number, message in enumerate(messages):
        api.publish(f"broken{number}")
        api.start(f"broken{number}")
        end = {"status": "COMPLETED", "conclusion": "FAILURE", "message": message}
        api.build({"status": "RUNNING"}, end)


def make(api: Api) -> Made:
    """Fill an empty catalogue."""
    api.publish(*LIBRARIES)
    for number in range(7):
        api.publish("app", version=f"1.{number}", needs=LIBRARIES)
    api.publish(*(f"user{number}" for number in range(7)), needs=["app"])
    for _ in range(4):
        api.start("app")
    run = api.start()
    api.build({"status": "RUNNING"}, {"status": "COMPLETED", "conclusion": "SUCCESS"})
    build = api.build({"status": "PREPARING"}, {"status": "RUNNING"}, {"status": "FINALIZING"})
    return Made(api, run, build)
