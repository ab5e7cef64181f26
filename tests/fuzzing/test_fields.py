"""Every field of the API, asked for by documents that schemathesis makes up."""

from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings

from tests.fuzzing.answers import check_answer
from tests.fuzzing.conftest import Fuzzed
from tests.fuzzing.documents import FIELDS, cases

_EXAMPLES: Final = 8
_MANY: Final = 100


def fuzz(server: Fuzzed, field: str, **options: Any) -> None:
    """Ask for a field in so many ways, and look at each answer."""
    known = server.grow()
    with requests.Session() as session:

        @settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), **options)
        @given(cases(field, known))
        def ask(case: schemathesis.Case[Any]) -> None:
            answer = case.call(f"{server.address}/graphql", session=session, timeout=60)
            assert answer.status_code == 200, (case.body, answer.text)
            check_answer(answer.json())

        ask()
    server.check()


@pytest.mark.parametrize("field", FIELDS)
def test_whatever_a_field_is_asked_the_server_has_an_answer(server: Fuzzed, field: str) -> None:
    fuzz(server, field, max_examples=_EXAMPLES, derandomize=True)


@pytest.mark.long
@pytest.mark.parametrize("field", FIELDS)
def test_whatever_a_field_is_asked_at_length_the_server_has_an_answer(server: Fuzzed, field: str) -> None:
    fuzz(server, field, max_examples=_MANY, print_blob=True)
