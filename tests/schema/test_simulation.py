"""Simulations as the API shows them."""

import pytest

from tests.schema.world import World

ANSWER = """{ __typename
    ... on Resolution { pins { package version direct packageVersion { version } } fingerprint cycles { packages } }
    ... on ResolutionConflict { message } }"""
SIMULATE = f"""query Simulate($input: SimulateInput!) {{ simulate(input: $input) {{
    before {ANSWER} after {ANSWER}
    diff {{
        added {{ package version direct packageVersion {{ version }} }}
        removed {{ package version packageVersion {{ version }} }}
        changed {{ package from to direction }}
    }} }} }}"""
APP = {"requirements": [{"package": "app"}]}


@pytest.fixture
def library(world: World) -> World:
    world.publish("base", "1")
    world.publish("lib", "1")
    world.publish("lib", "2", "base")
    world.publish("app", "1", "lib")
    return world


def test_a_supposed_version_is_pinned_without_being_stored(library: World) -> None:
    before = library.database.cursor()
    new = {"package": "lib", "version": "3", "dependencies": [{"package": "new", "constraint": ">=1"}]}

    simulated = library.ask(
        SIMULATE, input={"resolve": APP, "publish": [new, {"package": "new", "version": "1.0"}]}
    )["simulate"]

    assert [pin["version"] for pin in simulated["before"]["pins"]] == ["1", "1", "2"]
    assert simulated["after"]["pins"] == [
        {"package": "app", "version": "1", "direct": True, "packageVersion": {"version": "1"}},
        {"package": "lib", "version": "3", "direct": False, "packageVersion": None},
        {"package": "new", "version": "1.0", "direct": False, "packageVersion": None},
    ]
    assert simulated["diff"] == {
        "added": [{"package": "new", "version": "1.0", "direct": False, "packageVersion": None}],
        "removed": [{"package": "base", "version": "1", "packageVersion": {"version": "1"}}],
        "changed": [{"package": "lib", "from": "2", "to": "3", "direction": "UPGRADE"}],
    }
    assert library.database.cursor() == before
    assert library.ask('{ packageVersion(package: "lib", version: "3") { version } }') == {
        "packageVersion": None
    }


def test_a_supposed_yank_moves_pins_down(library: World) -> None:
    simulated = library.ask(SIMULATE, input={"resolve": APP, "yank": [{"package": "lib", "version": "2.0"}]})[
        "simulate"
    ]

    assert simulated["diff"]["changed"] == [
        {"package": "lib", "from": "2", "to": "1", "direction": "DOWNGRADE"}
    ]


def test_a_conflict_on_either_side_leaves_nothing_to_compare(library: World) -> None:
    yank = [{"package": "app", "version": "1"}]

    simulated = library.ask(SIMULATE, input={"resolve": APP, "yank": yank})["simulate"]

    assert simulated["before"]["__typename"] == "Resolution"
    assert simulated["after"]["__typename"] == "ResolutionConflict"
    assert "app" in simulated["after"]["message"]
    assert simulated["diff"] is None


@pytest.mark.parametrize(
    ("supposed", "code", "path"),
    [
        (
            {
                "publish": [
                    {
                        "package": "new",
                        "version": "1",
                        "dependencies": [{"package": "lib"}, {"package": "app", "constraint": ">x"}],
                    }
                ]
            },
            "INVALID_CONSTRAINT",
            ["publish", "0", "dependencies", "1", "constraint"],
        ),
        ({"publish": [{"package": "new", "version": "x"}]}, "INVALID_VERSION", ["publish", "0", "version"]),
        (
            {"publish": [{"package": "lib", "version": "2.0"}]},
            "CONFLICT",
            ["publish", "0", "version"],
        ),
        ({"yank": [{"package": "lbi", "version": "1"}]}, "NOT_FOUND", ["yank", "0", "package"]),
        ({"yank": [{"package": "lib", "version": "7"}]}, "NOT_FOUND", ["yank", "0", "version"]),
    ],
)
def test_what_cannot_be_supposed_is_refused_with_the_place(
    library: World, supposed: dict[str, object], code: str, path: list[str]
) -> None:
    _, extensions = library.refusal(SIMULATE, input={"resolve": APP, **supposed})

    assert (extensions["code"], extensions["path"]) == (code, path)


def test_the_versions_of_both_answers_are_read_in_one_statement(world: World) -> None:
    world.publish("p0", "1")
    for number in range(1, 30):
        world.publish(f"p{number}", "1", f"p{number - 1}")
    yank = [{"package": "p0", "version": "1"}]
    publish = [{"package": "p0", "version": "2"}]

    def asked(package: str) -> dict[str, object]:
        resolve = {"requirements": [{"package": package}]}
        return {"resolve": resolve, "publish": publish, "yank": yank}

    world.ask(SIMULATE, input=asked("p29"))  # The solver keeps what it has read.

    few = world.statements_of(SIMULATE, input=asked("p1"))
    many = world.statements_of(SIMULATE, input=asked("p29"))

    assert len(many) == len(few)
