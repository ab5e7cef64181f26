"""That a fault would be seen: what every answer and log is checked for."""

import pytest

from tests.fuzzing.answers import check_answer, check_log


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"data": None, "detail": "?"},
        {"errors": []},
        {"errors": [{"message": "?", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]},
        {"errors": [{"message": "?", "extensions": {"code": "SOMETHING_ELSE"}}]},
        {"errors": [{"message": "", "extensions": {"code": "NOT_FOUND"}}], "data": None},
    ],
)
def test_an_answer_that_tells_of_a_fault_is_not_passed_over(answer: object) -> None:
    with pytest.raises(AssertionError):
        check_answer(answer)


def test_an_answer_with_data_and_a_refusal_is_good() -> None:
    refused = {"message": "There is none.", "path": ["a"], "extensions": {"code": "NOT_FOUND"}}

    check_answer({"data": {"a": None, "b": 1}, "errors": [refused], "extensions": {"cost": 1}})


@pytest.mark.parametrize("line", ['{"level":"ERROR","message":"?"}', "Traceback (most recent call last):"])
def test_a_log_that_tells_of_a_fault_is_not_passed_over(line: str) -> None:
    with pytest.raises(AssertionError):
        check_log(['{"level":"INFO"}', line])
