"""What a log record looks like: one JSON object a line for programs, or a line with colours for whoever sits at the terminal.

The records are those of `logging`, of our own modules and of libraries alike; what they were given as `extra` are facts.
"""

import json
import logging
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import JSONRenderer, format_exc_info
from structlog.stdlib import ProcessorFormatter

from graph.moments import rfc_3339

Facts = Callable[[], Mapping[str, object]]
"""What is known of where a record was made, such as the request that it was made for."""

# Attributes that every record has; any other came in by `extra` and is a fact worth keeping.
_ORDINARY: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "asctime",
    "color_message",
    "event",
    "message",
}


def json_lines(facts: Facts) -> logging.Formatter:
    """Return what makes a record one JSON object."""

    def describe(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        record: logging.LogRecord = event["_record"]
        return {
            "at": rfc_3339(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname,
            "process": record.process,
            "logger": record.name,
            "message": event["event"],
            **facts(),
            **_given(record, event),
            "exc_info": event.get("exc_info"),
        }

    return ProcessorFormatter(processors=[describe, format_exc_info, JSONRenderer(serializer=_json)])


def plain_lines(facts: Facts, *, colors: bool) -> logging.Formatter:
    """Return what makes a record a line for reading, with its traceback below."""

    def describe(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
        record: logging.LogRecord = event["_record"]
        return {
            "at": f"{datetime.fromtimestamp(record.created):%H:%M:%S}",  # noqa: DTZ006 - by the clock on the wall
            "level": record.levelname.lower(),
            "message": event["event"],
            "process": record.process,
            **facts(),
            **_given(record, event),
            "exc_info": event.get("exc_info"),
        }

    renderer = ConsoleRenderer(
        colors=colors,
        exception_formatter=plain_traceback,
        sort_keys=False,
        event_key="message",
        timestamp_key="at",
        pad_event_to=0,
    )
    return ProcessorFormatter(processors=[describe, renderer])


def _json(line: Mapping[str, Any], **_: Any) -> str:
    try:
        return orjson.dumps(line, default=str).decode()
    except orjson.JSONEncodeError:
        # Half a character, or a number of more than 64 bits.
        return json.dumps(line, default=str, skipkeys=True)


def _given(record: logging.LogRecord, event: Mapping[str, Any]) -> dict[str, object]:
    """Return the facts that a record was given: by `extra`, or by a logger of structlog."""
    facts = {**vars(record), **event}
    return {name: fact for name, fact in facts.items() if name not in _ORDINARY and not name.startswith("_")}
