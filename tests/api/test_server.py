"""The process around the API: its checks, its start and its end."""

import asyncio
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import Message

from buildatlas import chores
from buildatlas.errors import PortTaken
from buildatlas.server import create_app, listen
from buildatlas.serving import serve
from buildatlas.settings import Settings
from resolvers.recovery import Recovery
from resolvers.subscriptions import EventSelection, Trimmed, read_events
from storage.database import Connection, Database
from storage.errors import Trouble, Unavailable
from tests.api.processes import wait_until
from tests.api.serving import publish, serving
from tests.resolvers.build_world import World


def test_a_running_server_is_alive_and_ready(address: str) -> None:
    cursor = publish(address, "a", "1")

    assert httpx.get(f"{address}/healthz").json() == {"alive": True}
    assert httpx.get(f"{address}/readyz").json() == {"ready": True, "cursor": cursor}


def test_a_server_whose_database_cannot_be_used_is_alive_but_not_ready(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Database) -> int:
        raise Unavailable("atlas.db", Trouble.FULL, "make room")

    monkeypatch.setattr(Database, "cursor", fail)

    ready = httpx.get(f"{address}/readyz")

    assert httpx.get(f"{address}/healthz").status_code == 200
    assert ready.status_code == 503
    assert ready.json() == {
        "ready": False,
        "reason": "the database atlas.db has no room left on its disk: make room",
    }


def test_answers_are_sent_without_waiting_for_the_client_to_acknowledge_their_head(tmp_path: Path) -> None:
    with listen(Settings(str(tmp_path / "atlas.db"), port=0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()

        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        accepted.close()
        client.close()


def test_a_taken_port_is_told_in_a_sentence(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} on 127.0.0.1 is taken"):
            serve(Settings(settings.database_url, port=port), announce=print)


def test_an_address_of_no_interface_is_an_error_of_the_system(settings: Settings) -> None:
    # 192.0.2.0/24 is reserved for documentation; the check for loopback is passed by before it.
    object.__setattr__(settings, "host", "192.0.2.1")

    with pytest.raises(OSError, match="assign"):
        serve(settings, announce=print)


def test_a_file_that_is_no_database_is_told_before_the_server_starts(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database" * 100)

    with pytest.raises(Unavailable, match=r"notes\.txt"):
        serve(Settings(str(path), port=0), announce=print)


def test_the_server_answers_on_the_other_loopback_too(settings: Settings) -> None:
    with serving(Settings(settings.database_url, host="::1", port=0)) as address:
        assert address.startswith("http://[::1]:")
        assert httpx.get(f"{address}/healthz").status_code == 200


SERVE = """
import sys
from buildatlas.serving import serve
from buildatlas.settings import Settings
serve(Settings(sys.argv[1], port=0), announce=lambda address, _: print(address, flush=True))
"""


def test_a_signal_stops_the_process_cleanly(settings: Settings) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, settings.database_url],
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    with process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        publish(address.rstrip("/"), "a", "1")
        process.send_signal(signal.SIGTERM)

        assert process.wait(20) in {0, -signal.SIGTERM}
    assert not Path(settings.database_url + "-wal").exists()


def test_old_events_are_trimmed_while_the_server_runs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "_TRIM_SECONDS", 0.1)
    kept = dataclasses.replace(settings, events_kept=3)
    with serving(kept) as address, closing(Database.open(settings.database_url)) as database:
        for number in range(9):
            publish(address, "a", str(number))

        wait_until(lambda: read_events(database, 0, selection=EventSelection()) == Trimmed(resume_from=7))


def test_a_log_that_cannot_be_trimmed_is_told_and_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise Unavailable("atlas.db", Trouble.FULL, "make room")

    monkeypatch.setattr(chores, "_TRIM_SECONDS", 0.01)
    monkeypatch.setattr(chores, "trim_events", fail)
    with serving(settings):
        wait_until(lambda: caplog.text.count("old events are not trimmed: the database atlas.db") > 1)


def test_builds_are_recovered_at_the_start_and_while_the_server_runs(settings: Settings) -> None:
    with closing(Database.open(settings.database_url)) as database:
        world = World.of(database, "lib 1\ntool 1")
        world.now = datetime.now(UTC) - timedelta(hours=1)
        run = world.start("lib", "tool")
        world.claim("w1", limit=1, lease=timedelta(minutes=1))
        quick = dataclasses.replace(settings, recovery_seconds=1)
        with serving(quick):
            wait_until(lambda: world.states(run) == {"lib": "QUEUED", "tool": "QUEUED"})
            # Long over by now, and found by the timer.
            world.claim("w1", limit=2, lease=timedelta(minutes=1))
            wait_until(lambda: world.states(run) == {"lib": "QUEUED", "tool": "QUEUED"})


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            Unavailable("atlas.db", Trouble.FULL, "make room"),
            "builds are not recovered: the database atlas.db",
        ),
        (KeyError("odd"), "recovery has failed"),
    ],
)
def test_a_recovery_that_fails_is_told_and_tried_again(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    said: str,
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(Recovery, "run", fail)
    with serving(dataclasses.replace(settings, recovery_seconds=1)):
        wait_until(lambda: caplog.text.count(said) > 1)


def test_outside_of_its_lifespan_the_application_is_not_ready(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> tuple[int, object, int]:
        transport = httpx.ASGITransport(create_app(settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            ready = await client.get("/readyz")
            answer = await client.post("/graphql", json={"query": "{ server { version } }"})
            return ready.status_code, ready.json(), answer.status_code

    assert asyncio.run(story()) == (503, {"ready": False, "reason": "the server is starting"}, 500)
    assert "RuntimeError: a request came in outside of the lifespan" in caplog.text


def test_an_application_that_fails_on_its_way_up_ends_the_process(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Database) -> None:
        raise ZeroDivisionError("no atlas today")

    monkeypatch.setattr("buildatlas.server.Atlas", fail)

    with pytest.raises(SystemExit) as ended:
        serve(settings, announce=print)

    assert ended.value.code == 3
    assert "no atlas today" in caplog.text


def test_a_client_that_leaves_in_the_middle_of_its_body_is_let_go(settings: Settings) -> None:
    async def leave() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def note(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
    }

    async def story() -> None:
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            await app(scope, leave, note)

    asyncio.run(story())

    assert [message.get("status") for message in sent] == [400, None]


def test_writes_that_wait_for_a_slow_writer_do_not_keep_reads_waiting(
    address: str, settings: Settings
) -> None:
    held, done = threading.Event(), threading.Event()
    database = Database.open(settings.database_url)

    def hold(_: Connection) -> None:
        held.set()
        assert done.wait(60)

    holder = threading.Thread(target=database.write, args=(hold,), kwargs={"alone": True})
    holder.start()
    assert held.wait(10)
    with ThreadPoolExecutor(60) as pool:
        writes = [pool.submit(publish, address, f"p{n}", "1") for n in range(60)]
        # More writes wait than a server has threads, and yet this is answered.
        answer = httpx.post(f"{address}/graphql", json={"query": "{ packages { totalCount } }"}, timeout=30)
        done.set()
        cursors = [write.result() for write in writes]
    holder.join()
    database.close()

    assert answer.json()["data"] == {"packages": {"totalCount": 0}}
    assert len(set(cursors)) == 60
