from io import StringIO

from rich.console import Console
from rich.text import Text

from buildatlas.tables import Row, table


def printed(*rows: Row, is_screen: bool = False) -> list[str]:
    file = StringIO()
    console = Console(file=file, width=20, force_terminal=is_screen, no_color=True, color_system=None)
    table(console, ("name", "many"), rows, right={"many"})
    return file.getvalue().splitlines()


def test_columns_are_as_wide_as_what_is_in_them_and_numbers_end_below_each_other() -> None:
    assert printed(Row(("[b]a", "1")), Row((Text("long name"), "1,000"))) == [
        "name        many",
        "[b]a           1",
        "long name  1,000",
    ]


def test_lines_stand_under_their_row_and_only_a_screen_cuts_them() -> None:
    row = Row(("a" * 15, "1,000"), ["because of " + "b" * 15])

    assert printed(row) == [
        "name              many",
        "aaaaaaaaaaaaaaa  1,000",
        "    because of bbbbbbbbbbbbbbb",
    ]
    assert printed(row, is_screen=True)[2] == "    because of bbbb…"


def test_a_table_without_rows_is_its_titles() -> None:
    assert printed() == ["name  many"]
