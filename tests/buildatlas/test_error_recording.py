"""Errors that nobody expects, on their way into the database."""

import logging
from datetime import UTC, datetime

import httpx
import pytest

from buildatlas.error_recording import flush, recording_errors
from buildatlas.settings import Settings
from resolvers import graphs
from resolvers.access import Gate
from resolvers.failures import FailureLog
from resolvers.measurements import ERRORS
from resolvers.measuring import Measurer
from resolvers.recovery import Recovery
from storage import error_groups
from storage.database import Database
from storage.errors import Trouble, Unavailable
from storage.monitoring_rows import ErrorGroupRow
from tests.api.processes import wait_until
from tests.api.serving import serving


def groups(database: Database) -> list[ErrorGroupRow]:
    with database.read() as connection:
        return error_groups.page(connection, limit=1000)


def fail(*_: object, **__: object) -> None:
    raise ZeroDivisionError("token=hunter2 of row 17")


def test_what_is_logged_with_a_traceback_is_kept(database: Database) -> None:
    measurer = Measurer()
    with recording_errors(FailureLog(), database, measurer):
        try:
            fail()
        except ZeroDivisionError:
            logging.getLogger("schema.codes").exception(
                "unexpected", extra={"request_id": "r-1", "path": "a.b"}
            )
            logging.getLogger("of.a.library").exception("unexpected")
        logging.getLogger("schema.codes").error("without a traceback")
        logging.getLogger("schema.codes").warning("no error", exc_info=ZeroDivisionError("x"))
    logging.getLogger("schema.codes").error("afterwards", exc_info=ZeroDivisionError("x"))

    found = {group.component: group for group in groups(database)}

    assert found.keys() == {"api", "of"}
    assert found["api"].code == "INTERNAL_SERVER_ERROR"
    assert found["api"].message == "ZeroDivisionError: token=*** of row <number>"
    assert found["api"].sample.startswith("request: r-1\nat: a.b\nTraceback (most recent call last):")
    assert found["api"].sample.endswith("ZeroDivisionError: token=*** of row 17")
    recorded = {tuple(row.labels.items()): row.count for row in measurer.take() if row.name == ERRORS}
    assert recorded == {(("component", "api"),): 1, (("component", "of"),): 1}


def test_a_database_that_is_away_is_no_fault_and_keeps_nothing_from_being_written_later(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = FailureLog()
    away = Unavailable("atlas.db", Trouble.FULL, "make room")

    def refuse(*_: object, **__: object) -> None:
        raise away

    with recording_errors(failures, database):
        logging.getLogger("schema.codes").error("away", exc_info=away)
        logging.getLogger("schema.codes").error("failed", exc_info=ZeroDivisionError("x"))
        with monkeypatch.context() as broken:
            broken.setattr(database, "write", refuse)
            flush(failures, database)
        assert groups(database) == []

    assert [group.message for group in groups(database)] == ["ZeroDivisionError: x"]
    assert "errors are not written" in caplog.text


def test_an_exception_that_cannot_even_be_told_stops_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Untellable(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    monkeypatch.setattr(logging, "raiseExceptions", False)
    with recording_errors(FailureLog(), database):
        logging.getLogger("schema.codes").error("failed", exc_info=Untellable())

    assert groups(database) == []


def test_failing_to_write_in_a_way_nobody_expects_is_logged_and_not_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures = FailureLog()
    with recording_errors(failures, database):
        logging.getLogger("schema.codes").error("failed", exc_info=ZeroDivisionError("x"))
        with monkeypatch.context() as broken:
            broken.setattr(database, "write", fail)
            flush(failures, database)

    assert "writing errors has failed" in caplog.text
    assert [group.message for group in groups(database)] == ["ZeroDivisionError: x"]


def test_errors_of_the_api_of_endpoints_and_of_chores_are_kept_while_the_server_runs(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("buildatlas.chores._FLUSH_SECONDS", 0.05)
    monkeypatch.setattr(graphs, "cycles", fail)
    monkeypatch.setattr(Recovery, "run", fail)

    with serving(Settings(database_url, port=0)) as address:
        query = {"query": "{ cycles { totalCount } }"}
        httpx.post(f"{address}/graphql", json=query, headers={"X-Request-Id": "mine-1"})
        with monkeypatch.context() as broken:
            broken.setattr(Gate, "recall", fail)
            httpx.get(f"{address}/session", headers={"X-Request-Id": "mine-2"})
        wait_until(lambda: {group.component for group in groups(database)} == {"api", "http", "chores"})

    found = {group.component: group for group in groups(database)}
    assert found["api"].message == (
        "ZeroDivisionError: token=*** of row <number> in schema.threads.show.<locals>.<lambda>"
    )
    assert found["api"].sample.startswith("request: mine-1\nat: cycles\n")
    assert found["http"].sample.startswith("request: mine-2\nat: /session\n")
    assert not any("hunter2" in repr(group) for group in found.values())
    assert found["api"].last_seen_at <= datetime.now(UTC)
