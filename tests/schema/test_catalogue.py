"""Packages, versions and dependencies as they are asked for."""

from typing import Any

import pytest

from schema.identifiers import global_id
from storage import versions
from tests.schema.world import World

NODE = "query Node($id: ID!) { node(id: $id) { __typename id } }"


def test_a_package_shows_what_is_known_of_it(world: World) -> None:
    world.publish("Flux", "0.14.1", "Zygote >=0.6")

    data = world.ask(
        """{ package(name: "Flux") {
            name description status statusReason labels { key value } createdAt
            latestVersion { version status isPrerelease releasedAt digest package { name }
                dependencies { packageName constraint kinds optional marker package { name } version { version } } }
        } }"""
    )

    assert data["package"] == {
        "name": "Flux",
        "description": "",
        "status": "ACTIVE",
        "statusReason": None,
        "labels": [],
        "createdAt": "2026-01-01T00:00:00Z",
        "latestVersion": {
            "version": "0.14.1",
            "status": "PUBLISHED",
            "isPrerelease": False,
            "releasedAt": None,
            "digest": None,
            "package": {"name": "Flux"},
            "dependencies": [
                {
                    "packageName": "Zygote",
                    "constraint": ">=0.6",
                    "kinds": ["RUNTIME"],
                    "optional": False,
                    "marker": None,
                    "package": None,
                    "version": {"version": "0.14.1"},
                }
            ],
        },
    }


@pytest.mark.parametrize("name", ["flux", "Flu", "", "no such name!", "é", "\0"])
def test_an_unknown_package_is_null(world: World, name: str) -> None:
    world.publish("Flux", "1")

    assert world.ask("query($name: String!) { package(name: $name) { id } }", name=name) == {"package": None}


def test_a_version_is_found_by_any_spelling_and_null_when_unknown(world: World) -> None:
    world.publish("Flux", "1.0.0")

    data = world.ask(
        """{ a: packageVersion(package: "Flux", version: "v1.0") { version }
             b: packageVersion(package: "Flux", version: "2") { version }
             c: packageVersion(package: "Nothing", version: "1") { version }
             package(name: "Flux") { version(version: "1") { version } } }"""
    )

    assert data == {
        "a": {"version": "1.0.0"},
        "b": None,
        "c": None,
        "package": {"version": {"version": "1.0.0"}},
    }


def test_several_versions_are_found_without_reading_all_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    query = versions.of_packages

    def of_packages(*given: Any, **bounds: Any) -> Any:
        found = query(*given, **bounds)
        read.append(sum(map(len, found.values())))
        return found

    for number in range(9):
        world.publish("a", f"1.{number}")
        world.publish("b", f"1.{number}")

    monkeypatch.setattr(versions, "of_packages", of_packages)
    statements = world.statements_of(
        """{ w: packageVersion(package: "a", version: "1.3") { version } x: packageVersion(package: "b", version: "1.4") { version }
             y: packageVersion(package: "b", version: "1.3.0") { version } }"""
    )

    # One statement, with the versions between the lowest and the highest that are asked for.
    assert len([text for text in statements if "FROM package_versions" in text]) == 1
    assert read == [4]


def test_a_text_that_is_no_version_is_told_where_it_stops_being_one(world: World) -> None:
    world.publish("Flux", "1.0.0")

    message, extensions = world.refusal('{ packageVersion(package: "Flux", version: "1.x") { id } }')

    assert "'1.x' is not a version" in message
    assert extensions["code"] == "INVALID_VERSION"
    assert extensions["text"] == "1.x"
    assert isinstance(extensions["position"], int)
    assert extensions["expected"]


def test_every_object_is_found_again_by_its_id(world: World) -> None:
    world.publish("Flux", "1", "Zygote >=1")
    data = world.ask('{ package(name: "Flux") { id latestVersion { id dependencies { id } } } }')
    version = data["package"]["latestVersion"]
    ids = [data["package"]["id"], version["id"], version["dependencies"][0]["id"]]

    found = world.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids)

    assert found["nodes"] == [
        {"__typename": kind, "id": id_}
        for kind, id_ in zip(["Package", "PackageVersion", "Dependency"], ids, strict=True)
    ]
    assert [world.ask(NODE, id=id_)["node"]["id"] for id_ in ids] == ids


@pytest.mark.parametrize("kind", ["Package", "PackageVersion", "Dependency", "Planet"])
def test_an_id_of_nothing_is_null(world: World, kind: str) -> None:
    assert world.ask(NODE, id=global_id(kind, 99)) == {"node": None}


