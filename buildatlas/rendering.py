"""What the answers look like in a terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from buildatlas.trees import REPEATED, pin_tree
from buildatlas.wording import counted, lasting

Data = Mapping[str, Any]
Show = Callable[[Console, Any], None]

# What fits a screen; --json has the rest.
_MOST_NAMES: Final = 8
_MOST_WAVES: Final = 20


def resolution(console: Console, data: Data) -> None:
    """Print pins as a tree, every requirement once."""
    versions = {pin["package"]: pin["version"] for pin in data["pins"]}
    tree, is_any_repeated = pin_tree(data["edges"], versions)
    console.print(Text("\n").join(tree.lines()), soft_wrap=True, highlight=False)
    if is_any_repeated:
        console.print(f"{REPEATED} what it requires is shown where it is nearest", style="dim")
    statistics = data["statistics"]
    console.print(
        f"{counted(len(versions), 'pin')} in {lasting(statistics['durationSeconds'])}, "
        f"{counted(statistics['decisions'], 'decision')}, {counted(statistics['conflicts'], 'conflict')}",
        style="dim",
    )
    if data["cycles"]:
        console.print(f"{counted(len(data['cycles']), 'dependency cycle')} among the pins", style="yellow")


def conflict(console: Console, data: Data) -> None:
    """Print an explanation, a paragraph a conclusion."""
    verdict, *lines = data["message"].splitlines()
    console.print(Text(verdict, "bold red"))
    for line in lines:
        # Whatever is not a screen gets lines as they are, so that they can be searched.
        paragraph = (
            Padding(Text(line), (0, 0, 0, 2), expand=False) if console.is_terminal else f"  {escape(line)}"
        )
        console.print(paragraph, soft_wrap=not console.is_terminal, highlight=False)
    statistics = data["statistics"]
    console.print(
        f"{counted(statistics['conflicts'], 'conflict')} in {lasting(statistics['durationSeconds'])}",
        style="dim",
    )


def plan(console: Console, data: Data) -> None:
    """Print waves with what begins them, the cycles that were cut and the critical path."""
    waves(console, [[build["package"] for build in wave] for wave in data["waves"]])
    console.print(
        f"{counted(data['totalBuilds'], 'build')} in {counted(len(data['waves']), 'wave')}", style="bold"
    )
    if data["cycles"]:
        console.print(
            f"{counted(len(data['cycles']), 'dependency cycle')}, opened by leaving out "
            f"{counted(len(data['cutEdges']), 'dependency', 'dependencies')}; "
            f"the largest has {len(data['cycles'][0]['packages']):,} packages: {names(data['cycles'][0]['packages'])}",
            style="yellow",
            highlight=False,
        )
    critical_path(console, data)


def waves(console: Console, packages: Sequence[Sequence[str]]) -> None:
    """Print how many packages each wave has, and the first of them."""
    console.print("[bold] wave   builds  packages[/bold]")
    for number, wave in enumerate(packages[:_MOST_WAVES], start=1):
        console.print(
            f"{number:5}  {len(wave):7,}  {names(wave)}", no_wrap=True, overflow="ellipsis", highlight=False
        )
    if len(packages) > _MOST_WAVES:
        console.print(
            f"… and {counted(len(packages) - _MOST_WAVES, 'wave')} more; --json has them all", style="dim"
        )


def critical_path(console: Console, data: Data) -> None:
    """Print the longest chain of a plan, and how long it takes when that is known."""
    seconds = data["criticalPathSeconds"]
    known = "" if seconds is None else f", {lasting(seconds)}"
    console.print(
        f"critical path, {counted(len(data['criticalPath']), 'build')}{known}: {chain(data['criticalPath'])}",
        highlight=False,
    )


def cycles(console: Console, data: Data) -> None:
    """Print each cycle with a way round and where to cut it."""
    if not data["nodes"]:
        console.print("no dependency cycles", style="green")
        return
    for cycle in data["nodes"]:
        console.print(
            f"[bold]{counted(len(cycle['packages']), 'package')}[/bold]: {names(cycle['packages'])}",
            highlight=False,
        )
        console.print(f"  for example {chain(cycle['example'])}", highlight=False)
        breaks = [f"{edge['dependent']} → {edge['dependency']}" for edge in cycle["suggestedBreaks"]]
        console.print(
            f"  broken by leaving out {len(breaks):,}: {names(breaks)}", style="dim", highlight=False
        )
    shown = f", {len(data['nodes']):,} shown" if data["truncated"] else ""
    console.print(f"{counted(data['totalCount'], 'dependency cycle')}{shown}")


def path_of(start: str, end: str) -> Show:
    """Return what prints a chain from `start` to `end`, or that there is none."""

    def show(console: Console, data: Data | None) -> None:
        if data is None:
            console.print(f"{escape(start)} does not need {escape(end)}, directly or not", highlight=False)
        else:
            console.print(chain(data["packages"]), highlight=False)

    return show


def impact(console: Console, data: Data) -> None:
    """Print what is reached, nearest first."""
    table = Table("distance", "package", "via", box=None, header_style="bold")
    for reached in data["dependents"]:
        table.add_row(str(reached["distance"]), reached["package"], reached["via"])
    console.print(table)
    left = data["totalCount"] - len(data["dependents"])
    more = f", {left:,} of them not listed: --first tells how many are" if left else ""
    console.print(f"{counted(data['totalCount'], 'package')} depend on it{more}")


def names(packages: Sequence[str]) -> str:
    """Return the first of them, and how many more there are, as markup."""
    shown = ", ".join(map(escape, packages[:_MOST_NAMES]))
    return shown if len(packages) <= _MOST_NAMES else f"{shown} and {len(packages) - _MOST_NAMES:,} more"


def chain(packages: Sequence[str]) -> str:
    """Return each with an arrow to the next, as markup."""
    return " → ".join(map(escape, packages))
