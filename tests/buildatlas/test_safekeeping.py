"""Backups as the command line makes and restores them."""

import re
from pathlib import Path

import pytest
from rich.console import Console

from buildatlas import safekeeping
from tests import postgres
from tests.buildatlas.terminal import CATALOGUE, Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    built = Terminal(tmp_path)
    assert built.run("import", built.write("catalogue.jsonl", CATALOGUE)).code == 0
    return built


def test_what_is_backed_up_is_restored_into_a_database_of_either_kind(terminal: Terminal) -> None:
    exported = terminal.run("export").out

    written = terminal.run("backup", "backup.db")
    with postgres.new_database() as url:
        restored = terminal.run("restore", "backup.db", "--database", url)
        again = terminal.run("backup", "again.db", "--database", url, "--json")
        assert terminal.run("export", "--database", url).out == exported
    third = terminal.run("restore", "again.db", "--database", "third.db", "--json")

    assert (written.code, restored.code, again.code, third.code) == (0, 0, 0, 0)
    assert re.fullmatch(r"backup\.db: 32 rows of 19 tables, \d+ kB, verified \(\d+\.\d s\)\n", written.out)
    assert re.search(r"/test_\S+: 32 rows of 19 tables restored from backup\.db, verified \(", restored.out)
    assert again.json["totalRows"] == third.json["totalRows"] == 32
    assert again.json["rows"]["package_versions"] == 5
    assert again.json["bytes"] == (terminal.folder / "again.db").stat().st_size
    assert terminal.run("export", "--database", "third.db").out == exported


def test_nothing_is_overwritten_unless_it_is_said(terminal: Terminal) -> None:
    terminal.run("backup", "backup.db")

    refused, forced = terminal.run("backup", "backup.db"), terminal.run("backup", "backup.db", "--force")
    occupied = terminal.run("restore", "backup.db")

    assert (refused.code, forced.code, occupied.code) == (3, 0, 3)
    assert "replace it by --force" in refused.err
    assert "is not empty: there are rows in events, packages" in occupied.err


@pytest.mark.parametrize(
    ("size", "said"), [(999, "999 bytes"), (125_501_440, "126 MB"), (5 * 10**15, "5,000 TB")]
)
def test_sizes_are_said_in_units_that_suit_them(size: int, said: str) -> None:
    report = {"file": "f", "totalRows": 1, "rows": {"packages": 1}, "bytes": size, "seconds": 1.0}
    console = Console()

    with console.capture() as printed:
        safekeeping.show_backup(console, report)

    assert printed.get() == f"f: 1 row of 1 table, {said}, verified (1.0 s)\n"
