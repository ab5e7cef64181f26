"""Answers to requests that fail in a way nobody has expected."""

import logging

import httpx
import pytest

from buildatlas.settings import Settings
from resolvers.access import Gate
from schema.streams import Streams
from tests.api.serving import serving

PAGE = "https://pages.example"


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything fail that asks who asks, as if by a mistake of ours."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(Gate, "admit", fail)


@pytest.mark.usefixtures("_broken")
@pytest.mark.parametrize("path", ["/graphql", "/graphql/stream", "/session"])
def test_an_unexpected_error_is_answered_in_json_with_the_id_of_the_request(address: str, path: str) -> None:
    answer = httpx.get(f"{address}{path}?query={{a}}", headers={"X-Request-Id": "mine-1"})

    (error,) = answer.json()["errors"]
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["x-request-id"] == "mine-1"
    assert "request mine-1" in error["message"]
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "requestId": "mine-1"}
    assert "secret" not in answer.text
    assert "ZeroDivision" not in answer.text


@pytest.mark.usefixtures("_broken")
def test_an_unexpected_error_has_the_headers_of_every_other_answer(settings: Settings) -> None:
    shared = Settings(settings.database_url, port=0, origins=(PAGE,))
    with serving(shared) as address:
        broken = httpx.get(f"{address}/session", headers={"Origin": PAGE})
        other = httpx.get(f"{address}/healthz", headers={"Origin": PAGE})

    assert (broken.status_code, other.status_code) == (500, 200)
    assert broken.headers["access-control-allow-origin"] == PAGE
    assert broken.headers["cache-control"] == "no-store"
    own = {"content-length", "content-type", "date", "x-request-id"}
    expected = {name: value for name, value in other.headers.items() if name not in own}
    assert expected["content-security-policy"]
    assert expected.items() <= dict(broken.headers).items()


@pytest.mark.usefixtures("_broken")
def test_an_unexpected_error_is_logged_once_with_its_id_and_its_traceback(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    httpx.get(f"{address}/session", headers={"X-Request-Id": "mine-1"})

    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert vars(record)["request_id"] == "mine-1"
    assert vars(record)["path"] == "/session"
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_an_error_in_the_midst_of_an_answer_breaks_it_off_and_is_logged_once_with_its_id(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(Streams, "deliver", fail)

    headers = {"X-Request-Id": "mine-1", "Accept": "text/event-stream"}
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{address}/graphql/stream?query={{a}}", headers=headers)

    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], BaseException)
    assert "mine-1" in logging.Formatter().formatException(record.exc_info)
