"""Log records: one JSON object a line, or plain lines on a terminal."""

import asyncio
import io
import json
import logging
import os
import re
from collections.abc import Iterator

import anyio
import pytest
import structlog

from buildatlas.observability import (
    Asked,
    accepted_request_id,
    asked,
    configure_logging,
    is_refused,
    note,
    request_id,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_a_record_is_one_json_object_with_its_facts() -> None:
    stream = io.StringIO()
    configure_logging(stream, level="INFO")

    logging.getLogger("somewhere").info("done %s", "well", extra={"seconds": 1.5, "thing": object})

    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert record.pop("at").endswith("Z")
    assert record.pop("process") == os.getpid()
    assert record == {
        "level": "INFO",
        "logger": "somewhere",
        "message": "done well",
        "seconds": 1.5,
        "thing": "<class 'object'>",
    }


@pytest.mark.parametrize("odd", ["half \udc80", 2**70, {(1, 2): 3}])
def test_a_record_with_what_json_has_no_word_for_is_written_all_the_same(odd: object) -> None:
    stream = io.StringIO()
    configure_logging(stream, level="INFO")

    logging.getLogger("somewhere").info("done", extra={"odd": odd})

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["message"] == "done"


def test_an_exception_stays_on_the_line_of_its_record() -> None:
    stream = io.StringIO()
    configure_logging(stream, level="INFO")

    logging.getLogger("somewhere").error("failed", exc_info=ZeroDivisionError("so\nit goes"))

    (line,) = stream.getvalue().splitlines()
    assert "ZeroDivisionError: so\nit goes" in json.loads(line)["exception"]


def test_a_record_made_for_a_request_carries_its_id() -> None:
    stream = io.StringIO()
    configure_logging(stream, level="INFO")
    token = request_id.set("abc")

    logging.getLogger("somewhere").info("done")

    request_id.reset(token)
    assert json.loads(stream.getvalue())["request_id"] == "abc"


@pytest.mark.parametrize("refused", [True, False])
def test_a_socket_that_is_left_open_is_told_unless_it_was_refused_with_an_answer(refused: bool) -> None:
    stream = io.StringIO()
    configure_logging(stream, level="INFO")
    token = is_refused.set(refused)

    logging.getLogger("uvicorn.error").error("ASGI callable returned without completing handshake.")
    logging.getLogger("uvicorn.error").error("something else")

    is_refused.reset(token)
    told = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    unopened = [] if refused else ["ASGI callable returned without completing handshake."]
    assert told == [*unopened, "something else"]


def test_a_terminal_gets_lines_for_reading_in_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    configure_logging(stream, level="INFO")

    logging.getLogger("somewhere").warning("look out", extra={"status": 503})

    line = stream.getvalue()
    assert "\x1b[" in line
    assert re.fullmatch(
        rf"\d\d:\d\d:\d\d \[warning *\] look out +process={os.getpid()} status=503\n", _plain(line)
    )


def test_a_terminal_without_colours_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    configure_logging(stream, level="INFO")

    try:
        _ = 1 // 0
    except ZeroDivisionError:
        logging.getLogger("somewhere").exception("failed")

    assert "\x1b[" not in stream.getvalue()
    assert stream.getvalue().splitlines()[1] == "Traceback (most recent call last):"
    assert stream.getvalue().splitlines()[-1] == "ZeroDivisionError: integer division or modulo by zero"


def test_records_of_libraries_and_of_structlog_are_like_ours() -> None:
    stream = io.StringIO()
    configure_logging(stream, level="INFO")

    logging.getLogger("uvicorn.error").warning("theirs", extra={"color_message": "theirs, in colours"})
    structlog.wrap_logger(
        logging.getLogger("of.structlog"),
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    ).warning("ours", thing=1)

    theirs, ours = map(json.loads, stream.getvalue().splitlines())
    assert set(theirs) == {"at", "level", "process", "logger", "message"}
    assert (ours["logger"], ours["message"], ours["thing"]) == ("of.structlog", "ours", 1)


def test_a_thread_that_works_for_a_request_tells_its_id() -> None:
    stream = io.StringIO()
    configure_logging(stream, level="INFO")

    async def serve() -> None:
        request_id.set("abc")
        await anyio.to_thread.run_sync(lambda: logging.getLogger("somewhere").info("done"))

    asyncio.run(serve())

    assert json.loads(stream.getvalue())["request_id"] == "abc"


def test_what_becomes_known_of_a_request_is_kept_and_cut() -> None:
    token = asked.set(Asked())
    note(viewer="ci")
    note(operation="x" * 300)
    known = asked.get()
    asked.reset(token)
    note(viewer="nobody")

    assert known == Asked("ci", "x" * 200)
    assert asked.get() is None


def test_what_is_below_the_level_and_the_chatter_of_libraries_is_left_out() -> None:
    stream = io.StringIO()
    configure_logging(stream, level="INFO")

    logging.getLogger("somewhere").debug("detail")
    logging.getLogger("uvicorn.error").info("started")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("proposed", ["abc", "A-1_2.3", "x" * 128])
def test_an_id_that_is_fit_for_logs_is_taken_from_the_caller(proposed: str) -> None:
    assert accepted_request_id(proposed) == proposed


@pytest.mark.parametrize("proposed", [None, "", "two words", "x" * 129, "line\n", "é"])
def test_any_other_is_replaced_by_a_new_one(proposed: str | None) -> None:
    made = accepted_request_id(proposed)

    assert made != proposed
    assert made != accepted_request_id(proposed)
