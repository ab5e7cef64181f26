"""What runs and builds look like in a terminal."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from buildatlas import rendering
from buildatlas.rendering import Data
from buildatlas.tables import Row, print_line, table
from buildatlas.wording import counted, lasting, one_line

_STYLES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("SUCCESS", "SKIPPED", "UNCHANGED"), "green"),
    **dict.fromkeys(("FAILURE", "DEP_FAILED", "UNRESOLVABLE", "TIMED_OUT", "INFRA_ERROR"), "red"),
    **dict.fromkeys(("CANCELED", "SUPERSEDED"), "dim"),
    **dict.fromkeys(("ASSIGNED", "PREPARING", "RUNNING", "FINALIZING"), "cyan"),
    **dict.fromkeys(("QUEUED", "CANCELING"), "yellow"),
}

# What fits a screen; --json has the rest.
_MOST_UNRESOLVABLE: Final = 20


def state(shown: Data) -> Text:
    """Return how a run or a build stands: how it ended, once it has."""
    word = shown["conclusion"] or shown["status"]
    return Text(word, _STYLES.get(word, ""))


def counts(many: Iterable[Data]) -> str:
    """Return such as "120 SUCCESS, 3 FAILURE, 40 BLOCKED": what has ended comes first."""
    ordered = sorted(many, key=lambda each: each["conclusion"] is None)
    return ", ".join(f"{each['count']:,} {each['conclusion'] or each['status']}" for each in ordered)


def started(console: Console, data: Data) -> None:
    """Print a run that was started, now or before."""
    if not data["created"]:
        console.print("started before, under the same key", style="yellow")
    run(console, data["run"])
    _cut_edges(console, data["run"]["cutEdges"])


def run(console: Console, data: Data) -> None:
    """Print a run on two lines: how it stands, and how its builds do."""
    line = Text.assemble(
        "run ", (data["id"], "bold"), ": ", state(data), f", {counted(data['total'], 'build')}"
    )
    if data["reason"]:
        line.append(f": {one_line(data['reason'])}")
    console.print(line, soft_wrap=True, highlight=False)
    if data["counts"]:
        console.print(f"  {counts(data['counts'])}", soft_wrap=True, highlight=False)


def progress(console: Console, data: Data) -> None:
    """Print how the builds of a run stand now."""
    console.print(counts(data["counts"]), soft_wrap=True, highlight=False)


def preview(console: Console, data: Data) -> None:
    """Print a run as it would begin: its waves, and what of it could not be built."""
    in_waves = groupby(data["builds"], key=lambda build: build["wave"])
    rendering.waves(console, [[build["package"] for build in wave] for _, wave in in_waves])
    console.print(
        f"{counted(data['total'], 'build')}: {counts(data['counts'])}", style="bold", highlight=False
    )
    _unresolvable(console, [build for build in data["builds"] if build["conclusion"] == "UNRESOLVABLE"])
    if data["supersedes"]:
        console.print(
            f"{counted(data['supersedes'], 'build')} of other runs would end as SUPERSEDED", style="yellow"
        )
    _cut_edges(console, data["cutEdges"])
    rendering.critical_path(console, data)
    console.print("nothing was started", style="dim")


def runs(console: Console, data: Data) -> None:
    """Print a line for each run, newest first."""
    if not data["nodes"]:
        console.print("no runs")
        return
    titles = ("id", "state", "created (UTC)", "total", "builds", "labels")
    rows = [
        Row(
            (
                each["id"],
                state(each),
                _moment(each["createdAt"]),
                f"{each['total']:,}",
                counts(each["counts"]),
                _labels(each["labels"]),
            )
        )
        for each in data["nodes"]
    ]
    table(console, titles, rows, right={"total"})
    _left_out(console, data, "run")


def builds(console: Console, data: Data) -> None:
    """Print a line for each build, newest first, and under it why it is not running, if that was asked."""
    if not data["nodes"]:
        console.print("no builds")
        return
    titles = ("id", "package", "version", "state", "attempt", "worker", "time", "message")
    rows = [Row(_cells(each), list(map(_reason, each.get("blockedBy", ())))) for each in data["nodes"]]
    table(console, titles, rows, right={"attempt", "time"})
    _left_out(console, data, "build")


def build_line(console: Console, data: Data) -> None:
    """Print how one build stands, on a line."""
    line = Text.assemble("build ", (data["id"], "bold"), f", {_version(data)}: ", state(data))
    # What its worker said of the last attempt is not true of the next.
    if said := data["reason"] or (data["conclusion"] and data["message"]):
        line.append(f": {one_line(said)}")
    console.print(line, soft_wrap=True, highlight=False)


def build(console: Console, data: Data) -> None:
    """Print all that is known of one build, but its log."""
    console.print(Text.assemble((_version(data), "bold"), "  ", state(data)), highlight=False)
    for name, value in _facts(data):
        console.print(f"  {name:14}  {value}", soft_wrap=True, highlight=False, markup=False)
    if data["blockedBy"]:
        _title(console, "why it is not running")
        for reason in data["blockedBy"]:
            print_line(console, Text("  ") + _reason(reason))
    _section(
        console,
        "attempts",
        ("number", "ended as", "started (UTC)", "ended (UTC)", "worker", "message"),
        _attempts(data),
    )
    _section(console, "artifacts", ("name", "size", "uri", "digest"), _artifacts(data))
    titles = ("at (UTC)", "from", "to", "attempt", "by", "reason")
    _section(console, "history", titles, _history(data))


def blockers(console: Console, data: Sequence[Data]) -> None:
    """Print what to mend, what matters most first."""
    if not data:
        console.print("nothing to fix", style="green")
        return
    titles = ("what", "package", "build", "holds up", "remaining", "message")
    rows = [
        Row(
            (
                each["kind"],
                each["package"],
                each["build"]["id"] if each["build"] else "",
                f"{each['blockedBuilds']:,}",
                lasting(each["remainingSeconds"]),
                one_line(each["message"]),
            )
        )
        for each in data
    ]
    table(console, titles, rows, right={"holds up", "remaining"})


def _unresolvable(console: Console, lacking: Sequence[Data]) -> None:
    for each in lacking[:_MOST_UNRESOLVABLE]:
        line = Text.assemble("  ", ("UNRESOLVABLE", "red"), f" {each['package']} {each['version']}")
        if each["reason"]:
            line.append(f": {one_line(each['reason'])}")
        console.print(line, soft_wrap=True, highlight=False)
    if len(lacking) > _MOST_UNRESOLVABLE:
        console.print(
            f"  … and {len(lacking) - _MOST_UNRESOLVABLE:,} more UNRESOLVABLE; --json has them all",
            style="dim",
        )


def _cut_edges(console: Console, edges: Sequence[Data]) -> None:
    if edges:
        shown = rendering.names([f"{edge['dependent']} → {edge['dependency']}" for edge in edges])
        console.print(
            f"{counted(len(edges), 'dependency', 'dependencies')} left out to open cycles: {shown}",
            style="yellow",
            highlight=False,
            soft_wrap=True,
        )


def _left_out(console: Console, data: Data, one: str) -> None:
    left = data["totalCount"] - len(data["nodes"])
    more = f", {left:,} of them not listed: --first tells how many are" if left else ""
    console.print(f"{counted(data['totalCount'], one)}{more}", style="dim", highlight=False)


def _cells(data: Data) -> tuple[str | Text, ...]:
    return (
        data["id"],
        data["packageVersion"]["package"]["name"],
        data["packageVersion"]["version"],
        state(data),
        _attempt(data),
        data["worker"] or "",
        _lasted(data["durationSeconds"]),
        one_line(data["message"] or data["reason"] or ""),
    )


def _reason(reason: Data) -> Text:
    text = Text.assemble((reason["kind"], "yellow"), f" {one_line(reason['message'])}")
    if len(reason["path"]) > 1:
        text.append(f"  {' → '.join(reason['path'])}", "dim")
    return text


def _facts(data: Data) -> Iterator[tuple[str, str]]:
    """Yield what there is to say, each with its name."""
    facts = {
        "build": data["id"],
        "run": data["run"] and data["run"]["id"],
        "trigger": data["trigger"],
        "reason": data["reason"],
        "message": data["message"],
        "attempt": _attempt(data),
        "worker": data["worker"],
        "worker labels": _labels(data["workerLabels"]),
        "priority": f"{data['priority']:,}" if data["priority"] else None,
        "took": _lasted(data["durationSeconds"]),
        "expected": _lasted(data["expectedSeconds"]),
        "may take": _lasted(data["timeoutSeconds"]),
        "created": _moment(data["createdAt"]),
        "queued": _moment(data["queuedAt"]),
        "not before": _moment(data["notBefore"]),
        "started": _moment(data["startedAt"]),
        "held until": _moment(data["leaseExpiresAt"]),
        "ended": _moment(data["completedAt"]),
        "output digest": data["outputDigest"],
    }
    yield from ((name, one_line(value)) for name, value in facts.items() if value)


def _attempts(data: Data) -> list[Row]:
    return [
        Row(
            (
                str(each["number"]),
                state({"status": "", **each}),
                _moment(each["startedAt"]),
                _moment(each["completedAt"]),
                each["worker"],
                one_line(each["message"] or ""),
            )
        )
        for each in data["attempts"]
    ]


def _artifacts(data: Data) -> list[Row]:
    return [
        Row((each["name"], _size(each["sizeBytes"]), each["uri"], each["digest"] or ""))
        for each in data["artifacts"]
    ]


def _history(data: Data) -> list[Row]:
    return [
        Row(
            (
                _moment(each["at"]),
                each["from"] or "",
                state({**each, "status": each["to"]}),
                str(each["attempt"] or ""),
                each["actor"] or "",
                one_line(each["reason"] or ""),
            )
        )
        for each in data["transitions"]["nodes"]
    ]


def _section(console: Console, title: str, titles: Sequence[str], rows: Sequence[Row]) -> None:
    if rows:
        _title(console, title)
        table(console, titles, rows, right={"number", "size", "attempt"})


def _title(console: Console, title: str) -> None:
    console.print(f"\n{title}", style="bold", highlight=False)


def _version(data: Data) -> str:
    return f"{data['packageVersion']['package']['name']} {data['packageVersion']['version']}"


def _attempt(data: Data) -> str:
    return f"{data['attempt']}/{data['maxAttempts']}"


def _lasted(seconds: float | None) -> str:
    return "" if seconds is None else lasting(seconds)


def _moment(text: str | None) -> str:
    """Return a moment to the second."""
    return "" if text is None else text[:19].replace("T", " ")


def _size(size: float | None) -> str:
    return "" if size is None else f"{size:,.0f}"


def _labels(labels: Iterable[Mapping[str, Any]]) -> str:
    return one_line(", ".join(f"{each['key']}={each['value']}" for each in labels))
