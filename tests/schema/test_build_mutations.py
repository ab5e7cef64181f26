"""What workers and whoever looks after builds do with them: what is answered, and what is refused."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from resolvers.policy import Policy
from schema.context import Application, Context
from schema.identifiers import global_id, read_id
from schema.pulse import Pulse
from schema.root import schema
from tests.schema.building import (
    CANCEL,
    CLAIM,
    LOG,
    REPORT,
    build_next,
    claim,
    held,
    ids,
    report,
    start,
    states,
)
from tests.schema.world import NOW, World
from tests.storage.build_world import put_in

HEARTBEAT = """mutation Beat($input: HeartbeatInput!) { heartbeat(input: $input) { leaseExpiresAt cancelRequested } }"""
RETRY = """mutation Retry($input: RetryBuildInput!) { retryBuild(input: $input) {
    cursor build { status conclusion maxAttempts } } }"""
RECOVER = "mutation { recoverBuilds { recovered } }"


def single(world: World, **fields: object) -> str:
    """Start a run of one build, and return its id."""
    world.publish("a", "1")
    start(world, "a", **fields)
    return ids(world)["a"]


def test_a_worker_gets_what_it_can_do_the_most_urgent_first(world: World) -> None:
    for name in "abc":
        world.publish(name, "1")
    start(world, "a")
    start(world, "b", priority=1)
    start(world, "c", priority=2, workerLabels=[{"key": "gpu", "value": "yes"}])

    def names(**fields: object) -> list[str]:
        return [each["build"]["packageVersion"]["package"]["name"] for each in claim(world, **fields)]

    assert names(limit=2) == ["b", "a"]
    assert names(limit=2) == []
    assert names(worker="v", labels=[{"key": "gpu", "value": "yes"}]) == ["c"]


def test_a_repeated_claim_is_answered_as_the_first(world: World) -> None:
    single(world)

    first = claim(world, requestId="r")

    assert claim(world, requestId="r") == first
    assert claim(world, requestId="s") == []


@pytest.mark.parametrize(
    "fields",
    [
        {"worker": ""},
        {"limit": 0},
        {"limit": 101},
        {"leaseSeconds": 0},
        {"leaseSeconds": 86_401},
        {"requestId": ""},
        {"labels": [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]},
    ],
)
def test_a_claim_that_cannot_be_is_refused(world: World, fields: Mapping[str, object]) -> None:
    assert world.code(CLAIM, input={"worker": "w", **fields}) == "BAD_USER_INPUT"


def test_a_heartbeat_extends_the_lease(world: World) -> None:
    id_ = single(world)
    (claimed,) = claim(world, leaseSeconds=5)
    query = "query($id: ID!) { build(id: $id) { leaseExpiresAt } }"
    before = world.ask(query, id=id_)["build"]["leaseExpiresAt"]

    beat = world.ask(HEARTBEAT, input={**held(claimed), "leaseSeconds": 600})["heartbeat"]

    assert beat["cancelRequested"] is False
    assert beat["leaseExpiresAt"] == world.ask(query, id=id_)["build"]["leaseExpiresAt"]
    gained = datetime.fromisoformat(beat["leaseExpiresAt"]) - datetime.fromisoformat(before)
    assert gained.total_seconds() > 500


def test_a_worker_learns_by_its_heartbeat_that_it_is_to_stop(world: World) -> None:
    id_ = single(world)
    (claimed,) = claim(world)

    canceled = world.ask(CANCEL, input={"id": id_, "reason": "no use"})["cancelBuild"]["build"]
    beat = world.ask(HEARTBEAT, input=held(claimed))["heartbeat"]

    assert canceled == {"status": "CANCELING", "conclusion": None, "reason": "no use"}
    assert beat["cancelRequested"] is True
    assert report(world, claimed, conclusion="CANCELED")["conclusion"] == "CANCELED"


def test_a_build_goes_its_way_as_its_worker_reports(world: World) -> None:
    world.publish("a", "1")
    world.publish("b", "1", "a")
    start(world, "a", "b")
    (claimed,) = claim(world)

    stages = [report(world, claimed, status)["status"] for status in ("PREPARING", "RUNNING", "FINALIZING")]
    end = report(world, claimed, conclusion="SUCCESS", message="fine", outputDigest="d")

    assert stages == ["PREPARING", "RUNNING", "FINALIZING"]
    assert (end["status"], end["conclusion"]) == ("COMPLETED", "SUCCESS")
    assert (end["message"], end["outputDigest"]) == ("fine", "d")
    assert states(world) == {"a": "SUCCESS", "b": "QUEUED"}


def test_an_identical_report_is_answered_as_the_first(world: World) -> None:
    single(world)
    (claimed,) = claim(world)
    content = {**held(claimed), "status": "COMPLETED", "conclusion": "FAILURE"}

    first = world.ask(REPORT, input=content)

    assert world.ask(REPORT, input=content) == first


def test_an_error_of_the_infrastructure_is_tried_again_after_a_while(world: World) -> None:
    single(world, maxAttempts=2)

    again = build_next(world, "INFRA_ERROR")

    assert (again["status"], again["conclusion"], again["attempt"]) == ("QUEUED", None, 1)
    assert again["notBefore"] is not None
    assert claim(world) == []


@pytest.mark.parametrize("document", [REPORT, HEARTBEAT, LOG])
def test_who_has_lost_the_lease_is_told_so(world: World, document: str) -> None:
    single(world)
    (claimed,) = claim(world)
    rest: Mapping[str, Mapping[str, Any]] = {
        REPORT: {"status": "RUNNING"},
        HEARTBEAT: {},
        LOG: {"firstLine": 0, "lines": ["x"]},
    }

    message, extensions = world.refusal(document, input={**held(claimed), "lease": "99", **rest[document]})

    assert message.startswith("the build of a 1 is not held under this lease")
    assert extensions == {"code": "LEASE_LOST", "path": ["lease"], "subject": "the build of a 1"}


@pytest.mark.parametrize("build", [global_id("BuildRun", 1), "nonsense"])
@pytest.mark.parametrize(
    ("document", "rest"),
    [
        (REPORT, {"status": "RUNNING", "lease": "1"}),
        (HEARTBEAT, {"lease": "1"}),
        (LOG, {"firstLine": 0, "lines": [], "lease": "1"}),
    ],
)
def test_what_is_no_build_is_refused(
    world: World, document: str, rest: Mapping[str, object], build: str
) -> None:
    assert world.code(document, input={"build": build, **rest}) == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    ("document", "content"),
    [
        (REPORT, {"build": global_id("Build", 99), "status": "RUNNING", "lease": "1"}),
        (HEARTBEAT, {"build": global_id("Build", 99), "lease": "1"}),
        (LOG, {"build": global_id("Build", 99), "firstLine": 0, "lines": ["x"], "lease": "1"}),
        (CANCEL, {"id": global_id("Build", 99)}),
        (RETRY, {"id": global_id("Build", 99)}),
    ],
)
def test_a_build_that_does_not_exist_is_told_so(
    world: World, document: str, content: Mapping[str, object]
) -> None:
    assert world.code(document, input=content) == "NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"status": "COMPLETED"}, ["conclusion"]),
        ({"status": "COMPLETED", "conclusion": "SUPERSEDED"}, ["conclusion"]),
        ({"status": "RUNNING", "conclusion": "SUCCESS"}, ["conclusion"]),
        (
            {"status": "RUNNING", "artifacts": [{"name": "a", "uri": "u", "sizeBytes": 0.5}]},
            ["artifacts", "0", "sizeBytes"],
        ),
        ({"status": "RUNNING", "artifacts": [{"name": "", "uri": "u"}]}, ["artifacts", "0", "name"]),
    ],
)
def test_a_report_that_cannot_be_is_refused_with_the_place_of_the_fault(
    world: World, fields: Mapping[str, object], path: list[str]
) -> None:
    single(world)
    (claimed,) = claim(world)

    _, extensions = world.refusal(REPORT, input={**held(claimed), **fields})

    assert (extensions["code"], extensions["path"]) == ("BAD_USER_INPUT", path)
    assert states(world) == {"a": "ASSIGNED"}


def test_a_build_does_not_go_back(world: World) -> None:
    single(world)
    (claimed,) = claim(world)
    report(world, claimed, "RUNNING")

    _, extensions = world.refusal(REPORT, input={**held(claimed), "status": "PREPARING"})

    assert (extensions["code"], extensions["origin"]) == ("ILLEGAL_TRANSITION", "RUNNING")


def test_what_nobody_holds_is_canceled_at_once(world: World) -> None:
    id_ = single(world)

    canceled = world.ask(CANCEL, input={"id": id_})["cancelBuild"]

    assert canceled == {
        "cursor": str(world.database.cursor()),
        "build": {"status": "COMPLETED", "conclusion": "CANCELED", "reason": None},
    }


def test_what_has_failed_is_tried_again_on_request(world: World) -> None:
    id_ = single(world, maxAttempts=2)
    build_next(world, "FAILURE")

    retried = world.ask(RETRY, input={"id": id_})["retryBuild"]

    assert retried == {
        "cursor": str(world.database.cursor()),
        "build": {"status": "QUEUED", "conclusion": None, "maxAttempts": 4},
    }


def test_what_has_been_built_is_not_tried_again(world: World) -> None:
    id_ = single(world)
    build_next(world)

    assert world.code(RETRY, input={"id": id_}) == "ILLEGAL_TRANSITION"


def test_what_would_fail_again_is_not_tried(world: World) -> None:
    world.publish("a", "1")
    world.publish("b", "1", "a")
    start(world, "a", "b")
    build_next(world, "FAILURE")

    _, extensions = world.refusal(RETRY, input={"id": ids(world)["b"]})

    assert extensions == {"code": "CONFLICT", "path": ["id"], "subject": "the build of b 1"}


@pytest.mark.parametrize("document", [CANCEL, RETRY])
@pytest.mark.parametrize("id_", [global_id("BuildRun", 1), "nonsense"])
def test_what_is_no_build_is_neither_canceled_nor_tried(world: World, document: str, id_: str) -> None:
    assert world.code(document, input={"id": id_}) == "BAD_USER_INPUT"


def test_a_package_that_is_being_built_is_not_deleted(world: World) -> None:
    single(world)

    _, extensions = world.refusal('mutation { deletePackage(input: { name: "a", force: true }) { cursor } }')

    assert extensions == {"code": "CONFLICT", "path": ["name"], "builds": 1}


def test_what_a_worker_let_fall_is_given_back_on_request(world: World) -> None:
    single(world)
    (claimed,) = claim(world, leaseSeconds=1)
    assert world.ask(RECOVER) == {"recoverBuilds": {"recovered": 0}}

    put_in(world.database, read_id(claimed["build"]["id"]).row, "ASSIGNED", lease_expires_at=NOW)

    assert world.ask(RECOVER) == {"recoverBuilds": {"recovered": 1}}
    assert states(world) == {"a": "QUEUED"}
    assert world.code(HEARTBEAT, input=held(claimed)) == "LEASE_LOST"


def test_builds_are_scheduled_by_the_policy_of_the_application(world: World) -> None:
    single(world)
    (claimed,) = claim(world)
    application = Application(
        world.atlas, Pulse(world.database.watch), "0.0", NOW, policy=Policy(log_limit=5)
    )

    async def append() -> None:
        content = {**held(claimed), "firstLine": 0, "lines": ["abc", "defg", "h"]}
        result = await schema.execute(
            LOG, variable_values={"input": content}, context_value=Context(application, "request-1")
        )
        assert result.errors is None

    asyncio.run(append())

    log = world.ask(
        "query($id: ID!) { build(id: $id) { log { nodes { text } } } }", id=claimed["build"]["id"]
    )
    lines = [each["text"] for each in log["build"]["log"]["nodes"]]
    assert lines[0] == "abc"
    assert "cut" in lines[-1]
    assert len(lines) == 2
