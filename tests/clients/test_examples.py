"""What the examples of clients say to whoever runs them wrongly, or before there is a server."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from dashboard.build import node

_EXAMPLES: Final = Path(__file__).parents[2] / "examples"
_RUN_BY: Final = {".py": sys.executable, ".mjs": str(node()), ".sh": "sh"}
_SECONDS: Final = 60
# Nothing listens there.
_NOBODY: Final = "http://127.0.0.1:1"


def run_by(name: str) -> list[str]:
    return [_RUN_BY[Path(name).suffix], str(_EXAMPLES / name)]


@pytest.mark.parametrize(
    "name",
    [
        "watch.py",
        "clients/build_tool.py",
        "clients/build_tool.sh",
        "clients/dashboard.mjs",
        "clients/watcher.py",
    ],
)
def test_without_an_address_one_is_asked_for(name: str) -> None:
    done = subprocess.run(run_by(name), capture_output=True, text=True, timeout=_SECONDS, check=False)

    assert done.returncode != 0
    assert "give the address of a server" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["watch.py", "clients/build_tool.py", "clients/build_tool.sh"])
def test_what_needs_a_server_once_says_in_a_line_that_there_is_none(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [*run_by(name), _NOBODY],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
        cwd=tmp_path,
        env=without_token(),
    )

    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("name", ["clients/dashboard.mjs", "clients/watcher.py"])
def test_what_goes_on_waits_for_the_server(name: str, tmp_path: Path) -> None:
    arguments = [_NOBODY, *([str(tmp_path / "cursor")] if name.endswith(".py") else [])]
    with subprocess.Popen(
        [*run_by(name), *arguments], stderr=subprocess.PIPE, text=True, env=without_token()
    ) as process:
        assert process.stderr is not None
        said = [process.stderr.readline(), process.stderr.readline()]
        process.kill()

    assert [line for line in said if not line.endswith(": trying again\n")] == []


def without_token() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name != "BUILDATLAS_TOKEN"}
