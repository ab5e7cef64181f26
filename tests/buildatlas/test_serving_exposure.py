"""A server that others can reach is not started before there is a token."""

import os
import socket
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from resolvers import access
from storage.database import Database
from storage.monitoring_tables import Scope
from tests.api.processes import serve_command, server_process

READ = {"query": "{ packages { totalCount } }"}


def refused(database_url: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a server that is to end by itself."""
    return subprocess.run(
        serve_command(database_url, *options),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def make_token(database_url: str) -> str:
    with closing(Database.open(database_url)) as database:
        return access.create(database, "ci", Scope.READ, now=datetime.now(UTC)).secret


@pytest.mark.parametrize(
    ("options", "environment", "named"),
    [
        (["--host", "0.0.0.0"], {}, "BUILDATLAS_HOST: '0.0.0.0'"),
        (["--host", "::"], {}, "BUILDATLAS_HOST: '::'"),
        ([], {"BUILDATLAS_HOSTS": "atlas.example, b.example"}, "BUILDATLAS_HOSTS: 'atlas.example,b.example'"),
        (["--host", "0.0.0.0", "--anonymous-read", "--workers", "2"], {}, "BUILDATLAS_HOST: '0.0.0.0'"),
    ],
)
def test_without_a_token_a_server_that_others_can_reach_is_not_started(
    tmp_path: Path, options: list[str], environment: dict[str, str], named: str
) -> None:
    ended = refused(str(tmp_path / "atlas.db"), *options, **environment)

    assert ended.returncode == 2
    said = " ".join(ended.stderr.split())
    assert (
        f"{named} is not this machine alone, and whoever can reach the server could change the catalogue, as no "
        "access token has been made: make one with `buildatlas token create`, or answer on 127.0.0.1"
    ) in said
    assert "Traceback" not in said
    assert " serves http" not in said


def test_once_there_is_a_token_a_server_answers_on_all_addresses_to_those_who_show_it(
    database_url: str,
) -> None:
    secret = make_token(database_url)
    with server_process(database_url, "--host", "0.0.0.0") as server:
        address = server.address.replace("0.0.0.0", "127.0.0.1")
        without = httpx.post(f"{address}/graphql", json=READ)
        shown = httpx.post(f"{address}/graphql", json=READ, headers={"Authorization": f"Bearer {secret}"})

    assert without.status_code == 401
    assert shown.json()["data"] == {"packages": {"totalCount": 0}}


def test_once_there_is_a_token_a_server_answers_by_further_names(tmp_path: Path) -> None:
    database_url = str(tmp_path / "atlas.db")
    secret = make_token(database_url)
    shown = {"Authorization": f"Bearer {secret}"}
    with server_process(database_url, BUILDATLAS_HOSTS="atlas.example") as server:
        answers = [
            httpx.post(f"{server.address}/graphql", json=READ, headers={**shown, "Host": host})
            for host in ("atlas.example", "localhost", "evil.example")
        ]

    assert [answer.status_code for answer in answers] == [200, 200, 421]


def test_revoking_the_only_token_does_not_open_a_server_again(tmp_path: Path) -> None:
    database_url = str(tmp_path / "atlas.db")
    secret = make_token(database_url)
    with closing(Database.open(database_url)) as database:
        access.revoke(database, "ci", now=datetime.now(UTC))
    with server_process(database_url, "--host", "0.0.0.0") as server:
        address = server.address.replace("0.0.0.0", "127.0.0.1")
        answers = [
            httpx.post(f"{address}/graphql", json=READ, headers=headers)
            for headers in ({}, {"Authorization": f"Bearer {secret}"})
        ]

    assert [answer.status_code for answer in answers] == [401, 401]


def test_what_keeps_a_server_from_starting_leaves_its_port_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ended = refused(str(tmp_path / "atlas.db"), "--host", "0.0.0.0", "--port", str(port))

    assert ended.returncode == 2
    socket.create_server(("127.0.0.1", port)).close()
