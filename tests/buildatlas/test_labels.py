"""Labels as they are typed."""

from collections.abc import Sequence

import pytest

from buildatlas.errors import WrongUse
from buildatlas.labels import parse_labels


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        ([], []),
        (
            ["arch=arm64", "os=linux"],
            [{"key": "arch", "value": "arm64"}, {"key": "os", "value": "linux"}],
        ),
        (["empty="], [{"key": "empty", "value": ""}]),
        (["flags=-O2 -g=3"], [{"key": "flags", "value": "-O2 -g=3"}]),
    ],
)
def test_labels_are_read(texts: Sequence[str], labels: list[dict[str, str]]) -> None:
    assert parse_labels(texts) == labels


@pytest.mark.parametrize("text", ["", "arch", "=arm64", "="])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(WrongUse, match="is not a label: write KEY=VALUE"):
        parse_labels([text])


def test_a_key_has_one_value() -> None:
    with pytest.raises(WrongUse, match="the label arch is given twice"):
        parse_labels(["arch=arm64", "arch=amd64"])
