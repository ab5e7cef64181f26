"""The command `top`: how a server and its builds fare now."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from buildatlas import build_rendering
from buildatlas.asking import connected
from buildatlas.client import Client, Refused, Unreachable
from buildatlas.following import is_passing
from buildatlas.metric_commands import figure
from buildatlas.options import DatabaseOption, JsonOption, UrlOption
from buildatlas.rendering import Data
from buildatlas.tables import print_line
from buildatlas.terminal import print_json, reader_may_leave
from buildatlas.wording import counted, lasting, one_line

# What is measured is written every 10 s or so, and told by the minute: the last whole ones and the one that is going on.
_WINDOW: Final = timedelta(minutes=5)

# By alias: what is asked of which name.
_ASKED: Final[Mapping[str, tuple[str, str]]] = {
    "operations": ("graphql.operation.seconds", "COUNT"),
    "operationTime": ("graphql.operation.seconds", "SUM"),
    "slowest": ("graphql.operation.seconds", "MAX"),
    "builds": ("build.seconds", "COUNT"),
    "failures": ("build.failed", "SUM"),
    "oldest": ("queue.oldest.seconds", "MAX"),
    "workers": ("workers.live", "MAX"),
    "delivery": ("event.delivery.seconds", "MAX"),
    "cpu": ("process.cpu.ratio", "MEAN"),
    "memory": ("process.memory.bytes", "MAX"),
    "files": ("process.open_files", "MAX"),
    "threads": ("process.threads", "MAX"),
    "lag": ("process.loop_lag.seconds", "MAX"),
    "connections": ("database.connections", "MAX"),
    "size": ("database.bytes", "MAX"),
    "subscribers": ("subscribers", "MAX"),
}
_COUNTED: Final = ("operations", "operationTime", "builds", "failures")
"""What adds up over the window; of all else the last minute counts."""
_OF_PROCESSES: Final = ("cpu", "memory", "files", "threads", "connections", "subscribers")
"""What is each process's own, and adds up over all of them."""

# Some processes have written what they have measured in a minute, and others are about to.
_LATELY: Final = timedelta(minutes=1)

_MOST_BUILDS: Final = 15
_MOST_RUNS: Final = 5

DOCUMENT: Final = (
    """
query Top($since: DateTime!, $builds: Int!, $runs: Int!) {
  server { version database packages versions startedAt }
  queued: builds(filter: { status: [QUEUED] }, first: 1) { totalCount }
  blocked: builds(filter: { status: [BLOCKED] }, first: 1) { totalCount }
  held: builds(filter: { status: [ASSIGNED, PREPARING, RUNNING, FINALIZING, CANCELING] }, first: $builds) {
    totalCount
    nodes { id status conclusion worker startedAt packageVersion { version package { name } } }
  }
  runs(first: $runs) { nodes { id status conclusion total counts { status conclusion count } } }
"""
    + "".join(
        f'  {alias}: metrics(query: {{ name: "{name}", aggregate: {aggregate}, since: $since }}) {{ points {{ at value }} }}\n'
        for alias, (name, aggregate) in _ASKED.items()
    )
    + "}\n"
)

EveryOption = Annotated[
    float, typer.Option("--every", metavar="SECONDS", help="How often to look.", min=0.2, max=3600)
]


