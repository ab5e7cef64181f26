"""The locks of what comes from npm."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = ["tests/clients", "dashboard"]


def locked(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / folder / "package-lock.json").read_text())["packages"]
    return found


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_lock_has_digests_and_no_addresses(folder: str) -> None:
    packages = {name: each for name, each in locked(folder).items() if name}

    assert "://" not in (ROOT / folder / "package-lock.json").read_text()
    assert packages
    # What is packed into another comes with its digest.
    assert [
        name for name, each in packages.items() if "integrity" not in each and not each.get("inBundle")
    ] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_package_that_is_asked_for_has_one_version(folder: str) -> None:
    asked = json.loads((ROOT / folder / "package.json").read_text())
    wanted = asked["dependencies"] | asked.get("devDependencies", {})

    assert {name: locked(folder)[f"node_modules/{name}"]["version"] for name in wanted} == wanted
