"""Frames that are sent over a WebSocket: of the subprotocol in any order, and of nothing."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from hypothesis import strategies as st

from tests.fuzzing.operations import JUNK, damaged, operations
from tests.fuzzing.values import Values, mostly

_Message: TypeAlias = dict[str, Any]

_TYPES: Final = (
    "connection_init",
    "connection_ack",
    "ping",
    "pong",
    "subscribe",
    "next",
    "error",
    "complete",
)
_IDS: Final = st.sampled_from(["1", "2", "3", ""])


@dataclass(frozen=True, slots=True)
class Frame:
    """What is sent at once."""

    content: bytes
    is_text: bool


def conversations(values: Values) -> st.SearchStrategy[Sequence[Frame]]:
    """Return a strategy for what a client sends over one socket."""
    messages = _messages(values)
    wrong = st.builds(
        lambda message, name, content: {**message, name: content},
        messages,
        st.sampled_from(["type", "id", "payload"]),
        JUNK,
    )
    damage = messages.flatmap(lambda message: damaged(_written(message))).map(_repaired)
    frames = mostly(
        messages.map(_text),
        wrong.map(_text),
        JUNK.map(_text),
        damage.map(lambda content: Frame(content, is_text=True)),
        st.builds(Frame, st.binary(max_size=50), is_text=st.just(False)),
        st.builds(Frame, st.binary(max_size=50).map(_repaired), is_text=st.just(True)),
    )
    return st.lists(frames, min_size=1, max_size=8)


def _text(message: object) -> Frame:
    return Frame(_written(message), is_text=True)


def _written(message: object) -> bytes:
    return json.dumps(message).encode()


def _repaired(text: bytes) -> bytes:
    """Return `text` with all that is not UTF-8 replaced: of that WebSocket itself makes an end."""
    return text.decode(errors="replace").encode()


def _messages(values: Values) -> st.SearchStrategy[_Message]:
    asked = operations(values)
    subscribe: st.SearchStrategy[_Message] = st.fixed_dictionaries(
        {"type": st.just("subscribe"), "id": _IDS, "payload": asked}
    )
    complete: st.SearchStrategy[_Message] = st.fixed_dictionaries({"type": st.just("complete"), "id": _IDS})
    other: st.SearchStrategy[_Message] = st.fixed_dictionaries(
        {"type": st.sampled_from(_TYPES)}, optional={"id": _IDS, "payload": asked}
    )
    return mostly(subscribe, complete, other)
