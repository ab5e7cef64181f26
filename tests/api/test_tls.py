"""Speaking HTTPS, and believing proxies that do."""

import json
import ssl
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from buildatlas.serving import serve
from buildatlas.settings import Settings, SettingsError
from tests.api.processes import server_process
from tests.api.serving import serving

CERTIFICATE, KEY = (str(Path(__file__).parent / "tls" / name) for name in ("certificate.pem", "key.pem"))
HSTS = "Strict-Transport-Security"
QUERY = {"query": "{ packages { totalCount } }"}


def test_a_server_with_a_certificate_speaks_https_and_tells_browsers_to_stay_with_it(tmp_path: Path) -> None:
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    with server_process(
        str(tmp_path / "atlas.db"), BUILDATLAS_TLS_CERTIFICATE=CERTIFICATE, BUILDATLAS_TLS_KEY=KEY
    ) as server:
        assert server.address.startswith("https://")
        answer = httpx.post(f"{server.address}/graphql", json=QUERY, verify=trusting, timeout=10)
        with connect(
            f"{server.address.replace('https', 'wss', 1)}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            ssl=trusting,
        ) as socket:
            socket.send(json.dumps({"type": "connection_init"}))
            greeting = json.loads(socket.recv(timeout=10))

    assert answer.json()["data"] == {"packages": {"totalCount": 0}}
    assert answer.headers[HSTS].startswith("max-age=")
    assert greeting == {"type": "connection_ack"}


@pytest.mark.parametrize(("proxies", "is_believed"), [("127.0.0.1", True), ("10.0.0.1", False), ("", False)])
def test_a_proxy_is_believed_when_it_is_named(tmp_path: Path, proxies: str, is_believed: bool) -> None:
    settings = Settings(str(tmp_path / "atlas.db"), port=0, proxies=proxies)
    with serving(settings) as address:
        answer = httpx.post(
            f"{address}/graphql", json=QUERY, headers={"X-Forwarded-Proto": "https"}, timeout=10
        )

    assert (HSTS in answer.headers) is is_believed


@pytest.mark.parametrize(
    ("certificate", "key", "name", "problem"),
    [
        ("missing.pem", None, "BUILDATLAS_TLS_CERTIFICATE", "there is no file missing.pem"),
        (CERTIFICATE, "missing.pem", "BUILDATLAS_TLS_KEY", "there is no file missing.pem"),
        (None, KEY, "BUILDATLAS_TLS_KEY", "is of use with a certificate only"),
        (__file__, KEY, "BUILDATLAS_TLS_CERTIFICATE", "cannot be used"),
        (CERTIFICATE, None, "BUILDATLAS_TLS_CERTIFICATE", "cannot be used"),
    ],
)
def test_a_certificate_that_cannot_be_used_is_told_before_anything_is_served(
    tmp_path: Path, certificate: str | None, key: str | None, name: str, problem: str
) -> None:
    settings = Settings(str(tmp_path / "atlas.db"), port=0)

    with pytest.raises(SettingsError) as refused:
        serve(
            replace(settings, tls_certificate=certificate, tls_key=key),
            announce=lambda *_: pytest.fail("it serves"),
        )

    assert refused.value.name == name
    assert problem in refused.value.problem
