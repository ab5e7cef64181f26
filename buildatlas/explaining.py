"""What is said of an answer besides the answer: what changes, what holds it back, and how it was derived."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from buildatlas.holds import Hold
from buildatlas.rendering import Data
from buildatlas.wording import counted

# What fits a line; --json has the rest.
_MOST_REASONS: Final = 8

# Marks the steps of a derivation that rest on what cannot hold together.
_CORE: Final = "*"

# An override stands in the place of the requirements that it overrides.
_STEP_OF: Final = {
    "REQUIREMENT": "ROOT_REQUIREMENT",
    "OVERRIDE": "ROOT_REQUIREMENT",
    "CONSTRAINT": "CONSTRAINT",
}


def changes(console: Console, title: str, diff: Data) -> None:
    """Print the pins that differ, or that none does."""
    lines = list(changed_lines(diff))
    if not lines:
        _print(console, Text.assemble((title, "bold"), ": no pin changes"))
        return
    _print(console, Text.assemble((title, "bold"), f": {counted(len(lines), 'pin changes', 'pins change')}"))
    for line in lines:
        _print(console, line)


def simulation(console: Console, data: Data) -> None:
    """Print what comes of what is supposed, compared with the answer as things are."""
    if data["diff"] is not None:
        changes(console, "because of what is supposed", data["diff"])
    elif data["before"]["__typename"] == "Resolution":
        pins = counted(len(data["before"]["pins"]), "pin")
        _print(console, Text(f"without what is supposed there is an answer, of {pins}", "bold"))
    else:
        either = "" if data["after"]["__typename"] == "Resolution" else " either"
        _print(console, Text(f"without what is supposed there is no answer{either}", "bold"))


def changed_lines(diff: Data) -> Iterator[Text]:
    """Yield a line for each pin that differs: what comes and goes first, then what moves."""
    for pin in diff["added"]:
        yield Text(f"  + {pin['package']} {pin['version']}", "green")
    for pin in diff["removed"]:
        yield Text(f"  - {pin['package']} {pin['version']}", "red")
    for change in diff["changed"]:
        arrow, style = ("↑", "cyan") if change["direction"] == "UPGRADE" else ("↓", "yellow")
        yield Text(f"  {arrow} {change['package']} {change['from']} → {change['to']}", style)


def holds(console: Console, held: Sequence[Hold]) -> None:
    """Print what is held back, and by whom."""
    if not held:
        _print(console, Text("every pin is at the latest version of its package", "green"))
        return
    _print(
        console, Text(f"{counted(len(held), 'pin is', 'pins are')} held back from the latest version", "bold")
    )
    for hold in held:
        reasons = "; ".join(_few(hold.reasons))
        versions = ((hold.version, "green"), ", latest ", (hold.latest, "yellow"))
        _print(console, Text.assemble("  ", (hold.package, "bold"), " ", *versions, f": {reasons}"))


def derivation(console: Console, conflict: Data) -> None:
    """Print the steps of a proof by number, and which of them rest on what is in the core."""
    core = {(_STEP_OF[asked["source"]], asked["package"]) for asked in conflict["core"]}
    _print(console, Text("how it follows", "bold"))
    for step in conflict["steps"]:
        _print(console, _step(step, is_core=(step["kind"], step["dependency"]) in core))
    minimal = "; any fewer of them can" if conflict["coreIsMinimal"] else ""
    _print(console, Text(f"{_CORE} these cannot be met together{minimal}", "dim"))


def _step(step: Data, *, is_core: bool) -> Text:
    mark = _CORE if is_core else " "
    causes = f" ({', '.join(map(str, step['causes']))})" if step["causes"] else ""
    return Text.assemble(
        (f"{step['index']:4}", "bold"), (mark, "bold red"), f" {step['text']}", (causes, "dim")
    )


def _few(reasons: Sequence[str]) -> Iterable[str]:
    left = len(reasons) - _MOST_REASONS
    return reasons if left <= 0 else [*reasons[:_MOST_REASONS], f"and {left:,} more"]


def _print(console: Console, line: Text) -> None:
    """As it is, in one piece: whatever looks for a line must find it."""
    console.print(line, soft_wrap=True, highlight=False)


def as_json(held: Iterable[Hold]) -> list[dict[str, Any]]:
    """Return what is held back as plain values."""
    return [
        {
            "package": hold.package,
            "version": hold.version,
            "latest": hold.latest,
            "reasons": list(hold.reasons),
        }
        for hold in held
    ]
