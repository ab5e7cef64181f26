"""Pins as a tree: who requires what.

How it works: breadth first, so that what a pin requires is shown where the pin is
nearest to the question. Every requirement has one line; at every other place of a
pin, its line says that the rest is shown elsewhere. Rich has trees of its own,
which leave out whatever is nested deeper than the screen is wide.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rich.text import Text

REPEATED: Final = "(*)"
"""Stands behind a pin whose own requirements are shown at another place."""


@dataclass(slots=True)
class Branch:
    """A line, and those below it."""

    label: Text
    below: list["Branch"] = field(default_factory=list)

    def lines(self) -> Iterator[Text]:
        """Yield this line and all below it, with the guides before them."""
        yield self.label
        waiting = [("", branch, index == 0) for index, branch in enumerate(reversed(self.below))]
        while waiting:
            guides, branch, is_last = waiting.pop()
            yield Text.assemble((guides + ("└── " if is_last else "├── "), "dim"), branch.label)
            deeper = guides + ("    " if is_last else "│   ")
            waiting += [(deeper, each, index == 0) for index, each in enumerate(reversed(branch.below))]


def pin_tree(edges: Iterable[Mapping[str, Any]], versions: Mapping[str, str]) -> tuple[Branch, bool]:
    """Return the tree of a resolution's edges, and whether REPEATED stands anywhere in it."""
    required = _by_dependent(edges)
    root = Branch(Text("requirements", "bold"))
    is_any_repeated = False
    placed: set[str] = set()
    waiting: deque[tuple[Branch, str | None]] = deque([(root, None)])
    while waiting:
        branch, dependent = waiting.popleft()
        for name, constraints in required.get(dependent, {}).items():
            is_repeated = name in placed and name in required
            is_any_repeated |= is_repeated
            child = Branch(_pin(name, versions[name], constraints, is_repeated=is_repeated))
            branch.below.append(child)
            if name not in placed:
                placed.add(name)
                waiting.append((child, name))
    return root, is_any_repeated


def _by_dependent(edges: Iterable[Mapping[str, Any]]) -> dict[str | None, dict[str, list[str]]]:
    """Return the constraints on each dependency of each dependent, in the order of the edges."""
    required: dict[str | None, dict[str, list[str]]] = {}
    for edge in edges:
        needed = required.setdefault(edge["dependent"], {})
        needed.setdefault(edge["dependency"], []).append(edge["constraint"])
    return required


def _pin(name: str, version: str, constraints: list[str], *, is_repeated: bool) -> Text:
    text = Text.assemble((name, "bold"), " ", (version, "green"))
    said = " and ".join(filter(None, constraints))
    if said:
        text.append(f"  {said}", "dim")
    if is_repeated:
        text.append(f" {REPEATED}", "dim italic")
    return text
