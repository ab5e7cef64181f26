"""What the server says about itself: log records, each with the request they belong to."""

import logging
import re
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

import orjson

from graph.moments import rfc_3339

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that the current task works for; None outside of one."""

is_refused: ContextVar[bool] = ContextVar("is_refused", default=False)
"""Whether the WebSocket that the current task works for was answered in HTTP instead of being opened."""

# What a caller may choose as the id of a request: it is copied into logs and headers.
_ACCEPTABLE: Final = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)

# Libraries that tell of every step of a start that goes well.
_TALKATIVE: Final = ("alembic", "uvicorn", "httpx", "httpcore")

# What uvicorn says once the application has left a WebSocket that it has neither opened nor closed. It says so of one
# that was refused with an answer too, though that answer is sent and complete.
_LEFT_OPEN: Final = "ASGI callable returned without completing handshake."

# What it says, with a traceback, of a client that sends what is no text. It ends the connection, and has no fault.
_NO_TEXT: Final = "Invalid UTF-8 sequence received from client."

# Attributes that every record has; any other came in by `extra` and is a fact worth keeping.
_ORDINARY: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


def accepted_request_id(proposed: str | None) -> str:
    """Return the caller's id for a request where it is fit for logs, else a new one."""
    if proposed is not None and _ACCEPTABLE.fullmatch(proposed):
        return proposed
    return uuid.uuid4().hex


def configure_logging(stream: TextIO, *, level: str) -> None:
    """Send all log records to `stream`: one JSON object a line, or plain lines on a terminal."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(_is_no_false_alarm)
    handler.setFormatter(_PlainLines() if stream.isatty() else _JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


def _is_no_false_alarm(record: logging.LogRecord) -> bool:
    return record.msg != _NO_TEXT and not (record.msg == _LEFT_OPEN and is_refused.get())


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": rfc_3339(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class _PlainLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(process)d %(levelname)-7s %(message)s", datefmt="%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        facts = "".join(f" {name}={value}" for name, value in _facts(record).items())
        return super().formatMessage(record) + facts


def _facts(record: logging.LogRecord) -> dict[str, object]:
    facts = {name: value for name, value in vars(record).items() if name not in _ORDINARY}
    current = request_id.get()
    if current is not None:
        facts.setdefault("request_id", current)
    return facts
