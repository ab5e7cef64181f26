"""DateTime: what is read and what is written."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from graph.moments import rfc_3339
from schema.scalars import read_moment

moments = st.datetimes(min_value=datetime(1000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - zoned by the strategy


@given(moments)
def test_what_is_written_is_read_back_as_the_same_moment(moment: datetime) -> None:
    assert read_moment(rfc_3339(moment)) == moment


@given(moments)
def test_what_is_written_ends_in_z(moment: datetime) -> None:
    assert rfc_3339(moment).endswith("Z")


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))

    assert rfc_3339(noon) == "2026-01-31T10:00:00Z"


@pytest.mark.parametrize(
    "text", ["2026-01-31T12:00:00Z", "2026-01-31t12:00:00z", "2026-01-31T14:00:00+02:00"]
)
def test_other_spellings_of_a_moment_are_read(text: str) -> None:
    assert read_moment(text) == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_time_without_a_zone_is_refused_with_what_to_do() -> None:
    with pytest.raises(GraphQLError, match="names no time zone: end it in Z"):
        read_moment("2026-01-31T12:00:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-01-31",
        "2026-W05-6T12:00:00Z",
        "20260131T120000Z",
        "٢٠٢٦-01-31T12:00:00Z",
        5,
        None,
        {},
    ],
)
def test_what_is_not_rfc_3339_is_refused_with_the_form_it_should_have(text: object) -> None:
    with pytest.raises(GraphQLError, match="expected the form 2026-01-31T12:00:00Z"):
        read_moment(text)


@pytest.mark.parametrize(
    "text", ["2026-02-30T12:00:00Z", "2026-01-31T25:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_moment_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(GraphQLError, match="is not a DateTime"):
        read_moment(text)
