"""The commands `token create`, `token list` and `token revoke`: who may use a server that others can reach."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console

from buildatlas.asking import open_database
from buildatlas.errors import WrongUse
from buildatlas.options import DatabaseOption, JsonOption
from buildatlas.tables import Row, table
from buildatlas.terminal import print_answer
from graph.moments import rfc_3339

if TYPE_CHECKING:
    from storage.monitoring_rows import TokenRow


class ScopeName(StrEnum):
    """What a token may allow."""

    READ = "read"
    WRITE = "write"
    BUILD = "build"
    ADMIN = "admin"


_LASTING: Final = re.compile(r"(\d{1,4})([hdw])", re.ASCII)
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

app = typer.Typer(
    name="token", help="Access tokens, for a server that others can reach.", no_args_is_help=True
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What history calls whoever uses it; unique.")],
    *,
    scope: Annotated[
        list[ScopeName] | None,
        typer.Option(
            help="What it allows; may be repeated. `write` changes the catalogue, `build` starts runs and works on them, "
            "`admin` does everything; each reads, too.",
            show_default="read",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            metavar="AFTER", help="For how long it is valid, such as 12h, 90d or 8w; for ever without."
        ),
    ] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token, and print it. It cannot be shown again: only a digest is kept."""
    from resolvers import access
    from storage.monitoring_tables import Scope

    now = datetime.now(UTC)
    scopes = Scope(0)
    for each in scope or [ScopeName.READ]:
        scopes |= Scope[each.name]
    with open_database(database, create=True) as opened:
        made = access.create(opened, name, scopes, expires_at=_expiry(expires, now), now=now)

    def show(console: Console, answer: Any) -> None:
        console.print(answer["token"], soft_wrap=True, highlight=False, markup=False)

    print_answer({"token": made.secret, **_as_json(made.row)}, as_json=as_json, show=show)


@app.command("list")
def list_(*, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List all tokens, also those that are no longer valid."""
    from resolvers import access

    with open_database(database, create=True) as opened:
        rows = access.list_all(opened)
    print_answer([_as_json(row) for row in rows], as_json=as_json, show=_show_all)


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Of the token.")], *, database: DatabaseOption = None
) -> None:
    """Make a token invalid. Servers notice within seconds."""
    from resolvers import access

    with open_database(database, create=True) as opened:
        is_new = access.revoke(opened, name, now=datetime.now(UTC))
    typer.echo(f"{name}: revoked" if is_new else f"{name}: was revoked before")


def _expiry(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    found = _LASTING.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise WrongUse(f"--expires {text}: give a number of hours, days or weeks, such as 12h, 90d or 8w")
    return now + int(found[1]) * _UNITS[found[2]]


def _as_json(row: "TokenRow") -> dict[str, Any]:
    from resolvers.access import names_of

    return {
        "name": row.name,
        "scopes": list(names_of(row.scopes)),
        "createdAt": _moment(row.created_at),
        "expiresAt": _moment(row.expires_at),
        "lastUsedAt": _moment(row.last_used_at),
        "revokedAt": _moment(row.revoked_at),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else rfc_3339(moment, timespec="seconds")


def _show_all(console: Console, answer: Any) -> None:
    if not answer:
        console.print(
            "no token has been made: the server answers only on this machine, and to everybody on it"
        )
        return
    titles = ("name", "scopes", "created", "expires", "last used", "revoked")
    names = ("createdAt", "expiresAt", "lastUsedAt", "revokedAt")
    rows = [
        Row((each["name"], ", ".join(each["scopes"]), *(each[name] or "" for name in names)))
        for each in answer
    ]
    table(console, titles, rows)
