"""What is said of an answer besides the answer."""

from collections.abc import Callable
from io import StringIO
from typing import Any

from rich.console import Console

from buildatlas import explaining
from buildatlas.holds import Hold


def shown(show: Callable[..., None], *data: Any) -> list[str]:
    # Narrow, so that whatever is wrapped shows.
    console = Console(file=StringIO(), width=20)
    show(console, *data)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


def test_changes_are_told_by_what_they_are() -> None:
    diff = {
        "added": [{"package": "[b]new", "version": "1"}],
        "removed": [{"package": "old", "version": "2"}],
        "changed": [
            {"package": "lib", "from": "1", "to": "2", "direction": "UPGRADE"},
            {"package": "base", "from": "2", "to": "1", "direction": "DOWNGRADE"},
        ],
    }

    assert shown(explaining.changes, "compared with app.lock", diff) == [
        "compared with app.lock: 4 pins change",
        "  + [b]new 1",
        "  - old 2",
        "  ↑ lib 1 → 2",
        "  ↓ base 2 → 1",
    ]
    same: dict[str, list[object]] = {"added": [], "removed": [], "changed": []}
    assert shown(explaining.changes, "supposed", same) == ["supposed: no pin changes"]


def test_a_simulation_without_a_comparison_says_what_there_is_without_it() -> None:
    pins = {"__typename": "Resolution", "pins": [1, 2]}
    conflict = {"__typename": "ResolutionConflict"}

    def told(before: object, after: object) -> list[str]:
        return shown(explaining.simulation, {"before": before, "after": after, "diff": None})

    assert told(pins, conflict) == ["without what is supposed there is an answer, of 2 pins"]
    assert told(conflict, pins) == ["without what is supposed there is no answer"]
    assert told(conflict, conflict) == ["without what is supposed there is no answer either"]


def test_what_is_held_back_has_a_line_with_the_first_reasons() -> None:
    held = [
        Hold("lib", "1", "2", ("you require <2", "app 1 needs <2")),
        Hold("base", "1", "3", tuple(f"p{number} 1 needs <2" for number in range(10))),
    ]

    title, lib, base = shown(explaining.holds, held)

    assert title == "2 pins are held back from the latest version"
    assert lib == "  lib 1, latest 2: you require <2; app 1 needs <2"
    assert base.endswith("p7 1 needs <2; and 2 more")
    assert len(explaining.as_json(held)[1]["reasons"]) == 10


def test_nothing_held_back_is_told_too() -> None:
    assert shown(explaining.holds, []) == ["every pin is at the latest version of its package"]


def test_a_proof_is_numbered_and_what_cannot_be_met_together_is_marked() -> None:
    conflict = {
        "coreIsMinimal": True,
        "core": [
            {"package": "app", "constraint": "", "source": "REQUIREMENT"},
            {"package": "base", "constraint": "<2", "source": "CONSTRAINT"},
        ],
        "steps": [
            step(0, "ROOT_REQUIREMENT", "you require app", dependency="app"),
            step(1, "CONSTRAINT", "you restrict base", dependency="base"),
            step(2, "DEPENDENCY", "base needs app", dependency="app"),
            step(3, "DERIVED", "so nothing does", causes=[0, 2]),
        ],
    }

    assert shown(explaining.derivation, conflict) == [
        "how it follows",
        "   0* you require app",
        "   1* you restrict base",
        "   2  base needs app",
        "   3  so nothing does (0, 2)",
        "* these cannot be met together; any fewer of them can",
    ]
    last = shown(explaining.derivation, {**conflict, "coreIsMinimal": False})[-1]
    assert last == "* these cannot be met together"


def step(index: int, kind: str, text: str, **more: Any) -> dict[str, Any]:
    return {"index": index, "kind": kind, "text": text, "causes": [], "dependency": None, **more}
