"""What versions need and nothing registered gives."""

import pytest

from graph.dependencies import Kind
from resolvers.shortfalls import Shortfall, shortfalls
from storage.database import Database
from storage.packages import ids_and_names
from storage.tables import ALL_KINDS
from storage.versions import latest_of
from tests.resolvers.registry import stored


def lacking(
    database: Database, text: str, *, kinds: int = ALL_KINDS, include_optional: bool = False
) -> list[str]:
    """Return what the latest version of `app` lacks in a catalogue."""
    stored(database, text)
    with database.read() as connection:
        (app,) = (id_ for id_, name in ids_and_names(connection) if name == "app")
        version_id = latest_of(connection, [app])[app].id
        found = shortfalls(connection, [version_id], kinds=kinds, include_optional=include_optional)
    return [str(each) for each in found.get(version_id, [])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("app 1 needs lib\nlib 1", []),
        ("app 1 needs lib >=1\nlib 0.9", ["no registered version of lib satisfies >=1"]),
        ("app 1 needs lib >=1\nlib 0.9\nlib 1.5", []),
        ("app 1 needs lib", ["no package lib is registered"]),
        ("app 1 needs lib\nlib 1 yanked", []),
        ("app 1 needs lib\nlib 1 deprecated", []),
        ("app 1 needs lib\nlib 1 draft", ["no registered version of lib satisfies it"]),
        ("app 1 needs lib\nlib 1 quarantined", ["no registered version of lib satisfies it"]),
    ],
)
def test_a_dependency_needs_a_registered_version_that_satisfies(
    database: Database, text: str, expected: list[str]
) -> None:
    assert lacking(database, text) == expected


def test_dependencies_of_other_kinds_do_not_count(database: Database) -> None:
    assert lacking(database, "app 1 needs [TEST] lib", kinds=Kind.RUNTIME) == []


def test_a_peer_requires_nothing(database: Database) -> None:
    assert lacking(database, "app 1 needs [PEER] lib") == []


def test_optional_dependencies_count_when_they_are_asked_for(database: Database) -> None:
    assert lacking(database, "app 1 needs [optional] lib") == []
    assert lacking(database, "app 2 needs [optional] lib", include_optional=True) == [
        "no package lib is registered"
    ]


def test_a_shortfall_says_which_of_the_two_it_is() -> None:
    assert str(Shortfall("lib", "", False)) == "no package lib is registered"
    assert str(Shortfall("lib", ">=2", True)) == "no registered version of lib satisfies >=2"
