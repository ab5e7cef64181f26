"""Where the commands get their answers: a server, or a database of this machine."""

import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from buildatlas import client
from buildatlas.client import Answer, Client
from buildatlas.observability import configure_logging
from buildatlas.release import version
from buildatlas.settings import settings


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


def database_url(given: str | None) -> str:
    """Return which database is meant when `given` is what the option says."""
    return given or settings(os.environ).database_url
