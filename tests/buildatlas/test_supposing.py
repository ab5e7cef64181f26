"""Versions to suppose, as they are typed and as files have them."""

from pathlib import Path
from typing import Any

import pytest

from buildatlas.errors import WrongUse
from buildatlas.files import UnreadableFile
from buildatlas.supposing import supposed
from graph.errors import InvalidConstraint, InvalidName, InvalidVersion


def published(text: str) -> list[dict[str, Any]]:
    return supposed([text], []).publish


def test_a_version_is_named_with_what_it_needs() -> None:
    assert published("lib 2.0") == [{"package": "lib", "version": "2.0", "dependencies": []}]
    assert published("  lib  2.0  needs zlib>=1,<2 || ==3.*; tool ^2;needs ") == [
        {
            "package": "lib",
            "version": "2.0",
            "dependencies": [
                {"package": "zlib", "constraint": ">=1,<2 || ==3.*"},
                {"package": "tool", "constraint": "^2"},
                {"package": "needs", "constraint": ""},
            ],
        }
    ]


def test_a_version_to_yank_is_named() -> None:
    assert supposed([], ["lib 2.0"]).yank == [{"package": "lib", "version": "2.0"}]
    assert supposed([], ["lib 2.0"])
    assert not supposed([], [])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("lib", WrongUse),
        ("", WrongUse),
        ("lib 2.0 with zlib", WrongUse),
        ("lib 2.0 needs", WrongUse),
        ("lib two", InvalidVersion),
        ("l*b 2", InvalidName),
        ("lib 2 needs zlib 3", InvalidConstraint),
        ("lib 2 needs zlib;;tool", InvalidName),
    ],
)
def test_what_does_not_read_as_a_version_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        published(text)


@pytest.mark.parametrize(
    ("text", "error"),
    [("lib", WrongUse), ("lib 2 needs x", WrongUse), ("@file", WrongUse), ("lib two", InvalidVersion)],
)
def test_what_cannot_be_yanked_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        supposed([], [text])


def test_the_versions_of_a_catalogue_file_come_with_all_that_it_says_of_them(tmp_path: Path) -> None:
    file = tmp_path / "new.jsonl"
    file.write_text(
        '\ufeff{"name":"lib","description":"of no account here"}\n\n'
        '{"name":"lib","version":"2.0","yanked":true,"releasedAt":"2024-01-01T01:00:00+01:00","digest":"d",'
        '"labels":{"team":"ml"},"dependencies":['
        '{"package":"zlib","constraint":">=1","kinds":["RUNTIME","TEST"],"optional":true,"marker":"os"}]}\n'
        '{"name":"zlib","version":"1"}\n'
    )

    lib, zlib = published(f"@{file}")

    assert lib == {
        "package": "lib",
        "version": "2.0",
        "dependencies": [
            {
                "package": "zlib",
                "constraint": ">=1",
                "kinds": ["RUNTIME", "TEST"],
                "optional": True,
                "marker": "os",
            }
        ],
        "releasedAt": "2024-01-01T00:00:00+00:00",
        "digest": "d",
        "labels": [{"key": "team", "value": "ml"}],
        "status": "YANKED",
    }
    assert (zlib["package"], zlib["releasedAt"], zlib["status"]) == ("zlib", None, "PUBLISHED")


def test_a_bad_line_of_a_file_is_told_with_its_number(tmp_path: Path) -> None:
    file = tmp_path / "new.jsonl"
    file.write_text('{"name":"lib","version":"1"}\n{"name":"lib","version":"two"}\n')

    with pytest.raises(WrongUse, match=r"new\.jsonl:2: 'two' is not a version"):
        published(f"@{file}")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        published(f"@{tmp_path}/missing.jsonl")
