"""What the URL of a database says, and what is refused of it."""

from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from storage.errors import Trouble, Unavailable

_SCHEMES: Final = ("postgresql://", "postgres://", "postgresql+psycopg://")


def is_postgres(url: str) -> bool:
    """Whether `url` names a PostgreSQL database."""
    return url.startswith(_SCHEMES)


def parsed(url: str, advice: str) -> URL:
    """Return the parts of `url`. Raises Unavailable with `advice` when it is none."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:
        # The rest may hold a password.
        location = f"{url.partition('://')[0]}://…"
        raise Unavailable(location, Trouble.UNSUPPORTED, f"this is no database URL; use {advice}") from error
