"""The file of documents that are executed for those who show no token."""

from pathlib import Path

import pytest

from buildatlas.settings import SettingsError
from buildatlas.trusted import trusted_documents


@pytest.mark.parametrize("text", ['{"sha256:1": "{ a }", "2": "{ b }"}', '["{ a }", "{ b }"]'])
def test_documents_are_the_values_of_an_object_or_a_list(tmp_path: Path, text: str) -> None:
    (tmp_path / "documents.json").write_text(text)

    assert trusted_documents(str(tmp_path / "documents.json")) == frozenset({"{ a }", "{ b }"})


def test_without_a_file_any_is_executed() -> None:
    assert trusted_documents(None) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "No such file or directory"),
        ("{", "is not JSON"),
        ("5", "has to hold a JSON object whose values are documents"),
        ('{"a": 5}', "has to hold a JSON object whose values are documents"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str | None, problem: str) -> None:
    if text is not None:
        (tmp_path / "documents.json").write_text(text)

    with pytest.raises(SettingsError, match="BUILDATLAS_TRUSTED_DOCUMENTS: .*" + problem):
        trusted_documents(str(tmp_path / "documents.json"))
