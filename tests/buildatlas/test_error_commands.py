"""The command about errors."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from resolvers.failures import failure
from storage import error_groups
from storage.database import Database
from tests.buildatlas.terminal import Terminal

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """A database with errors of two parts."""
    errors = [
        *[failure("FAILURE", "build", f"{number} tests failed", text="\x1b[31mred") for number in range(3)],
        failure(
            "INTERNAL_SERVER_ERROR", "api", "KeyError: 'x'", text="Traceback\nKeyError: 'x'", request="r-1"
        ),
    ]
    with closing(Database.open(str(tmp_path / "catalogue.db"))) as database:
        database.write(
            lambda connection: error_groups.record(connection, errors, now=NOW), of_catalogue=False
        )
    return Terminal(tmp_path)


def test_errors_are_listed_each_fault_once(terminal: Terminal) -> None:
    lines = terminal.run("errors").out.splitlines()

    assert lines[0].split() == ["count", "last", "(UTC)", "first", "(UTC)", "component", "code", "message"]
    moment = "2026-01-01 12:00:00"
    assert {" ".join(line.split()) for line in lines[1:-1]} == {
        f"1 {moment} {moment} api INTERNAL_SERVER_ERROR KeyError: <name>",
        f"3 {moment} {moment} build FAILURE <number> tests failed",
    }
    assert lines[-1] == "2 faults"


def test_errors_of_one_part_are_listed_with_a_sample(terminal: Terminal) -> None:
    lines = terminal.run("errors", "--component", "api", "--sample").out.splitlines()

    assert [line.strip() for line in lines[2:]] == ["request: r-1", "Traceback", "KeyError: 'x'", "1 fault"]


def test_a_sample_does_not_control_the_terminal(terminal: Terminal) -> None:
    assert "\x1b" not in terminal.run("errors", "--component", "build", "--sample").out


def test_what_is_not_listed_is_told(terminal: Terminal) -> None:
    assert terminal.run("errors", "--first", "1").out.splitlines()[-1] == (
        "2 faults, 1 of them not listed: --first tells how many are"
    )


def test_errors_are_given_to_programs_as_json(terminal: Terminal) -> None:
    (group,) = terminal.run("errors", "--component", "build", "--json").json["nodes"]

    assert (group["count"], group["code"], group["component"]) == (3, "FAILURE", "build")
    assert group["lastSeenAt"] == "2026-01-01T12:00:00Z"


def test_where_there_is_none_that_is_said(terminal: Terminal) -> None:
    assert terminal.run("errors", "--component", "nowhere").out == "no errors\n"
