"""Pages: which arguments name one, and what follows from rows."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.errors import InvalidPage
from schema.neighbours import Place
from schema.pagination import Window, cursor, page, page_info, read_cursor, window


def test_without_arguments_a_page_is_the_first_fifty() -> None:
    assert window(int) == Window(50, after=None, before=None, backwards=False)


def test_last_asks_for_the_end() -> None:
    assert window(int, last=3, before=cursor(7)) == Window(3, after=None, before=7, backwards=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first": 0}, "`first` must be between 1 and 1000, not 0"),
        ({"first": 1001}, "`first` must be between 1 and 1000, not 1001"),
        ({"last": -1}, "`last` must be between 1 and 1000, not -1"),
        ({"first": 1, "last": 1}, "`last` cannot be combined with `first`"),
        ({"after": "nonsense"}, "`after` is not a cursor of this list"),
        ({"after": "é"}, "`after` is not a cursor of this list"),
        ({"before": cursor("a text")}, "`before` is not a cursor of this list"),
    ],
)
def test_arguments_that_name_no_page_are_refused_by_name(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidPage, match=message.replace("(", r"\(")):
        window(int, **arguments)


def test_a_cursor_made_to_exhaust_its_reader_is_refused() -> None:
    deep = urlsafe_b64encode(b'[1,"x",' + b"[" * 9_000 + b"]" * 9_000 + b"]").decode()

    with pytest.raises(InvalidPage, match="`after` is not a cursor of this list"):
        read_cursor("after", deep, Place)


@given(st.binary())
def test_a_cursor_is_read_back_as_its_key(key: bytes) -> None:
    assert read_cursor("after", cursor(key), bytes) == key


@given(st.lists(st.integers(), unique=True).map(sorted), st.integers(1, 5))
def test_following_pages_forwards_gives_each_row_once_in_order(rows: list[int], size: int) -> None:
    assert follow(rows, size, backwards=False) == rows


@given(st.lists(st.integers(), unique=True).map(sorted), st.integers(1, 5))
def test_following_pages_backwards_gives_each_row_once_in_order(rows: list[int], size: int) -> None:
    assert follow(rows, size, backwards=True) == rows


def test_an_empty_page_has_no_cursors() -> None:
    info = page_info(page([], Window(5, after=None, before=None, backwards=False)), [])

    assert (info.start_cursor, info.end_cursor, info.has_next_page, info.has_previous_page) == (
        None,
        None,
        False,
        False,
    )


def follow(rows: Sequence[int], size: int, *, backwards: bool) -> list[int]:
    """Return what a client collects that asks for page after page until there are no more."""
    collected: list[int] = []
    end: str | None = None
    while True:
        asked = window(int, last=size, before=end) if backwards else window(int, first=size, after=end)
        cut = page(read(rows, asked), asked)
        collected = [*cut.rows, *collected] if backwards else [*collected, *cut.rows]
        if not (cut.has_previous if backwards else cut.has_next):
            return collected
        end = cursor(cut.rows[0] if backwards else cut.rows[-1])


def read(rows: Sequence[int], asked: Window[int]) -> Sequence[int]:
    within = [
        row
        for row in rows
        if (asked.after is None or row > asked.after) and (asked.before is None or row < asked.before)
    ]
    return within[-asked.size - 1 :] if asked.backwards else within[: asked.size + 1]
