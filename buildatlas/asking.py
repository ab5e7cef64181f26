"""Where the commands get their answers: a server, or a database of this machine."""

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING, Any

from buildatlas import client
from buildatlas.client import Answer, Client
from buildatlas.observability import configure_logging
from buildatlas.release import version
from buildatlas.settings import settings

if TYPE_CHECKING:
    from storage.database import Database


def ask(document: str, variables: Mapping[str, Any], *, database: str | None, url: str | None) -> Answer:
    """Return the data of one operation, from the server at `url` when there is one. Raises what clients raise."""
    with connected(database=database, url=url) as asked:
        return asked.ask(document, variables)


def connected(*, database: str | None, url: str | None) -> AbstractContextManager[Client]:
    """Give what answers, to commands that ask more than once."""
    configure_logging(sys.stderr, level="WARNING")
    if url is not None:
        return client.connect(url)
    # What answers locally takes a second to load, which --url is spared.
    from buildatlas import local  # noqa: PLC0415

    return local.connect(database_url(database), version=version())


def open_database(database: str | None, *, create: bool) -> AbstractContextManager["Database"]:
    """Give the database itself, to commands that no server answers; with `create`, made when it is not there."""
    # What it is reached by takes a while to load.
    from storage.database import Database  # noqa: PLC0415

    return closing(Database.open(database_url(database), create=create))


def database_url(given: str | None) -> str:
    """Return which database is meant when `given` is what the option says."""
    return given or settings(os.environ).database_url
