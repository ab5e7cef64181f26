"""What the project offers to be copied, run."""

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.api.serving import publish

ROOT = Path(__file__).parents[2]


def shell_blocks() -> list[str]:
    """Return the blocks of the README that are to be pasted into a shell."""
    return re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_watcher_prints_every_event_from_its_cursor_on(address: str) -> None:
    first = publish(address, "app", "1.0")
    publish(address, "app", "2.0")

    command = [sys.executable, str(ROOT / "examples" / "watch.py"), address, first]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        assert watcher.stdout is not None
        event = json.loads(watcher.stdout.readline())
        watcher.terminate()

    assert (event["kind"], event["package"], event["version"]) == ("VERSION_PUBLISHED", "app", "2.0")


@pytest.mark.parametrize("block", shell_blocks())
def test_requests_of_the_readme_are_answered_without_errors(address: str, block: str) -> None:
    request = re.search(r"-d '(.*)'", block)
    assert request is not None

    answer = httpx.post(
        f"{address}/graphql", content=request[1], headers={"content-type": "application/json"}
    ).json()

    assert "errors" not in answer, answer
