"""How a moment is written."""

from datetime import UTC, datetime, timedelta, timezone

from graph.moments import rfc_3339

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_moment_is_written_in_utc_and_ends_in_z() -> None:
    assert rfc_3339(NOON) == "2026-01-31T12:00:00Z"
    assert rfc_3339(NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "2026-01-31T12:00:00Z"


def test_a_moment_keeps_its_microseconds_unless_seconds_are_enough() -> None:
    moment = NOON + timedelta(microseconds=7)

    assert rfc_3339(moment) == "2026-01-31T12:00:00.000007Z"
    assert rfc_3339(moment, timespec="seconds") == "2026-01-31T12:00:00Z"
