import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.live import Live
from rich.text import Text

from buildatlas.board import Board, Item
from buildatlas.views import JsonLines, Lines, Screen, View, chosen_view
from tests.buildatlas.watched import GAP, build, event, snapshot

NOW = datetime(2026, 1, 1, 12, 5, tzinfo=UTC)
RUN = {
    "id": "R1",
    "status": "COMPLETED",
    "conclusion": "SUCCESS",
    "reason": None,
    "total": 2,
    "counts": [{"status": "COMPLETED", "conclusion": "SUCCESS", "count": 2}],
}
ENDED = build(
    "lib", "COMPLETED", "FAILURE", worker="w1", durationSeconds=12.5, message="does not\ncompile [b]"
)


def clock() -> datetime:
    return NOW


def show(view: View, board: Board, *items: Item) -> None:
    for item in items:
        view.show(item, board.feed(item))


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def lines(board: Board) -> Lines:
    return Lines(board, Console(width=20), clock)


def test_lines_tell_of_each_change(board: Board, lines: Lines, capsys: pytest.CaptureFixture[str]) -> None:
    running = build("lib", "RUNNING", worker="w1")
    show(
        lines,
        board,
        snapshot(build("lib", "QUEUED"), complete=False),
        snapshot(build("app", "BLOCKED")),
        event(running, "RUNNING"),
        event(running),
        event(ENDED, "COMPLETED", "FAILURE"),
        event(ENDED, build=None),
        event(build("old", "QUEUED"), build=None, package=None, version=None),
    )
    lines.refresh()
    lines.end(RUN)

    assert capsys.readouterr().out.splitlines() == [
        "12:05:00 1 BLOCKED, 1 QUEUED",
        "12:03:04 lib 1.0 RUNNING on w1",
        "12:03:04 lib 1.0 FAILURE on w1 after 12.5 s: does not compile [b]",
        "12:03:04 lib 1.0 is gone",
        "12:03:04 ? ? is gone",
        "run R1: SUCCESS, 2 builds",
        "  2 SUCCESS",
    ]


def test_lines_tell_of_troubles_elsewhere(
    board: Board, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    lines.say("connection lost [x]")
    show(lines, board, GAP, snapshot())

    out, err = capsys.readouterr()
    assert out == "12:05:00 no builds\n"
    assert err.splitlines() == [
        "connection lost [x]",
        "too much has happened meanwhile to tell all of it: beginning anew",
    ]


def test_json_has_all_that_is_delivered_and_the_run_at_its_end(
    board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [snapshot(build("lib", "QUEUED")), event(ENDED, "COMPLETED"), GAP]
    with chosen_view(board, as_json=True) as view:
        show(view, board, *items)
        view.say("connection lost")
        view.refresh()
        view.end(RUN)

    out, err = capsys.readouterr()
    assert isinstance(view, JsonLines)
    assert [json.loads(line) for line in out.splitlines()] == [*items, {"__typename": "BuildRun", **RUN}]
    assert err == "connection lost\n"


def test_what_is_not_a_screen_gets_lines(board: Board) -> None:
    with chosen_view(board, as_json=False) as view:
        assert isinstance(view, Lines)


def test_a_screen_gets_a_table(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with chosen_view(board, as_json=False) as view:
        assert isinstance(view, Screen)


@contextmanager
def screen(board: Board, file: io.StringIO, height: int = 24) -> Iterator[Screen]:
    console = Console(file=file, force_terminal=True, width=60, height=height, no_color=True)
    with Live(console=console, auto_refresh=False) as live:
        yield Screen(board, live, clock)


def drawn(board: Board, *items: Item, height: int = 24) -> list[str]:
    """Return the last picture of a screen that is shown `items`, without what moves the cursor."""
    file = io.StringIO()
    with screen(board, file, height) as view:
        view.refresh()
        show(view, board, *items)
        file.truncate(file.seek(0))
        view.refresh()
        picture = file.getvalue()
    return [line.rstrip() for line in plain(picture.rpartition("\x1b[2K")[2]).splitlines()]


def plain(text: str) -> str:
    return Text.from_ansi(text).plain


def test_a_screen_has_counts_what_runs_and_what_has_ended(board: Board) -> None:
    items = [
        snapshot(
            build("app", "BLOCKED"),
            build("base", "RUNNING", worker="w2", startedAt="2026-01-01T12:01:40Z"),
            build("ahead", "RUNNING", worker="w2", startedAt="2026-01-01T12:05:01Z"),
            build("tool", "ASSIGNED", worker="w1"),
            build("gone", "COMPLETED", "DEP_FAILED", reason="lib 1.0 ended as FAILURE"),
        ),
        event(ENDED, "COMPLETED", "FAILURE"),
    ]

    assert drawn(board, *items) == [
        "1 FAILURE, 1 DEP_FAILED, 1 BLOCKED, 1 ASSIGNED, 2 RUNNING",
        "",
        "running       state     worker  since",
        "base     1.0  RUNNING   w2      3 min 20 s",
        "ahead    1.0  RUNNING   w2      0 ms",
        "tool     1.0  ASSIGNED  w1",
        "",
        "ended last       as          worker  after   message",
        "lib         1.0  FAILURE     w1      12.5 s  does not compi…",
        "gone        1.0  DEP_FAILED                  lib 1.0 ended …",
    ]


def test_a_screen_that_is_too_small_tells_how_many_more_run(board: Board) -> None:
    running = [
        build(f"p{number}", "RUNNING", worker="w", startedAt="2026-01-01T12:00:00Z") for number in range(5)
    ]

    picture = drawn(board, snapshot(*running), height=9)

    assert picture[-3:] == [
        "p0       1.0  RUNNING  w       5 min",
        "p1       1.0  RUNNING  w       5 min",
        "… and 3 more",
    ]


def test_a_screen_tells_of_troubles_and_of_the_end_besides_its_table(board: Board) -> None:
    file = io.StringIO()
    with screen(board, file) as view:
        show(view, board, GAP)
        view.end(RUN)

    assert "it: beginning\nanew" in plain(file.getvalue())
    assert "run R1: SUCCESS, 2 builds" in plain(file.getvalue())