def test_a_text_that_is_no_id_is_refused(world: World) -> None:
    assert world.code(NODE, id="nonsense") == "BAD_USER_INPUT"


def test_more_ids_than_can_be_looked_up_at_once_are_refused(world: World) -> None:
    ids = [global_id("Package", 1)] * 1001

    assert world.code("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids) == "LIMIT_EXCEEDED"


def test_dependencies_can_be_narrowed_to_kinds(world: World) -> None:
    world.ask(
        """mutation { publishVersion(input: { package: "a", version: "1", dependencies: [
            { package: "b" } { package: "c", kinds: [TEST, BUILD] } { package: "d", kinds: [DEV] } ] }) { created } }"""
    )

    data = world.ask(
        '{ packageVersion(package: "a", version: "1") { dependencies(kinds: [BUILD, DEV]) { packageName kinds } } }'
    )

    assert data["packageVersion"]["dependencies"] == [
        {"packageName": "c", "kinds": ["BUILD", "TEST"]},
        {"packageName": "d", "kinds": ["DEV"]},
    ]


def test_candidates_are_the_published_versions_that_satisfy_newest_first(world: World) -> None:
    for version in ("1.0", "1.1", "1.2", "2.0", "1.10"):
        world.publish("lib", version)
    world.ask(
        """mutation { setVersionStatus(input: { package: "lib", version: "1.2", status: YANKED }) { cursor } }"""
    )
    world.publish("app", "1", "lib <2", "ghost >=1")

    data = world.ask(
        """{ packageVersion(package: "app", version: "1") { dependencies {
            all: candidates { version } two: candidates(first: 2) { version } } } }"""
    )

    lib, ghost = data["packageVersion"]["dependencies"]
    assert [each["version"] for each in lib["all"]] == ["1.10", "1.1", "1.0"]
    assert [each["version"] for each in lib["two"]] == ["1.10", "1.1"]
    assert ghost == {"all": [], "two": []}


@pytest.mark.parametrize("first", [0, 1001])
def test_a_number_of_candidates_out_of_range_is_refused(world: World, first: int) -> None:
    world.publish("app", "1", "lib <2")
    query = """query($first: Int!) { packageVersion(package: "app", version: "1") {
        dependencies { candidates(first: $first) { id } } } }"""

    assert world.code(query, first=first) == "BAD_USER_INPUT"


def test_the_server_tells_what_it_holds(world: World) -> None:
    world.publish("a", "1", "b >=1")
    world.publish("a", "2", "b >=1", "c >=1")

    data = world.ask(
        "{ server { version database schemaRevision graphRevision cursor startedAt packages versions dependencies } }"
    )

    server = data["server"]
    assert (server["packages"], server["versions"], server["dependencies"]) == (1, 2, 3)
    assert server["version"] == "0.0"
    assert server["database"] == world.database.describe()
    assert server["cursor"] == str(world.database.cursor())
    assert server["startedAt"] == "2026-01-01T00:00:00Z"


NESTED = """{ packages(first: 100) { totalCount nodes {
    name
    latestVersion { version package { name } dependencies {
        packageName package { name latestVersion { version } } version { version } candidates(first: 3) { version } } }
    versions(first: 2) { totalCount nodes { version } }
    version(version: "1") { version }
    dependencies(transitive: true, first: 5) { totalCount nodes { name } }
    dependents(first: 5) { totalCount nodes { name latestVersion { version } } }
} } }"""


def test_the_number_of_statements_does_not_grow_with_the_rows(world: World) -> None:
    world.publish("p0", "1")
    world.publish("p1", "1", "p0 >=1")
    world.ask(NESTED)  # The graph is loaded once, whatever is asked of it.
    few = world.statements_of(NESTED)
    for number in range(2, 40):
        world.publish(f"p{number}", "1", f"p{number - 1} >=1", f"p{number - 2} >=1")
        world.publish(f"p{number}", "2", f"p{number - 1} >=1")
    world.ask(NESTED)

    many = world.statements_of(NESTED)

    # Which reads fall into one batch depends a little on which thread answers first.
    assert len(many) <= len(few) + 3


def test_counting_happens_only_when_asked_for(world: World) -> None:
    world.publish("a", "1")

    statements = world.statements_of("{ packages { nodes { name versions { nodes { version } } } } }")

    assert not [text for text in statements if "count(" in text.lower()]
