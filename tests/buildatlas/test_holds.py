"""What keeps pins from the latest versions of their packages, told from real answers."""

from collections.abc import Callable, Mapping
from datetime import datetime

import pytest

from buildatlas import documents
from buildatlas.choices import DependencyKind, Strategy
from buildatlas.holds import Hold, holds
from buildatlas.local import LocalClient
from buildatlas.questions import Options
from storage.database import Database
from tests.resolvers.registry import stored

Ask = Callable[..., list[Hold]]


@pytest.fixture
def world(database: Database) -> Callable[[str], Ask]:
    """Give what stores a catalogue and then tells what is held back in answers from it."""

    def store(text: str) -> Ask:
        atlas = stored(database, text)
        client = LocalClient(atlas, "0")

        def held(
            *requirements: str,
            locked: Mapping[str, str] | None = None,
            yanked: Mapping[str, str] | None = None,
            options: Options | None = None,
        ) -> list[Hold]:
            asked = (options or Options()).question(requirements)
            supposed = [{"package": name, "version": text} for name, text in (yanked or {}).items()]
            wanted = {"resolve": asked.as_input(locked or {}), "yank": supposed}
            answer = client.ask(documents.SIMULATE, {"input": wanted, "explain": True})
            return holds(answer["simulate"]["after"], asked, locked or {}, supposed)

        return held

    return store


def reasons(held: list[Hold]) -> dict[str, list[str]]:
    return {f"{hold.package} {hold.version}": list(hold.reasons) for hold in held}


def test_everything_that_shuts_the_latest_version_out_is_named(world: Callable[[str], Ask]) -> None:
    held = world("""
        app 1 needs lib <2; tool
        tool 3 needs lib !=2
        lib 1
        lib 2
    """)

    found = held("app", "lib<3", "lib<=1", options=Options(constraints=("lib==1.*",)))

    assert found == [
        Hold(
            "lib",
            "1",
            "2",
            ("you restrict to ==1.*", "you require <=1", "app 1 needs <2", "tool 3 needs !=2"),
        )
    ]


def test_pins_at_the_latest_version_or_beyond_are_not_held_back(world: Callable[[str], Ask]) -> None:
    held = world("""
        app 1 needs lib ==2rc1
        lib 1
        lib 2rc1
        lib 3 yanked
        gone 1 yanked
    """)

    assert held("app", "gone==1") == []


def test_an_override_counts_in_place_of_what_is_declared(world: Callable[[str], Ask]) -> None:
    held = world("app 1 needs lib ==2\nlib 1\nlib 2\nlib 3")

    assert reasons(held("app", options=Options(overrides=("lib<2",)))) == {"lib 1": ["you override to <2"]}


def test_what_the_latest_version_needs_and_the_pins_are_not_is_told(world: Callable[[str], Ask]) -> None:
    held = world("""
        lib 1
        lib 2 needs base >=2; side; absent; lib >=3; [TEST] base >=9; [optional] base >=8
        lib 3 yanked
        base 1
        base 2
        side 1
    """)

    found = reasons(held("lib", "base<2"))

    assert found["base 1"] == ["you require <2"]
    assert found["lib 1"] == ["2 needs base >=2, and base is at 1"]


def test_what_is_followed_decides_what_the_latest_version_misses(world: Callable[[str], Ask]) -> None:
    held = world("lib 1\nlib 2 needs [BUILD optional] base >=2\nbase 1\nbase 2")
    wide = Options(kinds=(DependencyKind.BUILD,), include_optional=True)

    assert reasons(held("lib", "base<2", options=wide))["lib 1"] == ["2 needs base >=2, and base is at 1"]
    assert "lib 1" not in reasons(held("lib", "base<2"))


def test_what_no_single_pin_explains_is_put_in_general_words(world: Callable[[str], Ask]) -> None:
    held = world("lib 1\nlib 2 needs missing")

    assert reasons(held("lib")) == {"lib 1": ["what 2 brings along does not go with the rest"]}


def test_an_overridden_need_of_the_latest_version_is_not_blamed(world: Callable[[str], Ask]) -> None:
    held = world("lib 1\nlib 2 needs base >=2; missing\nbase 1\nbase 2")

    found = held("lib", "base", options=Options(overrides=("base<2",)))

    assert reasons(found)["lib 1"] == ["what 2 brings along does not go with the rest"]


def test_locks_strategies_moments_and_suppositions_are_reasons(world: Callable[[str], Ask]) -> None:
    held = world("app 1 needs lib\napp 2 needs lib\nlib 1 2024-01-01\nlib 2 2025-01-01")
    early = Options(as_of=datetime(2024, 6, 1))  # noqa: DTZ001 - as the command line gives it

    assert reasons(held("lib", locked={"lib": "1"})) == {"lib 1": ["the lock keeps it"]}
    assert reasons(held("lib", yanked={"lib": "2.0"})) == {"lib 1": ["2 is supposed to be yanked"]}
    assert reasons(held("lib", options=early)) == {"lib 1": ["2 was released after the moment asked about"]}
    oldest = ["the strategy LOWEST prefers old versions"]
    assert reasons(held("app", options=Options(strategy=Strategy.LOWEST))) == {
        "app 1": oldest,
        "lib 1": oldest,
    }
    assert reasons(held("app", options=Options(strategy=Strategy.LOWEST_DIRECT))) == {
        "app 1": ["the strategy LOWEST_DIRECT prefers old versions"]
    }


def test_a_supposed_version_has_no_latest_one_to_be_compared_with() -> None:
    answer = {
        "pins": [{"package": "lib", "version": "1", "direct": True, "packageVersion": None}],
        "edges": [],
    }

    assert holds(answer, Options().question(["lib"]), {}, []) == []
