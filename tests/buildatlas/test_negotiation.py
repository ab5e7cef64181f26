"""Media types in headers."""

import pytest

from buildatlas.negotiation import accepts, charset, media_type

OFFERS = ("application/json", "application/graphql-response+json")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, 0),
        ("", 0),
        (" ", 0),
        ("*/*", 0),
        ("application/*", 0),
        ("application/json", 0),
        ("APPLICATION/JSON", 0),
        ("application/graphql-response+json", 1),
        ("application/graphql-response+json; charset=utf-8, application/json", 0),
        ("application/graphql-response+json, application/json;q=0.9", 1),
        ("application/graphql-response+json, */*", 1),
        ("application/json;q=0, */*", 1),
        ("application/*;q=0.1, application/json;q=0.2, */*;q=0.9", 0),
        ("text/html", None),
        ("*/*;q=0", None),
        ("application/json;q=0", None),
        ("application/json;q=nonsense", None),
        (",,;", None),
    ],
)
def test_the_type_that_weighs_most_is_chosen_and_the_first_among_equals(
    header: str | None, expected: int | None
) -> None:
    assert accepts(header, OFFERS) == (None if expected is None else OFFERS[expected])


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/json", ("application/json", "utf-8")),
        ("Application/JSON ; charset=UTF-8", ("application/json", "utf-8")),
        ('application/json; charset="latin-1"', ("application/json", "latin-1")),
        ("", ("", "utf-8")),
    ],
)
def test_a_content_type_is_taken_apart(header: str, expected: tuple[str, str]) -> None:
    assert (media_type(header), charset(header)) == expected
