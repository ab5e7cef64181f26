import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

import pytest

from buildatlas.board import Item
from buildatlas.client import Answer, Refused, Unreachable
from buildatlas.following import follow
from tests.buildatlas.watched import GAP, build, event, snapshot

LOST = Unreachable("ws://here", "no connection")
BUSY = Refused("the database is busy", "UNAVAILABLE")
WRONG = Refused("no such run", "BAD_USER_INPUT")
ENOUGH = Refused("the test has seen enough", "")
ONE, TWO = event(build("a", "QUEUED"), cursor="2"), event(build("a", "ASSIGNED"), cursor="3")


class Lives:
    """A feed that is lost again and again; None is a connection that comes about."""

    def __init__(self, *lives: Sequence[Item | Exception | None]) -> None:
        self._lives = iter(lives)
        self.after: list[str | None] = []

    async def __call__(
        self, document: str, variables: Mapping[str, Any], *, acknowledged: Callable[[], object]
    ) -> AsyncGenerator[Answer, None]:
        assert "buildStatus" in document
        assert variables["filter"] == {"run": "r"}
        self.after.append(variables["after"])
        for each in next(self._lives, [ENOUGH]):
            if each is None:
                acknowledged()
            elif isinstance(each, Exception):
                raise each
            else:
                yield {"buildStatus": each}


class Follower:
    """What comes of following a feed to its last life."""

    def __init__(self, feed: Lives) -> None:
        self.items: list[Item] = []
        self.said: list[str] = []
        self.pauses: list[float] = []
        self.error = asyncio.run(self._follow(feed))

    async def _follow(self, feed: Lives) -> Exception | None:
        try:
            async for item in follow(feed, {"run": "r"}, say=self.said.append, pause=self._pause):
                self.items.append(item)
        except (Refused, Unreachable) as error:
            return error
        return None

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.mark.parametrize("error", [LOST, BUSY, WRONG])
def test_a_first_connection_that_fails_ends_it(error: Exception) -> None:
    assert Follower(Lives([error])).error is error


@pytest.mark.parametrize(
    ("problem", "said"), [(LOST, "ws://here: no connection"), (BUSY, "the database is busy")]
)
def test_a_lost_connection_is_resumed_from_the_last_cursor(problem: Exception, said: str) -> None:
    feed = Lives([None, snapshot(), ONE, problem], [problem], [None, TWO, problem])

    followed = Follower(feed)

    assert followed.items == [snapshot(), ONE, TWO]
    assert feed.after == [None, "2", "2", "3"]
    assert followed.said == [f"{said}; trying again", "connected again", f"{said}; trying again"]
    assert followed.pauses == [0.5, 1.0, 0.5]


def test_a_beginning_that_is_cut_short_is_begun_again() -> None:
    part, whole = snapshot(cursor="8", complete=False), snapshot(cursor="9")
    feed = Lives([None, part, LOST], [None, part, whole, LOST])

    assert Follower(feed).items == [part, part, whole]
    assert feed.after == [None, None, "9"]


def test_after_a_gap_there_is_another_beginning_at_once() -> None:
    feed = Lives([None, snapshot(), GAP], [None, snapshot(cursor="6")])

    followed = Follower(feed)

    assert followed.items == [snapshot(), GAP, snapshot(cursor="6")]
    assert feed.after == [None, None, "6"]


def test_a_server_that_ends_it_is_asked_again_after_a_pause() -> None:
    followed = Follower(Lives([None, snapshot()]))

    assert followed.said == ["the server has ended the subscription; trying again"]
    assert followed.pauses == [0.5]


def test_a_refusal_that_will_not_pass_ends_it() -> None:
    followed = Follower(Lives([None, snapshot(), WRONG]))

    assert (followed.error, followed.pauses) == (WRONG, [])


def test_a_server_that_stays_away_is_given_up_after_some_minutes() -> None:
    followed = Follower(Lives([None, snapshot(), LOST], *([LOST] for _ in range(100))))

    assert followed.error is LOST
    assert max(followed.pauses) == 8
    assert 240 < sum(followed.pauses) < 360
