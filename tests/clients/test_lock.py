"""The lock of what comes from npm."""

import json
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent


def test_the_lock_has_digests_and_no_addresses() -> None:
    text = (HERE / "package-lock.json").read_text()
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}

    assert "://" not in text
    assert packages
    assert [name for name, each in packages.items() if "integrity" not in each] == []


def test_every_client_has_one_version() -> None:
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]
    locked = json.loads((HERE / "package-lock.json").read_text())["packages"]

    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
