"""Tables with a line for each row, so that they can be searched and cut apart like any text.

Those of Rich break or cut what is longer than the screen is wide, also where there is no screen.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

_GAP = "  "

Cell = str | Text
"""What stands in a column; a str is no markup."""


@dataclass(frozen=True, slots=True)
class Row:
    """One of a table's rows."""

    cells: Sequence[Cell]
    below: Sequence[Cell] = ()
    """Lines under it, which no column holds."""


def table(
    console: Console, titles: Sequence[str], rows: Sequence[Row], *, right: Container[str] = ()
) -> None:
    """Print rows under their titles; the columns named in `right` are of numbers. Only a screen cuts lines off."""
    shown = [[_text(cell) for cell in row.cells] for row in rows]
    heads = [Text(title, "bold") for title in titles]
    widths = [max(cell.cell_len for cell in column) for column in zip(heads, *shown, strict=True)]
    are_right = [title in right for title in titles]
    print_line(console, _line(heads, widths, are_right))
    for row, cells in zip(rows, shown, strict=True):
        print_line(console, _line(cells, widths, are_right))
        for below in row.below:
            print_line(console, Text(2 * _GAP) + _text(below))


def print_line(console: Console, line: Text) -> None:
    """Print one line, which a screen cuts off at its end."""
    if console.is_terminal:
        console.print(line, no_wrap=True, overflow="ellipsis", highlight=False)
    else:
        console.print(line, soft_wrap=True, highlight=False)


def _text(cell: Cell) -> Text:
    return Text(cell) if isinstance(cell, str) else cell


def _line(cells: Sequence[Text], widths: Sequence[int], are_right: Sequence[bool]) -> Text:
    line = Text()
    for cell, width, is_right in zip(cells, widths, are_right, strict=True):
        gap = " " * (width - cell.cell_len)
        line.append(gap if is_right else "").append_text(cell).append("" if is_right else gap).append(_GAP)
    line.rstrip()
    return line
