import pytest

from buildatlas.board import LIVE, Board, Change, Item
from tests.buildatlas.watched import GAP, build, event, snapshot

AT = "2026-01-01T12:03:04.5Z"


def fed(*items: Item, board: Board | None = None) -> Board:
    board = board or Board()
    for item in items:
        board.feed(item)
    return board


def states(board: Board) -> dict[str, int]:
    return {each["conclusion"] or each["status"]: each["count"] for each in board.counts()}


def test_a_beginning_in_parts_is_counted_by_state_in_the_order_of_the_life_cycle() -> None:
    board = fed(
        snapshot(build("a", "RUNNING"), build("b", "BLOCKED"), complete=False),
        snapshot(build("c", "COMPLETED", "SUCCESS"), build("d", "BLOCKED")),
    )

    assert list(states(board).items()) == [("SUCCESS", 1), ("BLOCKED", 2), ("RUNNING", 1)]


def test_a_change_moves_a_build_from_one_count_to_another() -> None:
    board = fed(snapshot(build("a", "QUEUED")), event(build("a", "ASSIGNED", worker="w"), "ASSIGNED"))

    assert states(board) == {"ASSIGNED": 1}


def test_what_runs_longest_comes_first_and_what_has_not_begun_last() -> None:
    board = fed(
        snapshot(
            build("assigned", "ASSIGNED"),
            build("later", "RUNNING", startedAt="2026-01-01T12:00:00.5Z"),
            build("queued", "QUEUED"),
            build("earlier", "RUNNING", startedAt="2026-01-01T12:00:00Z"),
        )
    )

    assert [each["id"] for each in board.held()] == ["earlier", "later", "assigned"]


def test_the_last_endings_are_kept_the_latest_first() -> None:
    ends = [
        build(f"p{number}", "COMPLETED", "SUCCESS", completedAt=f"2026-01-01T12:00:{number:02}Z")
        for number in range(12)
    ]

    board = fed(snapshot(*reversed(ends[:11])), event(ends[11], "COMPLETED", "SUCCESS"))

    assert [each["id"] for each in board.endings()] == [f"p{number}" for number in range(11, 1, -1)]


def test_a_build_that_is_tried_again_has_not_ended() -> None:
    board = fed(snapshot(build("a", "COMPLETED", "FAILURE")), event(build("a", "QUEUED"), "QUEUED"))

    assert (board.endings(), board.is_idle, states(board)) == ([], False, {"QUEUED": 1})


def test_it_is_idle_once_all_of_the_beginning_is_there_and_every_end_was_told() -> None:
    board = Board()
    ended = build("a", "COMPLETED", "SUCCESS")
    seen = [board.is_idle]
    for item in (
        snapshot(complete=False),
        snapshot(build("a", "QUEUED")),
        event(ended, "RUNNING"),  # Already it has ended, but of that an event is still to come.
        event(ended),
        event(ended, "COMPLETED", "SUCCESS"),
    ):
        board.feed(item)
        seen.append(board.is_idle)

    assert seen == [False, False, False, False, False, True]


def test_a_gap_and_another_beginning_forget_what_was_there() -> None:
    begun = fed(snapshot(build("a", "RUNNING"), complete=False))

    assert states(fed(GAP, board=fed(snapshot(build("a", "QUEUED"))))) == {}
    assert states(fed(snapshot(build("b", "QUEUED"), cursor="7"), board=begun)) == {"QUEUED": 1}


def test_what_does_not_match_any_more_is_told_as_it_is_and_left_out() -> None:
    board = fed(snapshot(build("a", "RUNNING", worker="w")), board=Board(LIVE))
    ended = build("a", "COMPLETED", "FAILURE", worker="w", durationSeconds=2.0, message="exit code 1")

    change = board.feed(event(ended, "FINALIZING"))

    assert change == Change(AT, "a", "1.0", "COMPLETED", "FAILURE", "w", 2.0, "exit code 1")
    assert (states(board), board.endings(), board.is_idle) == ({}, [ended], True)


def test_what_has_not_been_watched_is_no_ending() -> None:
    """A resumed subscription tells of builds that may have matched."""
    board = fed(snapshot(), event(build("a", "COMPLETED", "SUCCESS"), "COMPLETED"), board=Board(LIVE))

    assert (states(board), board.endings()) == ({}, [])


def test_a_build_of_another_worker_is_not_watched_any_more() -> None:
    mine = build("a", "RUNNING", worker="me")
    board = fed(snapshot(mine), board=Board(worker="me"))

    change = board.feed(event(build("a", "RUNNING", worker="other"), "RUNNING"))

    assert change == Change(AT, "a", "1.0", "RUNNING", None, "other")
    assert states(board) == {}
    assert states(fed(event(mine, "RUNNING"), board=board)) == {"RUNNING": 1}


def test_a_build_that_is_gone_is_told_and_forgotten() -> None:
    board = fed(snapshot(build("a", "RUNNING")))

    change = board.feed(event(build("a", "RUNNING"), build=None))

    assert change == Change(AT, "a", "1.0", None)
    assert (states(board), board.endings(), board.is_idle) == ({}, [], True)


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (build("a", "QUEUED"), None),
        (build("a", "BLOCKED"), Change(AT, "a", "1.0", "QUEUED")),
        (build("b", "QUEUED"), Change(AT, "a", "1.0", "QUEUED")),
    ],
)
def test_an_event_without_a_transition_tells_what_it_changes(
    before: dict[str, str], told: Change | None
) -> None:
    board = fed(snapshot(before))

    assert board.feed(event(build("a", "QUEUED"))) == told


def test_a_transition_is_told_as_it_was_with_its_reason() -> None:
    board = fed(snapshot(build("a", "RUNNING", worker="w")))
    again = event(build("a", "QUEUED", worker="w", reason="now another"), "QUEUED")
    again["transition"]["reason"] = "lease lost"

    assert board.feed(again) == Change(AT, "a", "1.0", "QUEUED", None, None, None, "lease lost")
