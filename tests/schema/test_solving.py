"""The solver's answers as the API shows them."""

import pytest

from tests.schema.world import World

RESOLVE = """query Resolve($input: ResolveInput!) { resolve(input: $input) { __typename
    ... on Resolution { pins { package version direct packageVersion { version package { name } } }
        edges { dependent dependency constraint } cycles { packages } fingerprint
        statistics { decisions conflicts packagesConsidered durationSeconds } }
    ... on ResolutionConflict { message steps { index kind text causes package versions dependency constraint }
        statistics { decisions } } } }"""


@pytest.fixture
def library(world: World) -> World:
    for version in ("1.0", "1.1", "2.0", "3.0rc1"):
        world.publish("lib", version)
    world.publish("app", "1", "lib <2")
    world.publish("tool", "1", "lib >=2")
    return world


def pins(world: World, **question: object) -> dict[str, str]:
    resolution = world.ask(RESOLVE, input=question)["resolve"]
    assert resolution["__typename"] == "Resolution", resolution
    return {pin["package"]: pin["version"] for pin in resolution["pins"]}


def test_a_resolution_shows_pins_edges_and_what_it_took(library: World) -> None:
    resolution = library.ask(RESOLVE, input={"requirements": [{"package": "app"}]})["resolve"]

    assert resolution["pins"] == [
        {
            "package": "app",
            "version": "1",
            "direct": True,
            "packageVersion": {"version": "1", "package": {"name": "app"}},
        },
        {
            "package": "lib",
            "version": "1.1",
            "direct": False,
            "packageVersion": {"version": "1.1", "package": {"name": "lib"}},
        },
    ]
    assert resolution["edges"] == [
        {"dependent": None, "dependency": "app", "constraint": ""},
        {"dependent": "app", "dependency": "lib", "constraint": "<2"},
    ]
    assert resolution["cycles"] == []
    assert resolution["fingerprint"]
    assert resolution["statistics"]["durationSeconds"] > 0


def test_each_part_of_a_question_reaches_the_solver(library: World) -> None:
    lib = {"requirements": [{"package": "lib"}]}

    assert pins(library, **lib) == {"lib": "2.0"}
    assert pins(library, **lib, strategy="LOWEST") == {"lib": "1.0"}
    assert pins(library, **lib, constraints=[{"package": "lib", "constraint": "<2"}]) == {"lib": "1.1"}
    assert pins(library, **lib, locked=[{"package": "lib", "version": "1.0"}]) == {"lib": "1.0"}
    assert pins(library, requirements=[{"package": "lib", "constraint": ">2"}], prereleases="ALLOW") == {
        "lib": "3.0rc1"
    }
    assert pins(
        library,
        requirements=[{"package": "app"}],
        overrides=[{"package": "lib", "constraint": ">=2"}],
    ) == {"app": "1", "lib": "2.0"}
    assert pins(library, requirements=[{"package": "app"}], kinds=["TEST"]) == {"app": "1"}


def test_versions_released_after_the_moment_asked_for_are_not_there(world: World) -> None:
    world.ask(
        """mutation { publishVersions(input: { versions: [
            { package: "a", version: "1", releasedAt: "2024-01-01T00:00:00Z" }
            { package: "a", version: "2", releasedAt: "2025-01-01T00:00:00Z" } ] }) { published } }"""
    )

    assert pins(world, requirements=[{"package": "a"}], asOf="2024-06-01T00:00:00Z") == {"a": "1"}


def test_what_cannot_be_solved_is_explained_in_words_and_steps(library: World) -> None:
    question = {"requirements": [{"package": "app"}, {"package": "tool"}]}

    conflict = library.ask(RESOLVE, input=question)["resolve"]

    assert conflict["__typename"] == "ResolutionConflict"
    assert "app" in conflict["message"]
    assert "tool" in conflict["message"]
    assert [step["index"] for step in conflict["steps"]] == list(range(len(conflict["steps"])))
    assert all(cause < step["index"] for step in conflict["steps"] for cause in step["causes"])
    assert {step["kind"] for step in conflict["steps"]} >= {"ROOT_REQUIREMENT", "DERIVED"}


