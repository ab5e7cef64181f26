"""The command `errors`: what has gone wrong in the service and in builds, each fault once."""

from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from buildatlas.asking import ask
from buildatlas.options import DatabaseOption, JsonOption, UrlOption
from buildatlas.rendering import Data
from buildatlas.tables import Row, table
from buildatlas.terminal import print_answer
from buildatlas.wording import counted, one_line

ERRORS: Final = """
query Errors($component: String, $first: Int!) {
  errors(component: $component, first: $first) {
    totalCount
    nodes { id code message count firstSeenAt lastSeenAt component sample }
  }
}
"""


def errors(
    *,
    component: Annotated[
        str | None, typer.Option(help="Only those of this part, such as api, http, chores or build.")
    ] = None,
    first: Annotated[int, typer.Option(help="List at most this many.", min=1, max=1000)] = 20,
    sample: Annotated[bool, typer.Option("--sample", help="Also show the last error of each group.")] = False,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List errors of the service and of builds, each fault once, with how often it was seen; the last comes first."""
    variables = {"component": component, "first": first}
    answer = ask(ERRORS, variables, database=database, url=url)["errors"]
    print_answer(answer, as_json=as_json, show=lambda console, data: _show(console, data, samples=sample))


def _show(console: Console, data: Data, *, samples: bool) -> None:
    if not data["nodes"]:
        console.print("no errors")
        return
    titles = ("count", "last (UTC)", "first (UTC)", "component", "code", "message")
    rows = [
        Row(
            (
                f"{each['count']:,}",
                _moment(each["lastSeenAt"]),
                _moment(each["firstSeenAt"]),
                each["component"],
                Text(each["code"], "red"),
                one_line(each["message"]),
            ),
            [_safe(line) for line in each["sample"].splitlines()] if samples else (),
        )
        for each in data["nodes"]
    ]
    table(console, titles, rows, right={"count"})
    left = data["totalCount"] - len(data["nodes"])
    more = f", {left:,} of them not listed: --first tells how many are" if left else ""
    console.print(f"{counted(data['totalCount'], 'fault')}{more}", style="dim", highlight=False)


def _safe(line: str) -> str:
    """Return a line without what would control a terminal."""
    return "".join(each if each.isprintable() else " " for each in line)


def _moment(text: str) -> str:
    return text[:19].replace("T", " ")
