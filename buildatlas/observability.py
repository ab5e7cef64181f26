"""What the server says about itself: log records, each with the request they belong to."""

import logging
import os
import re
import uuid
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TextIO

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that the current task works for; None outside of one."""

is_refused: ContextVar[bool] = ContextVar("is_refused", default=False)
"""Whether the WebSocket that the current task works for was answered in HTTP instead of being opened."""


@dataclass(slots=True)
class Asked:
    """What becomes known of a request while it is answered, for its line in the log."""

    viewer: str | None = None
    """The name of the token that was shown."""
    operation: str | None = None
    """The name of the GraphQL operation."""


asked: ContextVar[Asked | None] = ContextVar("asked", default=None)
"""The request that the current task works for; None outside of one."""

# What a caller may choose as the id of a request: it is copied into logs and headers.
_ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)

# Libraries that tell of every step of a start that goes well.
_TALKATIVE: Final = ("alembic", "uvicorn", "httpx", "httpcore")

# What uvicorn says once the application has left a WebSocket that it has neither opened nor closed. It says so of one
# that was refused with an answer too, though that answer is sent and complete.
_LEFT_OPEN: Final = "ASGI callable returned without completing handshake."

# What it says, with a traceback, of a client that sends what is no text. It ends the connection, and has no fault.
_NO_TEXT: Final = "Invalid UTF-8 sequence received from client."

# A name is the client's own text.
_LONGEST_NAME: Final = 200


def accepted_request_id(proposed: str | None) -> str:
    """Return the caller's id for a request where it is fit for logs, else a new one."""
    if proposed is not None and _ACCEPTABLE.fullmatch(proposed):
        return proposed
    return uuid.uuid4().hex


def note(*, viewer: str | None = None, operation: str | None = None) -> None:
    """Say of the request that the current task works for what has become known of it."""
    known = asked.get()
    if known is not None:
        known.viewer = viewer or known.viewer
        known.operation = operation[:_LONGEST_NAME] if operation else known.operation


def configure_logging(stream: TextIO, *, level: str) -> None:
    """Send all log records to `stream`: one JSON object a line, or coloured lines on a terminal."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(_is_no_false_alarm)
    handler.setFormatter(_Lines(is_terminal=stream.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


def _is_no_false_alarm(record: logging.LogRecord) -> bool:
    return record.msg != _NO_TEXT and not (record.msg == _LEFT_OPEN and is_refused.get())


class _Lines(logging.Formatter):
    """Formats by what is loaded with the first record: most commands write none, and it takes longer than they do."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    @cached_property
    def _formatter(self) -> logging.Formatter:
        from buildatlas.log_lines import json_lines, plain_lines  # noqa: PLC0415

        if self._is_terminal:
            return plain_lines(_facts, colors="NO_COLOR" not in os.environ)
        return json_lines(_facts)

    def format(self, record: logging.LogRecord) -> str:
        return self._formatter.format(record)


def _facts() -> dict[str, object]:
    current = request_id.get()
    return {} if current is None else {"request_id": current}
