"""The audits of GraphQL over HTTP that graphql-http brings: https://graphql.github.io/graphql-over-http/draft/."""

from pathlib import Path

from tests.clients.node import running


def test_the_server_passes_every_audit(scripts: Path, address: str) -> None:
    with running(scripts / "audits.mjs", address) as audits:
        told = audits.rest()

    assert len(told) >= 61
    assert [each for each in told if each["status"] != "ok"] == []
