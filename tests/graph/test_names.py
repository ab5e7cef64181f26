import pytest

from graph.errors import InvalidName
from graph.names import check_name, close_names


@pytest.mark.parametrize(
    "name", ["a", "0ad", "@babel/core", "github.com/spf13/cobra", "libstdc++6", "a:b", "A_b-C.d"]
)
def test_names_of_every_large_registry_are_taken_as_they_are(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        ("a" * 215, "215 characters"),
        ("a b", "' ' at character 2"),
        ("a\0", "character 2"),
        ("é", "character 1"),
        (".hidden", "must start with"),
        ("a//b", "between slashes"),
        ("a/../b", "between slashes"),
        ("a/", "between slashes"),
    ],
)
def test_other_names_are_refused_with_the_reason(name: str, problem: str) -> None:
    with pytest.raises(InvalidName, match=problem):
        check_name(name)


def test_close_names_come_likeliest_first_whatever_the_case() -> None:
    assert close_names("flx", ["Flux", "FLX", "JuMP"]) == ["FLX", "Flux"]


def test_nothing_is_suggested_when_nothing_is_close() -> None:
    assert close_names("xyzzy", ["Flux", "JuMP"]) == []
