"""Sending webhooks: to which addresses, how long, and what is told of it."""

import asyncio
import hashlib
import hmac
import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from buildatlas import courier
from buildatlas.courier import Courier, is_public, send
from resolvers.alert_rules import RuleRequest, set_rule
from resolvers.alerting import evaluate
from resolvers.webhooks import Answer, Claim, WebhookPolicy
from storage import alert_rules, alerts, deliveries
from storage.database import Database
from tests.api.processes import wait_until
from tests.api.receiver import Receiver, receiver
from tests.resolvers.alert_world import World, hot

HERE = WebhookPolicy(allows_private=True, timeout=timedelta(seconds=1))
ABROAD = WebhookPolicy(timeout=timedelta(seconds=1))


CERTIFICATE, KEY = (
    str(Path(__file__).parents[1] / "api" / "tls" / name) for name in ("certificate.pem", "key.pem")
)
"""Of `localhost` and 127.0.0.1."""


@pytest.fixture
def secure() -> Iterator[Receiver]:
    """A receiver that speaks HTTPS, at an address that its certificate says nothing of."""
    with receiver("127.0.0.2", certificate=(CERTIFICATE, KEY)) as listening:
        yield listening


def looked_up_as(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every name stand for this address."""

    def found(host: str, port: int, **_: object) -> list[Any]:
        del host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.fixture
def told() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


def claim(webhook: str | None, secret: str | None = "s3cret") -> Claim:
    return Claim(7, 2, webhook, secret, json.dumps({"externalURL": "", "alerts": [{}]}))


def sent(of: Claim, policy: WebhookPolicy = HERE) -> Answer:
    async def story() -> Answer:
        async with Courier(None, policy)._client() as client:  # type: ignore[arg-type] # it needs none for this
            return await send(client, of, policy)

    return asyncio.run(story())


def test_a_receiver_knows_by_the_signature_who_sends(told: Receiver) -> None:
    assert sent(claim(told.url)) == Answer(True, 200, None)

    (call,) = told.calls
    text = f"{call.headers['buildatlas-timestamp']}.".encode() + call.raw
    expected = hmac.new(b"s3cret", text, hashlib.sha256).hexdigest()
    assert call.headers["buildatlas-signature"] == f"sha256={expected}"
    assert call.headers["host"] == f"localhost:{told.port}"
    assert (call.id, call.headers["buildatlas-attempt"]) == ("7", "2")


def test_without_a_secret_nothing_is_signed(told: Receiver) -> None:
    sent(claim(told.url, secret=None))

    assert "buildatlas-signature" not in told.calls[0].headers


def test_a_redirect_is_not_followed(told: Receiver) -> None:
    told.status, told.headers = 302, {"Location": f"http://localhost:{told.port}/elsewhere"}

    answer = sent(claim(told.url))

    assert (answer.delivered, answer.status, answer.is_final) == (False, 302, False)
    assert len(told.calls) == 1


def test_a_receiver_that_does_not_answer_is_given_only_so_long(told: Receiver) -> None:
    told.hangs = True

    assert sent(claim(told.url)) == Answer(False, None, "no answer within 1 s")


def test_what_a_receiver_says_is_told_without_secrets_and_in_part(told: Receiver) -> None:
    told.status, told.text = 500, "s3cret k3y-of-mine /hook?key=k3y-of-mine \x1b " + "x" * 100_000

    answer = sent(claim(told.url))

    assert answer.message is not None
    assert answer.message.startswith("500 Internal Server Error: … … … ")
    assert answer.message.endswith("x…")
    assert len(answer.message) < 300
    assert answer.message.isprintable()


def test_what_stands_beside_the_status_is_told_without_secrets(told: Receiver) -> None:
    told.status, told.reason = 500, "s3cret is wrong"

    assert sent(claim(told.url)).message == "500 … is wrong"


def test_who_is_not_there_is_told_of_without_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    answer = sent(claim(f"http://127.0.0.1:{port}/hook?key=k3y-of-mine"))

    assert not answer.delivered
    assert answer.message is not None
    assert answer.message.startswith("ConnectError")
    assert "k3y" not in answer.message


def test_what_is_here_is_refused_unless_allowed(told: Receiver) -> None:
    answer = sent(claim(told.url), ABROAD)

    assert (answer.delivered, answer.is_final) == (False, True)
    assert answer.message is not None
    assert "is not a public address; BUILDATLAS_WEBHOOK_PRIVATE allows those" in answer.message
    assert told.calls == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2001:4860:4860::8888", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("::7f00:1", False),
        ("::ffff:0:7f00:1", False),
        ("64:ff9b:1::7f00:1", False),
        ("fec0::1", False),
        ("4000::1", False),
    ],
)
def test_only_addresses_of_the_open_internet_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_the_address_that_was_checked_is_the_one_that_is_sent_to(
    told: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that means a public address when it is checked, and this machine when it is looked up again."""
    looked_up: list[str] = []

    def rebind(host: str, port: int, **_: object) -> list[Any]:
        looked_up.append(host)
        address = "127.0.0.1" if len(looked_up) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    monkeypatch.setattr(courier, "is_public", lambda address: address == "127.0.0.1")

    answer = sent(claim(f"http://rebinding.example:{told.port}/hook"), ABROAD)

    assert answer == Answer(True, 200, None)
    assert looked_up == ["rebinding.example"]
    assert told.calls[0].headers["host"] == f"rebinding.example:{told.port}"


@pytest.mark.parametrize(("attempt", "expected"), [(1, "8.8.8.8"), (2, "8.8.4.4"), (3, "8.8.8.8")])
def test_of_several_addresses_the_public_ones_are_taken_by_turns(
    monkeypatch: pytest.MonkeyPatch, attempt: int, expected: str
) -> None:
    def several(host: str, port: int, **_: object) -> list[Any]:
        del host
        return [(0, 0, 0, "", (address, port)) for address in ("10.0.0.1", "8.8.8.8", "8.8.4.4")]

    monkeypatch.setattr(socket, "getaddrinfo", several)

    url = httpx.URL("https://receiver.example/")
    checked = asyncio.run(courier._checked_address(url, attempt, allows_private=False))

    assert checked == expected


def test_https_is_spoken_to_the_address_that_was_checked_and_for_the_name(
    secure: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", CERTIFICATE)
    looked_up_as("127.0.0.2", monkeypatch)

    assert sent(claim(secure.url)) == Answer(True, 200, None)
    assert secure.calls[0].headers["host"] == f"localhost:{secure.port}"


@pytest.mark.parametrize(
    ("host", "trusted", "problem"),
    [
        ("alerts.example", True, "certificate is not valid for 'alerts.example'"),
        ("127.0.0.2", True, "IP address mismatch, certificate is not valid for '127.0.0.2'"),
        ("localhost", False, "self-signed certificate"),
    ],
)
def test_a_receiver_that_cannot_show_who_it_is_is_told_nothing(
    secure: Receiver, monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool, problem: str
) -> None:
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", CERTIFICATE)
    else:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    looked_up_as("127.0.0.2", monkeypatch)
    secure.host = host

    answer = sent(claim(secure.url))

    assert (answer.delivered, answer.is_final) == (False, False)
    assert answer.message is not None
    assert "CERTIFICATE_VERIFY_FAILED" in answer.message
    assert problem in answer.message
    assert secure.calls == []


def test_authorities_that_cannot_be_read_leave_the_usual_ones(
    told: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "missing.pem")

    assert sent(claim(told.url)) == Answer(True, 200, None)
    assert "SSL_CERT_FILE cannot be read" in caplog.text


@pytest.mark.parametrize("webhook", [None, "http://a\x01b/hook"])
def test_what_cannot_be_sent_to_is_given_up(webhook: str | None) -> None:
    answer = sent(claim(webhook))

    assert (answer.delivered, answer.is_final) == (False, True)


@pytest.mark.parametrize("webhook", ["http://xn--a/hook", "http://xn--zz-.example/hook"])
def test_a_name_that_no_reader_can_be_shown_is_only_looked_up(
    webhook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(host: str, port: int, **_: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    answer = sent(claim(webhook))

    assert (answer.delivered, answer.is_final) == (False, False)
    assert answer.message is not None
    assert answer.message.startswith("gaierror: ")


def test_what_nobody_has_expected_is_logged_and_tried_again(
    told: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def odd(*_: object, **__: object) -> list[Any]:
        raise KeyError("odd")

    monkeypatch.setattr(socket, "getaddrinfo", odd)

    assert sent(claim(told.url)) == Answer(False, None, "KeyError: see the log of the server")
    assert [record.getMessage() for record in caplog.records] == ["sending a webhook has failed"]


def test_what_is_due_is_sent_in_order_until_it_ends(database: Database, told: Receiver) -> None:
    world = World(database, now=datetime.now(UTC) - timedelta(hours=1))
    set_rule(database, RuleRequest(hot(for_seconds=0, webhook=told.url)), now=world.now)
    world.evaluate(paris=9, rome=9)
    world.tick(1)
    world.evaluate(paris=1, rome=1)
    world.tick(60)
    evaluate(database, now=world.now, see=world._see)

    async def story() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Courier(database, HERE).run)
            await asyncio.to_thread(wait_until, lambda: len(told.calls) == 4)
            tasks.cancel_scope.cancel()

    asyncio.run(story())

    for site in ("paris", "rome"):
        states = [call.state for call in told.calls if call.body["commonLabels"]["site"] == site]
        assert states == ["FIRING", "RESOLVED"]
    with database.read() as connection:
        logged = deliveries.of_alerts(connection, [row.id for row in alerts.page(connection, limit=9)])
    assert [[row.delivered for row in rows] for rows in logged.values()] == [[True, True]] * 2


def test_receivers_that_do_not_answer_keep_no_other_from_being_told(
    database: Database, told: Receiver
) -> None:
    patient = WebhookPolicy(allows_private=True, timeout=timedelta(minutes=1))
    world = World(database, now=datetime.now(UTC) - timedelta(hours=1))
    with ExitStack() as listening:
        hanging = [listening.enter_context(receiver()) for _ in range(10)]
        for number, each in enumerate([*hanging, told]):
            each.hangs, each.hangs_for = each is not told, 60
            rule = hot(name=str(number), for_seconds=0, webhook=each.url)
            set_rule(database, RuleRequest(rule), now=world.now)
        world.evaluate(paris=9, rome=9, oslo=9, bonn=9)

        async def story() -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(Courier(database, patient).run)
                await asyncio.to_thread(wait_until, lambda: logged(database) == {"10": 4})
                await asyncio.to_thread(wait_until, lambda: all(len(each.calls) == 2 for each in hanging))
                tasks.cancel_scope.cancel()
                assert logged(database) == {"10": 4}
                for each in hanging:
                    each.let_go.set()

        asyncio.run(story())


def logged(database: Database) -> dict[str, int]:
    """Return how many attempts have ended, by rule."""
    with database.read() as connection:
        names = {rule.id: rule.name for rule in alert_rules.all_rules(connection)}
        found = alerts.page(connection, limit=100)
        attempts = deliveries.of_alerts(connection, [alert.id for alert in found])
    return dict(Counter(names[alert.rule_id] for alert in found for _ in attempts[alert.id]))
