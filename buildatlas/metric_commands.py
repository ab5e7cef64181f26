"""The command `metrics`: what was measured, as numbers over time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from buildatlas.asking import ask
from buildatlas.choices import MetricAggregate
from buildatlas.labels import parse_labels
from buildatlas.options import DatabaseOption, JsonOption, UrlOption
from buildatlas.rendering import Data
from buildatlas.spans import parse_span
from buildatlas.tables import Row, print_line, table
from buildatlas.terminal import print_answer
from buildatlas.wording import counted, one_line

METRICS: Final = """
query Metrics($asked: MetricQuery!) {
  metrics(query: $asked) { name unit labels { key value } points { at value } }
}
"""

# The buckets that are taken by themselves: the first that gives no more points than fit a few screens.
_BUCKETS: Final = (60, 300, 900, 3_600, 21_600, 86_400)
_FEW: Final = 120


def metrics(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What was measured, such as resolve.seconds.")],
    *,
    since: Annotated[
        str, typer.Option(metavar="SPAN", help="How far back, such as 15m, 1h, 7d or 4w.")
    ] = "1h",
    aggregate: Annotated[
        MetricAggregate, typer.Option(case_sensitive=False, help="What each point tells of its bucket.")
    ] = MetricAggregate.MEAN,
    bucket: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            help="Seconds to a point: a multiple of 60.",
            show_default="what gives at most 120 points",
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Only series with this label; may be repeated."),
    ] = None,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was measured by servers, or recorded by others, over time. Times are UTC."""
    window = parse_span("--since", since)
    now = datetime.now(UTC)
    asked = {
        "name": name,
        "labels": parse_labels(label or []),
        "since": (now - window).isoformat(),
        "until": now.isoformat(),
        "bucketSeconds": _suiting(window) if bucket is None else bucket,
        "aggregate": aggregate,
    }
    answer = ask(METRICS, {"asked": asked}, database=database, url=url)["metrics"]
    print_answer(answer, as_json=as_json, show=lambda console, data: _show(console, data, name))


def figure(value: float) -> str:
    """Return a number with as many digits as tell something, and never more than it has."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.3f}" if abs(value) >= 1 else f"{value:.4g}"


def _suiting(window: timedelta) -> int:
    seconds = window.total_seconds()
    return next((each for each in _BUCKETS if seconds / each <= _FEW), _BUCKETS[-1])


def _show(console: Console, series: Sequence[Data], name: str) -> None:
    if not series:
        console.print(f"nothing was measured as {one_line(name)}", markup=False, highlight=False)
        return
    for number, each in enumerate(series):
        if number:
            console.print()
        print_line(console, _title(each))
        rows = [Row((_moment(point["at"]), figure(point["value"]))) for point in each["points"]]
        table(console, ("time (UTC)", "value"), rows, right={"value"})
    console.print(counted(len(series), "series", "series"), style="dim", highlight=False)


def _title(series: Data) -> Text:
    labels: Any = series["labels"]
    shown = " ".join(f"{label['key']}={label['value']}" for label in labels)
    unit = f" ({series['unit']})" if series["unit"] else ""
    return Text(one_line(f"{series['name']}{unit} {shown}"), "bold")


def _moment(text: str) -> str:
    return text[:19].replace("T", " ")
