"""The command `alerts`, and under it `acknowledge` and `rules`."""

from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from buildatlas.asking import ask
from buildatlas.options import DatabaseOption, JsonOption, UrlOption
from buildatlas.rendering import Data
from buildatlas.tables import Row, table
from buildatlas.terminal import print_answer
from buildatlas.wording import counted, lasting, one_line

_ALERT: Final = (
    "id state severity value message startedAt acknowledgedAt resolvedAt blockedBuilds "
    "labels { key value } rule { name } deliveries { at attempt delivered status message }"
)
ALERTS: Final = f"""
query Alerts($state: [AlertState!], $first: Int!) {{
  alerts(state: $state, first: $first) {{ totalCount nodes {{ {_ALERT} }} }}
}}
"""
ACKNOWLEDGE: Final = f"""
mutation Acknowledge($id: ID!) {{ acknowledgeAlert(input: {{ id: $id }}) {{ alert {{ {_ALERT} }} }} }}
"""
RULES: Final = """
query AlertRules {
  alertRules {
    id name metric aggregate comparison threshold windowSeconds forSeconds severity enabled webhook
    labels { key value }
  }
}
"""
OPEN: Final = ("PENDING", "FIRING", "ACKNOWLEDGED")

_STYLES: Final = {"FIRING": "bold red", "ACKNOWLEDGED": "yellow", "PENDING": "dim", "RESOLVED": "green"}
_SIGNS: Final = {"GT": ">", "GTE": "≥", "LT": "<", "LTE": "≤"}

app = typer.Typer(name="alerts", help="Alerts, and the rules by which they are due.")


@app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    first: Annotated[int, typer.Option(help="List at most this many.", min=1, max=1000)] = 50,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List alerts, newest first, with what keeps their receivers from hearing of them."""
    if context.invoked_subcommand is not None:
        return
    variables = {"state": None if every else OPEN, "first": first}
    answer = ask(ALERTS, variables, database=database, url=url)["alerts"]
    print_answer(answer, as_json=as_json, show=_show_alerts)


@app.command()
def acknowledge(
    alert: Annotated[str, typer.Argument(metavar="ID", help="Of the alert.")],
    *,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take on an alert, which fires no more until it is resolved."""
    answer = ask(ACKNOWLEDGE, {"id": alert}, database=database, url=url)["acknowledgeAlert"]["alert"]
    print_answer(answer, as_json=as_json, show=lambda console, data: _show_alerts(console, {"nodes": [data]}))


@app.command()
def rules(*, database: DatabaseOption = None, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the rules by which alerts are due."""
    answer = ask(RULES, {}, database=database, url=url)["alertRules"]
    print_answer(answer, as_json=as_json, show=_show_rules)


def _show_alerts(console: Console, data: Data) -> None:
    alerts = data["nodes"]
    if not alerts:
        console.print("no alerts")
        return
    titles = ("state", "severity", "since (UTC)", "rule", "labels", "message", "id")
    rows = [
        Row(
            (
                Text(each["state"], _STYLES[each["state"]]),
                each["severity"],
                _moment(each["startedAt"]),
                one_line(each["rule"]["name"]),
                _labels(each),
                one_line(each["message"]),
                each["id"],
            ),
            _undelivered(each),
        )
        for each in alerts
    ]
    table(console, titles, rows)
    left = data.get("totalCount", len(alerts)) - len(alerts)
    if left:
        console.print(
            f"{counted(left, 'more alert')}: --first tells how many to list", style="dim", highlight=False
        )


def _undelivered(alert: Data) -> list[str]:
    """Return what is to be said of the last attempt at telling of an alert, when that has failed."""
    return [
        f"its receiver was not told, attempt {last['attempt']}: {one_line(last['message'] or '')}"
        for last in alert["deliveries"][-1:]
        if not last["delivered"]
    ]


def _show_rules(console: Console, data: list[Data]) -> None:
    if not data:
        console.print("no rules")
        return
    titles = ("name", "severity", "holds when", "for", "tells")
    rows = [
        Row(
            (
                Text(one_line(each["name"]), "" if each["enabled"] else "dim strike"),
                each["severity"] if each["enabled"] else "disabled",
                _condition(each),
                lasting(each["forSeconds"]) if each["forSeconds"] else "at once",
                each["webhook"] or "",
            )
        )
        for each in data
    ]
    table(console, titles, rows)


def _condition(rule: Data) -> str:
    labels = _labels(rule)
    of_series = f"{{{labels}}}" if labels else ""
    return (
        f"{rule['aggregate']} of {one_line(rule['metric'])}{of_series} over {lasting(rule['windowSeconds'])} "
        f"{_SIGNS[rule['comparison']]} {rule['threshold']:g}"
    )


def _labels(data: Data) -> str:
    return one_line(", ".join(f"{label['key']}={label['value']}" for label in data["labels"]))


def _moment(text: str) -> str:
    return text[:19].replace("T", " ")
