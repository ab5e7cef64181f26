"""Each call is repeated until it is answered, or does not matter any more."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from buildatlas.client import Answer, Refused, Unreachable
from buildatlas.worker.api import Api, GaveUp, Held, is_passing

AWAY = Unreachable("http://localhost", "no answer")
BUSY = Refused("the database is busy", "UNAVAILABLE")
LOST = Refused("the build was given to another since", "LEASE_LOST")

HELD = Held("b1", "7", "r1", "app", "1.0", 2, 3, "MANUAL", 60)
BUILD = {
    "id": "b1",
    "attempt": 2,
    "maxAttempts": 3,
    "trigger": "MANUAL",
    "timeoutSeconds": 60,
    "leaseExpiresAt": "2026-01-01T00:00:00Z",
    "run": {"id": "r1"},
    "packageVersion": {"version": "1.0", "package": {"name": "app"}},
}
CLAIM = {"lease": "7", "build": BUILD}


@dataclass
class Script:
    """A server that answers what it is told to, in order."""

    answers: Sequence[Answer | Exception]
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)

    def ask(self, document: str, variables: Mapping[str, Any]) -> Answer:
        assert document
        self.asked.append(variables)
        answer = self.answers[len(self.asked) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def api(self) -> Api:
        return Api(self, on_trouble=self.troubles.append, pause=self.pauses.append)


def always() -> bool:
    return True


def claim(api: Api, matters: Callable[[], bool] = always) -> list[Held]:
    return api.claim(
        "w", limit=3, lease_seconds=9, labels=[{"key": "a", "value": "b"}], request_id="x", matters=matters
    )


def test_what_is_claimed_is_held() -> None:
    script = Script([{"claimBuilds": {"claims": [CLAIM]}}])

    (held,) = claim(script.api)

    assert (held, str(held)) == (HELD, "app 1.0")
    assert script.asked == [
        {
            "input": {
                "worker": "w",
                "limit": 3,
                "leaseSeconds": 9,
                "labels": [{"key": "a", "value": "b"}],
                "requestId": "x",
            }
        }
    ]


def test_a_build_may_be_of_no_run() -> None:
    orphan = {"lease": "7", "build": {**BUILD, "run": None}}
    script = Script([{"claimBuilds": {"claims": [orphan]}}])

    assert claim(script.api) == [replace(HELD, run="")]


@pytest.mark.parametrize("trouble", [AWAY, BUSY])
def test_a_call_is_repeated_as_it_was_until_it_is_answered(trouble: Exception) -> None:
    script = Script([trouble, trouble, trouble, {"claimBuilds": {"claims": []}}])

    assert claim(script.api) == []

    assert len(script.asked) == 4
    assert all(each == script.asked[0] for each in script.asked)
    assert script.troubles == [trouble] * 3


def test_pauses_grow_and_are_taken_in_small_steps() -> None:
    script = Script([AWAY] * 12 + [{"claimBuilds": {"claims": []}}])

    claim(script.api)

    assert max(script.pauses) <= 0.2
    # Of the last six, each takes 5 to 10 seconds.
    assert 0.1 + 0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 6 * 5 - 0.1 <= sum(script.pauses) <= 72.7


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_call_that_does_not_matter_any_more_is_given_up(calls: int) -> None:
    script = Script([AWAY] * 3)

    with pytest.raises(GaveUp):
        claim(script.api, lambda: len(script.asked) < calls)

    assert len(script.asked) == calls


def test_a_call_is_given_up_during_a_pause() -> None:
    script = Script([AWAY, AWAY, AWAY, AWAY])

    with pytest.raises(GaveUp):
        claim(script.api, lambda: sum(script.pauses) < 0.7)

    assert sum(script.pauses) < 1


def test_a_call_that_does_not_matter_is_made_once_all_the_same() -> None:
    script = Script([{"claimBuilds": {"claims": []}}])

    assert claim(script.api, lambda: False) == []


def calls(api: Api) -> Iterable[Callable[[], object]]:
    yield lambda: claim(api)
    yield lambda: api.heartbeat(HELD, lease_seconds=9)
    yield lambda: api.report(HELD, "RUNNING", matters=always)
    yield lambda: api.append_log(HELD, 0, ["x"], matters=always)
    yield lambda: api.is_anything_left(matters=always)


@pytest.mark.parametrize("number", range(5))
def test_a_refusal_passes_through(number: int) -> None:
    script = Script([LOST])

    with pytest.raises(Refused) as refusal:
        list(calls(script.api))[number]()

    assert refusal.value is LOST
    assert (len(script.asked), script.pauses, script.troubles) == (1, [], [])


@pytest.mark.parametrize("trouble", [AWAY, BUSY])
def test_a_heartbeat_is_not_repeated(trouble: Exception) -> None:
    script = Script([trouble])

    with pytest.raises(type(trouble)):
        script.api.heartbeat(HELD, lease_seconds=9)


@pytest.mark.parametrize("is_requested", [True, False])
def test_a_heartbeat_tells_whether_the_build_is_called_off(is_requested: bool) -> None:
    script = Script([{"heartbeat": {"cancelRequested": is_requested}}])

    assert script.api.heartbeat(HELD, lease_seconds=9) is is_requested
    assert script.asked == [{"input": {"build": "b1", "lease": "7", "leaseSeconds": 9}}]


def test_a_report_says_what_it_is_given() -> None:
    script = Script([{"reportBuild": {"cursor": "1"}}, {"reportBuild": {"cursor": "2"}}])

    script.api.report(HELD, "RUNNING", matters=always)
    script.api.report(HELD, "COMPLETED", matters=always, conclusion="FAILURE", message="m")

    held = {"build": "b1", "lease": "7"}
    assert script.asked == [
        {"input": {**held, "status": "RUNNING"}},
        {"input": {**held, "status": "COMPLETED", "conclusion": "FAILURE", "message": "m"}},
    ]


def test_lines_are_handed_in_with_their_number() -> None:
    script = Script([BUSY, {"appendLog": {"cursor": "1"}}])

    script.api.append_log(HELD, 5, ("x", "y"), matters=always)

    assert script.asked == [{"input": {"build": "b1", "lease": "7", "firstLine": 5, "lines": ["x", "y"]}}] * 2


@pytest.mark.parametrize(("count", "is_left"), [(0, False), (1, True)])
def test_it_is_known_whether_anything_is_left(count: int, is_left: bool) -> None:
    script = Script([AWAY, {"builds": {"totalCount": count}}])

    assert script.api.is_anything_left(matters=always) is is_left
    assert "BLOCKED" not in script.asked[0]["status"]


def test_trouble_and_pauses_need_nobody() -> None:
    script = Script([AWAY, {"builds": {"totalCount": 0}}])

    assert not Api(script).is_anything_left(matters=always)


@pytest.mark.parametrize(("error", "is_so"), [(AWAY, True), (BUSY, True), (LOST, False)])
def test_some_errors_pass(error: Refused | Unreachable, is_so: bool) -> None:
    assert is_passing(error) is is_so
