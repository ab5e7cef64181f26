"""What every answer of the server must be, whatever was asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from schema.enums import ErrorCode


def check_answer(answer: object) -> None:
    """Fail for what is not an answer in GraphQL's form, and for one that tells of a fault of the server."""
    assert isinstance(answer, dict), answer
    assert answer.keys() <= {"data", "errors", "extensions"}, answer
    assert "data" in answer or "errors" in answer, answer
    if "errors" in answer:
        check_errors(answer["errors"])


def check_errors(errors: Any) -> None:
    """Fail for what is no list of errors in GraphQL's form, and for one that holds a fault of the server."""
    assert isinstance(errors, list), errors
    assert errors
    codes = [_code(each) for each in errors]
    assert ErrorCode.INTERNAL_SERVER_ERROR.name not in codes, errors


def check_log(lines: Sequence[str]) -> None:
    """Fail when a server has logged a fault of its own."""
    faults = [line for line in lines if "Traceback" in line or '"level":"ERROR"' in line]
    assert not faults, faults[0].replace("\\n", "\n")


def _code(error: Mapping[str, Any]) -> str:
    assert isinstance(error["message"], str), error
    assert error["message"]
    code = error["extensions"]["code"]
    assert code in ErrorCode.__members__, error
    return str(code)
