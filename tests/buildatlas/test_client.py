import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from buildatlas import client, documents, local
from buildatlas.client import Refused, Unreachable
from buildatlas.settings import Settings
from resolvers import access
from storage.database import Database
from storage.monitoring_tables import Scope
from tests.api.serving import publish, serving

RESOLVE_APP = {"input": {"requirements": [{"package": "app"}]}}
RESOLVE_NONSENSE = {"input": {"requirements": [{"package": "app", "constraint": "1.0"}]}}


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Serve something that is not Buildatlas."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server_and_a_database_give_the_same_answer(tmp_path: Path) -> None:
    database_url = str(tmp_path / "atlas.db")
    with serving(Settings(database_url, port=0)) as address:
        publish(address, "app", "1.0")
        with client.connect(f"{address}/graphql") as connected:
            from_server = connected.ask(documents.RESOLVE, RESOLVE_APP)["resolve"]
        with local.connect(database_url, version="0") as connected:
            from_database = connected.ask(documents.RESOLVE, RESOLVE_APP)["resolve"]

    assert (
        from_server["pins"] == from_database["pins"] == [{"package": "app", "version": "1.0", "direct": True}]
    )
    assert from_server["fingerprint"] == from_database["fingerprint"]


def test_what_the_api_refuses_is_told_with_its_code(tmp_path: Path) -> None:
    database_url = str(tmp_path / "atlas.db")
    with serving(Settings(database_url, port=0)) as address:
        for connection in (client.connect(address), local.connect(database_url, version="0")):
            with (
                connection as connected,
                pytest.raises(Refused, match="character 1") as caught,
            ):
                connected.ask(documents.RESOLVE, RESOLVE_NONSENSE)
            assert caught.value.code == "INVALID_CONSTRAINT"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"hello": "world"}'])
def test_an_answer_that_is_not_graphql_is_not_taken_for_one(body: bytes) -> None:
    with (
        answering(body) as url,
        client.connect(url) as connected,
        pytest.raises(Unreachable, match="is this Buildatlas"),
    ):
        connected.ask(documents.RESOLVE, RESOLVE_APP)


@pytest.mark.parametrize(
    "url", ["localhost:8000", "ftp://localhost", "http://", "/graphql", "http://a:b", ""]
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(Unreachable, match="not the address of a server"), client.connect(url):
        pass


def test_a_token_is_shown_to_a_server_that_asks_for_one(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Database.open(database_url)) as database:
        made = access.create(database, "ci", Scope.READ, now=datetime.now(UTC))
    with serving(Settings(database_url, port=0)) as address:
        with client.connect(address) as connected, pytest.raises(Refused, match="needs a token") as caught:
            connected.ask(documents.RESOLVE, RESOLVE_APP)
        monkeypatch.setenv("BUILDATLAS_TOKEN", made.secret)
        with client.connect(address) as connected:
            assert connected.ask(documents.RESOLVE, RESOLVE_APP)

    assert caught.value.code == "UNAUTHENTICATED"


def test_no_answer_at_all_is_told_with_the_address() -> None:
    with (
        client.connect("http://127.0.0.1:1/") as connected,
        pytest.raises(Unreachable, match="no answer"),
    ):
        connected.ask(documents.RESOLVE, RESOLVE_APP)
