"""Changes to the catalogue: what is written, what is answered, what is refused."""

from typing import Any

import pytest

from tests.schema.world import World

PUBLISH = """mutation Publish($input: PublishVersionInput!) { publishVersion(input: $input) {
    created cursor version { version status package { name } labels { key value } releasedAt } } }"""
PUBLISH_ALL = """mutation PublishAll($input: PublishVersionsInput!) { publishVersions(input: $input) {
    published failed cursor results { index version { version } error { code message path } } } }"""
REGISTER = """mutation Register($input: RegisterPackageInput!) { registerPackage(input: $input) {
    cursor package { name description labels { key value } } } }"""
UPDATE = """mutation Update($input: UpdatePackageInput!) { updatePackage(input: $input) {
    cursor package { description status statusReason labels { key value } } } }"""
STATUS = """mutation Move($input: SetVersionStatusInput!) { setVersionStatus(input: $input) {
    created cursor version { status statusReason } } }"""
SET = """mutation Set($input: SetDependenciesInput!) { setDependencies(input: $input) {
    version { dependencies { packageName constraint kinds } } } }"""
DELETE = """mutation Delete($input: DeletePackageInput!) { deletePackage(input: $input) {
    deletedName deletedVersions cursor } }"""


def test_a_first_version_registers_its_package(world: World) -> None:
    content = {
        "package": "Flux",
        "version": "0.14.1",
        "releasedAt": "2023-08-01T02:00:00+02:00",
        "labels": [{"key": "b", "value": "2"}, {"key": "a", "value": "1"}],
    }

    data = world.ask(PUBLISH, input=content)

    assert data["publishVersion"] == {
        "created": True,
        "cursor": str(world.database.cursor()),
        "version": {
            "version": "0.14.1",
            "status": "PUBLISHED",
            "package": {"name": "Flux"},
            "labels": [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
            "releasedAt": "2023-08-01T00:00:00Z",
        },
    }


def test_equal_content_published_again_changes_nothing(world: World) -> None:
    content = {"package": "a", "version": "1.0", "dependencies": [{"package": "b"}]}
    first = world.ask(PUBLISH, input=content)["publishVersion"]

    again = world.ask(PUBLISH, input=content | {"version": "1.0.0"})["publishVersion"]

    assert (again["created"], again["cursor"]) == (False, first["cursor"])
    assert again["version"]["version"] == "1.0"


def test_other_content_of_a_published_version_is_a_conflict_that_says_what_differs(world: World) -> None:
    world.ask(PUBLISH, input={"package": "a", "version": "1", "digest": "x"})

    _, extensions = world.refusal(PUBLISH, input={"package": "a", "version": "1", "digest": "y"})

    assert extensions["code"] == "CONFLICT"
    assert "digest" in str(extensions["differences"])


@pytest.mark.parametrize(
    ("content", "code", "path"),
    [
        ({"version": "one"}, "INVALID_VERSION", ["version"]),
        ({"package": "no spaces"}, "BAD_USER_INPUT", ["package"]),
        (
            {"dependencies": [{"package": "b", "constraint": ">=x"}]},
            "INVALID_CONSTRAINT",
            ["dependencies", "0", "constraint"],
        ),
        ({"dependencies": [{"package": "b", "kinds": []}]}, "BAD_USER_INPUT", ["dependencies", "0", "kinds"]),
        ({"dependencies": [{"package": "b"}, {"package": "b"}]}, "BAD_USER_INPUT", ["dependencies", "1"]),
    ],
)
def test_a_version_that_cannot_be_is_refused_with_the_place_of_the_fault(
    world: World, content: dict[str, Any], code: str, path: list[str]
) -> None:
    _, extensions = world.refusal(PUBLISH, input={"package": "a", "version": "1"} | content)

    assert (extensions["code"], extensions["path"]) == (code, path)
    assert world.ask("{ server { packages cursor } }")["server"] == {"packages": 0, "cursor": "0"}


def test_a_fault_in_a_constraint_is_told_with_its_position(world: World) -> None:
    content = {"package": "a", "version": "1", "dependencies": [{"package": "b", "constraint": ">=1,<x"}]}

    _, extensions = world.refusal(PUBLISH, input=content)

    assert extensions["text"] == ">=1,<x"
    assert extensions["position"] == 5
    assert extensions["expected"]


def test_a_label_given_twice_is_refused(world: World) -> None:
    labels = [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]

    message, extensions = world.refusal(REGISTER, input={"name": "a", "labels": labels})

    assert message == "the label 'k' is given twice: a key has one value"
    assert extensions == {"code": "BAD_USER_INPUT", "key": "k"}


def test_a_version_that_closes_a_forbidden_cycle_is_refused_with_the_cycle(world: World) -> None:
    world.publish("b", "1", "a")

    _, extensions = world.refusal(
        PUBLISH,
        input={
            "package": "a",
            "version": "1",
            "dependencies": [{"package": "b"}],
            "forbidCycles": ["RUNTIME"],
        },
    )

    assert extensions["code"] == "DEPENDENCY_CYCLE"
    assert extensions["cycle"] == ["a", "b", "a"]


def test_many_versions_with_one_bad_are_all_refused_when_atomic(world: World) -> None:
    versions = [
        {"package": "a", "version": "1"},
        {"package": "a", "version": "x"},
        {"package": "b", "version": "1"},
    ]

    payload = world.ask(PUBLISH_ALL, input={"versions": versions})["publishVersions"]

    assert (payload["published"], payload["failed"], payload["cursor"]) == (0, 1, "0")
    assert [each["version"] for each in payload["results"]] == [None, None, None]
    assert payload["results"][1]["error"]["code"] == "INVALID_VERSION"
    assert payload["results"][1]["error"]["path"] == ["version"]
    assert payload["results"][0]["error"] is None


def test_many_versions_with_one_bad_are_written_without_it_when_not_atomic(world: World) -> None:
    versions = [
        {"package": "a", "version": "1"},
        {"package": "a", "version": "x"},
        {"package": "b", "version": "1"},
    ]

    payload = world.ask(PUBLISH_ALL, input={"versions": versions, "atomic": False})["publishVersions"]

    assert (payload["published"], payload["failed"]) == (2, 1)
    assert [each["index"] for each in payload["results"] if each["version"]] == [0, 2]


def test_more_versions_than_one_request_may_hold_are_refused(world: World) -> None:
    versions = [{"package": "a", "version": "1"}] * 10_001

    message, extensions = world.refusal(PUBLISH_ALL, input={"versions": versions})

    assert "10,001" in message
    assert (extensions["code"], extensions["given"], extensions["limit"]) == (
        "LIMIT_EXCEEDED",
        10_001,
        10_000,
    )


def test_a_package_can_be_registered_before_it_has_versions(world: World) -> None:
    content = {"name": "a", "description": "first", "labels": [{"key": "team", "value": "x"}]}

    payload = world.ask(REGISTER, input=content)["registerPackage"]
    again = world.ask(REGISTER, input=content)["registerPackage"]

    assert payload["package"] == content
    assert again == payload


def test_a_name_that_is_taken_by_something_else_is_told(world: World) -> None:
    world.ask(REGISTER, input={"name": "a", "description": "first"})

    _, extensions = world.refusal(REGISTER, input={"name": "a", "description": "second"})

    assert extensions["code"] == "ALREADY_EXISTS"


def test_an_update_changes_what_it_names_and_nothing_else(world: World) -> None:
    world.ask(REGISTER, input={"name": "a", "description": "first", "labels": [{"key": "k", "value": "v"}]})

    payload = world.ask(UPDATE, input={"name": "a", "status": "DEPRECATED", "statusReason": "old"})[
        "updatePackage"
    ]

    assert payload["package"] == {
        "description": "first",
        "status": "DEPRECATED",
        "statusReason": "old",
        "labels": [{"key": "k", "value": "v"}],
    }
    assert payload["cursor"] == str(world.database.cursor())


def test_an_update_of_an_unknown_package_suggests_a_close_name(world: World) -> None:
    world.publish("DataFrames", "1")

    message, extensions = world.refusal(UPDATE, input={"name": "DataFrame", "labels": []})

    assert "DataFrames" in message
    assert (extensions["code"], extensions["suggestions"]) == ("NOT_FOUND", ["DataFrames"])


def test_a_state_that_cannot_be_reached_is_refused_with_those_that_can(world: World) -> None:
    world.publish("a", "1")

    _, extensions = world.refusal(STATUS, input={"package": "a", "version": "1", "status": "DRAFT"})

    assert extensions["code"] == "ILLEGAL_TRANSITION"
    assert (extensions["origin"], extensions["target"]) == ("PUBLISHED", "DRAFT")
    assert extensions["allowed"] == ["DEPRECATED", "YANKED", "QUARANTINED"]


def test_a_version_moves_through_its_life_cycle(world: World) -> None:
    world.publish("a", "1")

    payload = world.ask(
        STATUS, input={"package": "a", "version": "1", "status": "YANKED", "reason": "broken"}
    )

    assert payload["setVersionStatus"]["version"] == {"status": "YANKED", "statusReason": "broken"}


def test_the_dependencies_of_a_draft_can_be_replaced(world: World) -> None:
    world.ask(PUBLISH, input={"package": "a", "version": "1", "status": "DRAFT"})

    payload = world.ask(
        SET,
        input={
            "package": "a",
            "version": "1",
            "dependencies": [{"package": "b", "constraint": "^1", "kinds": ["TEST"]}],
        },
    )

    assert payload["setDependencies"]["version"]["dependencies"] == [
        {"packageName": "b", "constraint": "^1", "kinds": ["TEST"]}
    ]


def test_a_package_that_others_require_is_kept_unless_forced(world: World) -> None:
    world.publish("a", "1")
    world.publish("a", "2")
    world.publish("b", "1", "a")

    message, extensions = world.refusal(DELETE, input={"name": "a"})
    payload = world.ask(DELETE, input={"name": "a", "force": True})["deletePackage"]

    assert "required by b" in message
    assert (extensions["code"], extensions["requirers"], extensions["total"]) == ("STILL_REQUIRED", ["b"], 1)
    assert (payload["deletedName"], payload["deletedVersions"]) == ("a", 2)


@pytest.mark.parametrize("moment", ["2023-08-01T00:00:00", "yesterday", 5])
def test_a_moment_that_is_none_is_refused_before_anything_is_done(world: World, moment: object) -> None:
    message, extensions = world.refusal(PUBLISH, input={"package": "a", "version": "1", "releasedAt": moment})

    assert "releasedAt" in message
    assert extensions["code"] == "BAD_USER_INPUT"
    assert world.database.cursor() == 0


def test_each_mutation_of_a_document_answers_from_after_it(world: World) -> None:
    latest = "version { package { latestVersion { version } versions { totalCount nodes { version } } } }"

    data = world.ask(
        f"""mutation {{
            x: publishVersion(input: {{ package: "z", version: "1.0" }}) {{ {latest} }}
            y: publishVersion(input: {{ package: "z", version: "2.0" }}) {{ {latest} }} }}"""
    )

    assert [data[name]["version"]["package"] for name in "xy"] == [
        {"latestVersion": {"version": "1.0"}, "versions": {"totalCount": 1, "nodes": [{"version": "1.0"}]}},
        {
            "latestVersion": {"version": "2.0"},
            "versions": {"totalCount": 2, "nodes": [{"version": "2.0"}, {"version": "1.0"}]},
        },
    ]


def test_what_lies_around_a_package_is_read_again_after_each_mutation(world: World) -> None:
    needed = "version { package { dependencies { nodes { name description } } } }"
    world.publish("b", "1")

    data = world.ask(
        f"""mutation {{
            x: publishVersion(input: {{ package: "a", version: "1", dependencies: [{{ package: "b" }}] }}) {{ {needed} }}
            b: updatePackage(input: {{ name: "b", description: "new" }}) {{ cursor }}
            y: publishVersion(input: {{ package: "a", version: "2" }}) {{ {needed} }}
            z: publishVersion(input: {{ package: "a", version: "3", dependencies: [{{ package: "b" }}] }}) {{ {needed} }} }}"""
    )

    assert [data[name]["version"]["package"]["dependencies"]["nodes"] for name in "xyz"] == [
        [{"name": "b", "description": ""}],
        [],
        [{"name": "b", "description": "new"}],
    ]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_outside_of_the_calendar_is_refused(world: World, moment: str) -> None:
    content = {"package": "a", "version": "1", "releasedAt": moment}

    assert world.code(PUBLISH, input=content) == "BAD_USER_INPUT"


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_first_and_the_last_moment_of_the_calendar_are_kept(world: World, moment: str) -> None:
    content = {"package": "a", "version": "1", "releasedAt": moment}

    assert world.ask(PUBLISH, input=content)["publishVersion"]["version"]["releasedAt"] == moment
