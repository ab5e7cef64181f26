import pytest

from buildatlas.requirements import parse_requirement
from graph.errors import InvalidConstraint, InvalidName


@pytest.mark.parametrize(
    ("text", "package", "constraint"),
    [
        ("Flux", "Flux", ""),
        ("Flux>=0.14", "Flux", ">=0.14"),
        (" Flux >=0.14, <0.15 ", "Flux", ">=0.14, <0.15"),
        ("@babel/core^7.1", "@babel/core", "^7.1"),
        ("libstdc++6~=12.2", "libstdc++6", "~=12.2"),
        ("github.com/spf13/cobra!=1.0 || ==2.*", "github.com/spf13/cobra", "!=1.0 || ==2.*"),
        ("Flux*", "Flux", "*"),
    ],
)
def test_a_name_and_what_follows_it_are_told_apart(text: str, package: str, constraint: str) -> None:
    assert parse_requirement(text) == {"package": package, "constraint": constraint}


@pytest.mark.parametrize(
    ("text", "error"), [("", InvalidName), (">=1", InvalidName), ("Flux 1.0", InvalidConstraint)]
)
def test_what_is_no_requirement_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_requirement(text)