def test_what_would_work_is_told_with_the_entry_that_it_changes(world: World) -> None:
    world.ask(
        """mutation { publishVersions(input: { versions: [
            { package: "a", version: "1", releasedAt: "2024-01-01T00:00:00Z" }
            { package: "a", version: "2", releasedAt: "2025-01-01T00:00:00.5Z" } ] }) { published } }"""
    )
    question = {
        "requirements": [{"package": "a", "constraint": ">=2"}, {"package": "a"}],
        "asOf": "2024-06-01T00:00:00Z",
    }

    conflict = world.ask(
        """query($input: ResolveInput!) { resolve(input: $input) { ... on ResolutionConflict {
            core { package constraint source } coreIsMinimal
            relaxations { kind description package constraint asOf entry { constraint source } } } } }""",
        input=question,
    )["resolve"]

    entry = {"constraint": ">=2", "source": "REQUIREMENT"}
    nothing = {"package": None, "constraint": None, "asOf": None, "entry": None}
    changed = {**nothing, "package": "a", "entry": entry}
    assert conflict == {
        "core": [{"package": "a", **entry}],
        "coreIsMinimal": True,
        "relaxations": [
            {**changed, "kind": "WIDEN", "description": "widen a >=2 to >=1", "constraint": ">=1"},
            {
                **nothing,
                "kind": "LATER_AS_OF",
                "description": "ask as of 2025-01-01T00:00:00.500000Z or later",
                "asOf": "2025-01-01T00:00:00.500000Z",
            },
            {**changed, "kind": "DROP", "description": "drop a >=2"},
        ],
    }


def test_an_unknown_package_is_a_conflict_that_says_so(library: World) -> None:
    conflict = library.ask(RESOLVE, input={"requirements": [{"package": "librarian"}]})["resolve"]

    assert conflict["__typename"] == "ResolutionConflict"
    assert "librarian" in conflict["message"]
    assert "UNKNOWN_PACKAGE" in {step["kind"] for step in conflict["steps"]}


@pytest.mark.parametrize(
    ("question", "code", "path"),
    [
        (
            {"requirements": [{"package": "lib", "constraint": ">=x"}]},
            "INVALID_CONSTRAINT",
            ["requirements", "0", "constraint"],
        ),
        ({"requirements": [{"package": "a b"}]}, "BAD_USER_INPUT", ["requirements", "0", "package"]),
        (
            {"requirements": [], "locked": [{"package": "a", "version": "x"}]},
            "INVALID_VERSION",
            ["locked", "0", "version"],
        ),
        ({"requirements": [], "kinds": []}, "BAD_USER_INPUT", ["kinds"]),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_the_place(
    library: World, question: dict[str, object], code: str, path: list[str]
) -> None:
    _, extensions = library.refusal(RESOLVE, input=question)

    assert (extensions["code"], extensions["path"]) == (code, path)


def test_the_versions_of_all_pins_are_read_in_one_statement(world: World) -> None:
    world.publish("p0", "1")
    for number in range(1, 30):
        world.publish(f"p{number}", "1", f"p{number - 1}")
    query = """query Resolve($input: ResolveInput!) { resolve(input: $input) {
        ... on Resolution { pins { packageVersion { version package { name } } } } } }"""
    world.ask(query, input={"requirements": [{"package": "p29"}]})  # The solver keeps what it has read.

    few = world.statements_of(query, input={"requirements": [{"package": "p0"}]})
    many = world.statements_of(query, input={"requirements": [{"package": "p29"}]})

    assert len(many) == len(few)


def test_no_requirement_is_satisfied_by_nothing(library: World) -> None:
    assert pins(library, requirements=[]) == {}
