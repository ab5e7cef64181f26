"""Questions as options make them, and what differs between two."""

from datetime import UTC, datetime

import msgspec
import pytest

from buildatlas.choices import DependencyKind, PrereleasePolicy, Strategy
from buildatlas.questions import Options, Question, differences
from graph.errors import InvalidConstraint, InvalidName

EVERYTHING = Options(
    kinds=(DependencyKind.BUILD, DependencyKind.RUNTIME),
    include_optional=True,
    constraints=("lib<2", "lib!=1.1"),
    overrides=("base==1",),
    strategy=Strategy.LOWEST,
    prereleases=PrereleasePolicy.ALLOW,
    as_of=datetime(2024, 5, 1),  # noqa: DTZ001 - as the command line gives it
)


def test_the_order_and_the_spaces_of_what_is_typed_do_not_matter() -> None:
    assert Options().question(["b", "a>=1", "b"]) == Options().question(["  a >=1", "b "])


def test_every_option_reaches_the_api() -> None:
    assert EVERYTHING.question(["app"]).as_input({"lib": "1.0"}) == {
        "requirements": [{"package": "app", "constraint": ""}],
        "kinds": ["RUNTIME", "BUILD"],
        "includeOptional": True,
        "constraints": [
            {"package": "lib", "constraint": "!=1.1"},
            {"package": "lib", "constraint": "<2"},
        ],
        "overrides": [{"package": "base", "constraint": "==1"}],
        "locked": [{"package": "lib", "version": "1.0"}],
        "strategy": "LOWEST",
        "prereleases": "ALLOW",
        "asOf": "2024-05-01T00:00:00+00:00",
    }


def test_what_is_not_said_is_the_default_of_the_api() -> None:
    asked = Options().question(["app"]).as_input({})

    assert (asked["kinds"], asked["strategy"], asked["prereleases"]) == (
        ["RUNTIME"],
        "HIGHEST",
        "IF_NECESSARY",
    )
    assert (asked["includeOptional"], asked["asOf"], asked["locked"]) == (False, None, [])


def test_a_question_is_read_back_as_it_was_written() -> None:
    asked = EVERYTHING.question(["app>=1,<2 || ==3.*"])

    assert msgspec.json.decode(msgspec.json.encode(asked), type=Question) == asked


def test_what_a_question_says_of_one_package_is_found() -> None:
    asked = EVERYTHING.question(["lib"])

    assert asked.constraints_on("lib") == ["!=1.1", "<2"]
    assert asked.overrides_of("lib") == []
    assert asked.overrides_of("base") == ["==1"]


@pytest.mark.parametrize(("text", "error"), [("a b", InvalidConstraint), (" ", InvalidName)])
def test_what_is_no_requirement_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Options().question([text])


def test_each_part_that_differs_has_a_line() -> None:
    old, new = Options().question(["a", "b >=1"]), EVERYTHING.question(["a", "b >=2"])

    assert list(differences(old, new)) == [
        "requirements: + b >=2, - b >=1",
        "kinds: + BUILD",
        "includeOptional: true instead of false",
        "constraints: + lib !=1.1, + lib <2",
        "overrides: + base ==1",
        "strategy: LOWEST instead of HIGHEST",
        "prereleases: ALLOW instead of IF_NECESSARY",
        "asOf: 2024-05-01T00:00:00Z instead of null",
    ]
    assert list(differences(old, old)) == []


def test_moments_are_utc_and_equal_questions_are_equal() -> None:
    assert EVERYTHING.question([]).as_of == datetime(2024, 5, 1, tzinfo=UTC)
