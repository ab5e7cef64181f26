"""Waking other processes at one file, and what is left by those that ended badly."""

import socket
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from storage.engines import bell
from storage.engines.bell import Bell, Listener
from storage.engines.watchers import Watchers
from storage.errors import Trouble, Unavailable


def listening(path: Path, watchers: Watchers, position: list[int]) -> Listener:
    return Listener(path, lambda: position[0], watchers)


def _set_at_two(event: threading.Event, place: int) -> None:
    if place == 2:
        event.set()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No look without being woken."""
    monkeypatch.setattr(bell, "_INTERVAL_SECONDS", 60)


@pytest.mark.usefixtures("patient")
def test_a_ring_wakes_all_who_listen(tmp_path: Path) -> None:
    path, position, told = tmp_path / "atlas.db", [1], [threading.Event(), threading.Event()]
    watchers = [Watchers(), Watchers()]
    for each, event in zip(watchers, told, strict=True):
        each.add(partial(_set_at_two, event))

    with closing(Bell(path)) as rung:
        listeners = [listening(path, each, position) for each in watchers]
        while not all(each.position == 1 for each in watchers):
            watchers[0].wait_beyond(0, 0.01)
        position[0] = 2
        rung.ring()

        assert all(event.wait(10) for event in told)
        for listener in listeners:
            rung.ring()
            listener.close()
    assert list((tmp_path / "atlas.db.wake").iterdir()) == []


def test_nobody_need_listen(tmp_path: Path) -> None:
    with closing(Bell(tmp_path / "atlas.db")) as rung:
        rung.ring()
        (tmp_path / "atlas.db.wake").mkdir()
        rung.ring()


def test_what_a_dead_process_left_is_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "atlas.db.wake"
    folder.mkdir()
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as dead:
        dead.bind(str(folder / "1-dead"))
    (folder / "no-socket").touch()
    (folder / "2-gone").symlink_to("nowhere")

    with closing(Bell(tmp_path / "atlas.db")) as rung:
        rung.ring()

    assert [each.name for each in folder.iterdir()] == ["2-gone"]


def test_one_who_does_not_listen_in_time_holds_nobody_up(tmp_path: Path) -> None:
    folder = tmp_path / "atlas.db.wake"
    folder.mkdir()
    with closing(Bell(tmp_path / "atlas.db")) as rung, closing(_socket(folder / "1-slow")):
        for _ in range(5_000):
            rung.ring()

    assert (folder / "1-slow").exists()


def _socket(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.bind(str(path))
    return made


def test_a_change_that_nobody_rang_for_is_found_by_looking(tmp_path: Path) -> None:
    position, told, watchers = [1], threading.Event(), Watchers()
    watchers.add(lambda place: told.set() if place == 2 else None)

    with closing(listening(tmp_path / "atlas.db", watchers, position)):
        position[0] = 2
        assert told.wait(10)


def test_where_no_socket_can_be_made_changes_are_found_by_looking(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "atlas.db.wake").touch()
    told, watchers = threading.Event(), Watchers()
    watchers.add(lambda place: told.set() if place else None)

    listener = listening(tmp_path / "atlas.db", watchers, [1])
    assert told.wait(10)
    (tmp_path / "atlas.db.wake").unlink()
    listener.close()

    assert "changes of other processes are seen late" in caplog.text


def test_a_log_that_cannot_be_looked_at_is_looked_at_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    looks, told, watchers = [0], threading.Event(), Watchers()
    watchers.add(lambda place: told.set() if place else None)

    def position() -> int:
        looks[0] += 1
        if looks[0] == 1:
            raise Unavailable("atlas.db", Trouble.BUSY, "try again")
        return looks[0]

    with closing(Listener(tmp_path / "atlas.db", position, watchers)):
        assert told.wait(10)

    assert "the event log cannot be looked at" in caplog.text


def test_the_path_of_a_database_may_be_long(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 100) / ("y" * 100)
    deep.mkdir(parents=True)
    told, watchers = threading.Event(), Watchers()
    watchers.add(lambda place: told.set() if place else None)

    with closing(listening(deep / "atlas.db", watchers, [1])):
        assert told.wait(10)
        assert len(list((deep / "atlas.db.wake").iterdir())) == 1


def test_what_keeps_a_bell_from_ringing_is_told_to_nobody_who_has_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "atlas.db.wake").touch()

    with closing(Bell(tmp_path / "atlas.db")) as rung:
        rung.ring()

    assert "other processes see changes late" in caplog.text


def test_a_mistake_in_looking_does_not_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    looks, told, watchers = [0], threading.Event(), Watchers()
    watchers.add(lambda place: told.set() if place else None)

    def position() -> int:
        looks[0] += 1
        return 1 if looks[0] > 1 else int("a mistake")

    with closing(Listener(tmp_path / "atlas.db", position, watchers)):
        assert told.wait(10)

    assert "looking at the event log failed" in caplog.text
