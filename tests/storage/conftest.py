"""Databases that tests share, for those that only read them or undo what they write."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from storage.database import Database
from tests.databases import KINDS, url_of


@pytest.fixture(params=KINDS, scope="module")
def kept_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database that all tests of a module, and all examples of each, have together."""
    with (
        url_of(request.param, tmp_path_factory.mktemp("kept")) as url,
        closing(Database.open(url)) as opened,
    ):
        yield opened
