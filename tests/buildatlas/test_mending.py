"""The doctor as the command line calls it."""

from pathlib import Path

import pytest

from tests.buildatlas.terminal import CATALOGUE, Terminal
from tests.storage.forging import carry_out, forge


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    built = Terminal(tmp_path)
    assert built.run("import", built.write("catalogue.jsonl", CATALOGUE)).code == 0
    return built


def url_of(terminal: Terminal) -> str:
    return str(terminal.folder / "catalogue.db")


def test_a_healthy_database_is_said_to_be_that(terminal: Terminal) -> None:
    run = terminal.run("doctor")

    assert run.code == 0
    assert "versions                     5 looked at  content\n" in run.out
    assert "checks, nothing wrong (" in run.out
    assert terminal.run("doctor", "--json").json["wrong"] == 0


def test_what_is_wrong_is_told_and_mended_on_request(terminal: Terminal) -> None:
    forge(url_of(terminal), "UPDATE packages SET status = 'ARCHIVED' WHERE name = 'app'")

    found, mended, after = terminal.run("doctor"), terminal.run("doctor", "--repair"), terminal.run("doctor")

    assert (found.code, mended.code, after.code) == (1, 0, 0)
    assert (
        "  package app is ARCHIVED, and its history ends with ACTIVE\n"
        "    --repair adds to its history what it is\n"
    ) in found.out
    assert "checks, 1 thing wrong (" in found.out
    assert "mended 1 thing of history.behind\n" in mended.out


def test_what_is_left_after_mending_exits_with_one(terminal: Terminal) -> None:
    forge(url_of(terminal), "UPDATE package_versions SET version = 'one'")

    run = terminal.run("doctor", "--repair")
    answer = terminal.run("doctor", "--repair", "--json")

    assert (run.code, answer.code) == (1, 1)
    assert "    by hand: publish a version that says it right, and yank this one\n" in run.out
    (check,) = (check for check in answer.json["checks"] if check["total"])
    assert (check["check"], check["total"], len(check["findings"])) == ("versions", 5, 5)
    assert not check["findings"][0]["mendable"]


def test_very_many_findings_are_shown_in_part_and_what_is_refused_with_its_reason(terminal: Terminal) -> None:
    lines = "".join(f'{{"name":"p{number}"}}\n' for number in range(30))
    terminal.run("import", "-", input=lines)
    forge(url_of(terminal), "UPDATE packages SET status = 'ARCHIVED' WHERE name LIKE 'p%'")
    carry_out(
        url_of(terminal),
        "CREATE TRIGGER mine BEFORE INSERT ON state_tracking BEGIN SELECT RAISE(ABORT, 'not today'); END",
    )

    run = terminal.run("doctor", "--repair")

    assert run.code == 1
    assert "  … and 10 more\n" in run.out
    assert "could not mend history.behind: not today\n" in run.out