def top(
    *,
    every: EveryOption = 2.0,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show queue, workers, runs, rates and resources, on a screen until Ctrl-C, else once. Rates are of the last 5 minutes."""
    console = Console()
    with connected(database=database, url=url) as client, reader_may_leave():
        if as_json:
            print_json(seen(client, datetime.now(UTC)))
        elif not console.is_terminal:
            for line in lines(seen(client, datetime.now(UTC)), datetime.now(UTC)):
                print_line(console, line)
        else:
            with Live(console=console, auto_refresh=False, screen=True) as live:
                show(client, lambda picture: live.update(picture, refresh=True), every=every)


def show(
    client: Client,
    draw: Callable[[RenderableType], object],
    *,
    every: float,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Draw what there is to see again and again, until Ctrl-C. A server that does not answer may come back."""
    shown: list[Text] = []
    try:
        while True:
            now = datetime.now(UTC)
            try:
                shown = lines(seen(client, now), now)
                draw(Group(*shown))
            except (Refused, Unreachable) as error:
                if not is_passing(error):
                    raise
                draw(Group(Text(one_line(str(error)), "yellow"), *shown))
            pause(every)
    except KeyboardInterrupt:
        return


def seen(client: Client, now: datetime) -> Data:
    """Return what there is to see: the answer, with one number or null in place of each series."""
    since = (now - _WINDOW).isoformat()
    answer = client.ask(DOCUMENT, {"since": since, "builds": _MOST_BUILDS, "runs": _MOST_RUNS})
    return {
        **answer,
        **{alias: _number(alias, answer[alias]) for alias in _ASKED},
        "windowSeconds": _WINDOW.total_seconds(),
    }


def lines(data: Data, now: datetime) -> list[Text]:
    """Return it as lines."""
    server = data["server"]
    held = data["held"]
    parts = [
        Text(
            f"Buildatlas {server['version']} on {server['database']}: {counted(server['packages'], 'package')}, "
            f"{counted(server['versions'], 'version')}",
            "bold",
        ),
        _facts(
            "queue",
            (f"{data['queued']['totalCount']:,} queued", True),
            (f"{data['blocked']['totalCount']:,} blocked", True),
            (f"{held['totalCount']:,} at workers", True),
            (f"oldest waits {_seconds(data['oldest'])}", bool(data["oldest"])),
            (counted(int(data["workers"] or 0), "worker"), data["workers"] is not None),
        ),
        _facts("rates", *_rates(data)),
        _facts(
            "process",
            (f"{_plain(data['cpu'])} processors", data["cpu"] is not None),
            (f"{_bytes(data['memory'])} memory", data["memory"] is not None),
            (f"{_plain(data['threads'])} threads", data["threads"] is not None),
            (f"{_plain(data['files'])} files", data["files"] is not None),
            (f"{_plain(data['subscribers'])} subscribers", data["subscribers"] is not None),
            (f"loop up to {_seconds(data['lag'])} late", data["lag"] is not None),
        ),
        _facts(
            "database",
            (_bytes(data["size"]), data["size"] is not None),
            (f"{_plain(data['connections'])} connections", data["connections"] is not None),
        ),
    ]
    return [*parts, *_runs(data["runs"]["nodes"]), *_builds(held, now)]


def _rates(data: Data) -> Sequence[tuple[str, bool]]:
    seconds, minutes = data["windowSeconds"], data["windowSeconds"] / 60
    operations = data["operations"] or 0
    mean = (data["operationTime"] or 0) / operations if operations else 0
    return (
        (f"{figure(operations / seconds)} operations/s", True),
        (f"{lasting(mean)} each", operations > 0),
        (f"slowest {_seconds(data['slowest'])}", operations > 0),
        (f"{figure((data['builds'] or 0) / minutes)} builds/min", True),
        (f"{_plain(data['failures'])} failed", bool(data["failures"])),
        (f"events up to {_seconds(data['delivery'])} late", data["delivery"] is not None),
    )


def _number(alias: str, series: Sequence[Mapping[str, Any]]) -> float | None:
    points = [point for each in series for point in each["points"]]
    if not points:
        return None
    if alias in _COUNTED:
        return sum(float(point["value"]) for point in points)
    last = max(point["at"] for point in points)
    if alias in _OF_PROCESSES:
        since = datetime.fromisoformat(last) - _LATELY
        ends = [each["points"][-1] for each in series if each["points"]]
        return sum(float(end["value"]) for end in ends if datetime.fromisoformat(end["at"]) >= since)
    return max(float(point["value"]) for point in points if point["at"] == last)


def _facts(title: str, *facts: tuple[str, bool]) -> Text:
    said = ", ".join(text for text, is_known in facts if is_known)
    return Text(f"{title:<9}", "bold").append(said or "nothing measured in the last minutes", "not bold")


def _runs(runs: Sequence[Data]) -> list[Text]:
    if not runs:
        return []
    return [
        Text(),
        Text("runs", "bold"),
        *(
            Text(f"  {run['id']}  {run['conclusion'] or run['status']}  {run['total']:,}  ").append(
                build_rendering.counts(run["counts"])
            )
            for run in runs
        ),
    ]


def _builds(held: Data, now: datetime) -> list[Text]:
    if not held["nodes"]:
        return []
    more = held["totalCount"] - len(held["nodes"])
    return [
        Text(),
        Text("at workers", "bold"),
        *(
            Text(
                f"  {build['packageVersion']['package']['name']} {build['packageVersion']['version']}  {build['status']}  "
                f"on {one_line(build['worker'] or '?')}{_since(build, now)}"
            )
            for build in held["nodes"]
        ),
        *([Text(f"  … and {more:,} more", "dim")] if more else []),
    ]


def _since(build: Data, now: datetime) -> str:
    if build["startedAt"] is None:
        return ""
    seconds = (now - datetime.fromisoformat(build["startedAt"])).total_seconds()
    # The clocks of two machines differ.
    return f" for {lasting(max(seconds, 0.0))}"


def _seconds(value: float | None) -> str:
    return lasting(value or 0)


def _plain(value: float | None) -> str:
    return figure(value or 0)


def _bytes(value: float | None) -> str:
    return f"{(value or 0) / 1_000_000:,.1f} MB"
