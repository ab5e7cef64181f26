"""Errors as they are kept: without secrets, gathered, and written in batches."""

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from resolvers.failures import LONGEST_SAMPLE, FailureLog, failure, message_of, place_of
from storage import error_groups
from storage.database import Database
from storage.errors import Trouble, Unavailable
from storage.monitoring_rows import ErrorGroupRow
from storage.monitoring_tables import ErrorFields
from tests.resolvers.registry import NOW

SECOND = timedelta(seconds=1)


def groups(database: Database) -> list[ErrorGroupRow]:
    with database.read() as connection:
        return error_groups.page(connection, limit=1000)


def error(message: str, component: str = "api") -> ErrorFields:
    return failure("INTERNAL_SERVER_ERROR", component, message, text=f"it said: {message}", request="r-1")


def test_errors_that_differ_in_particulars_are_one_group_with_the_last_as_its_sample(
    database: Database,
) -> None:
    noted = FailureLog()
    for number in range(3):
        noted.note(error(f"row {number} is gone"), now=NOW + number * SECOND)
    noted.note(error("row 7 is gone", "chores"), now=NOW)

    assert noted.write(database) == 4

    one, other = groups(database)
    assert (one.component, one.message, one.count) == ("api", "row <number> is gone", 3)
    assert one.sample == "request: r-1\nit said: row 2 is gone"
    assert (one.first_seen_at, one.last_seen_at) == (NOW, NOW + 2 * SECOND)
    assert (other.component, other.count) == ("chores", 1)
    assert noted.write(database) == 0


def test_no_secret_gets_into_what_is_kept() -> None:
    said = "cannot reach postgresql://a:hunter2@db/x with Authorization: Bearer bat_abcdefgh12345"

    kept = failure("FAILURE", "build", said, text=said, request="bat_abcdefgh12345")

    text = repr(kept)
    assert "hunter2" not in text
    assert "abcdefgh12345" not in text


def test_a_sample_is_cut_and_keeps_its_end_where_a_traceback_says_what_was_raised() -> None:
    text = "\n".join(f"line {number} of many" for number in range(10_000))

    sample = failure("A", "api", "m", text=text, request="r-1").sample

    assert len(sample) == LONGEST_SAMPLE
    assert sample.startswith("request: r-1\n…")
    assert sample.endswith("line 9999 of many")


def test_what_no_database_can_hold_is_replaced(database: Database) -> None:
    noted = FailureLog()
    noted.note(failure("A", "api", "\0 \ud800", text="\0 \ud800"), now=NOW)

    noted.write(database)

    (group,) = groups(database)
    assert (group.message, group.sample) == ("\ufffd ?", "\ufffd ?")


def test_the_same_words_raised_in_two_places_are_two_faults() -> None:
    here = failure("A", "api", "m", text="", place="schema.lookup.fetch")
    there = failure("A", "api", "m", text="", place="schema.lookup.fetch_many")

    assert here.message == "m in schema.lookup.fetch"
    assert here.fingerprint != there.fingerprint


def test_an_exception_is_placed_in_the_innermost_function_of_ours() -> None:
    with pytest.raises(TypeError) as raised:
        failure("A", "api", 1, text="")  # type: ignore[arg-type] # to have it fail

    assert place_of(raised.value.__traceback__) == "resolvers.fingerprints._beginning"
    assert message_of(raised.value) == f"TypeError: {raised.value}"
    assert place_of(None) is None


def test_no_more_kinds_wait_than_may_and_what_is_dropped_is_told(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    noted = FailureLog(most=2)
    for word in ("one", "two", "three", "one", "four"):
        noted.note(error(word), now=NOW)

    assert noted.write(database) == 3

    assert {(group.message, group.count) for group in groups(database)} == {("one", 2), ("two", 1)}
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert vars(record)["dropped"] == 2


def test_what_cannot_be_written_waits_and_is_counted_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = FailureLog()
    noted.note(error("row 1 is gone"), now=NOW)

    def full(*_: object, **__: object) -> None:
        noted.note(error("row 2 is gone"), now=NOW + SECOND)
        raise Unavailable("atlas.db", Trouble.FULL, "make room")

    with monkeypatch.context() as patched:
        patched.setattr(database, "write", full)
        with pytest.raises(Unavailable):
            noted.write(database)
    assert noted.write(database) == 2

    (group,) = groups(database)
    assert (group.count, group.first_seen_at, group.last_seen_at) == (2, NOW, NOW + SECOND)
    assert group.sample.endswith("row 2 is gone")


def test_errors_noted_by_many_threads_are_all_counted(database: Database) -> None:
    noted = FailureLog()

    def meet(number: int) -> int:
        noted.note(error(f"row {number} is gone"), now=NOW)
        return noted.write(database) if number % 7 == 0 else 0

    with ThreadPoolExecutor(4) as threads:
        written = sum(threads.map(meet, range(100)))
    written += noted.write(database)

    assert written == 100
    assert [group.count for group in groups(database)] == [100]
