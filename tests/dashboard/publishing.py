"""A catalogue for pages to show, published over HTTP."""

from collections.abc import Mapping

import httpx

_PUBLISH = "mutation($input: PublishVersionsInput!) { publishVersions(input: $input) { published } }"
_DESCRIBE = "mutation($input: RegisterPackageInput!) { registerPackage(input: $input) { cursor } }"
_START = "mutation($input: StartRunInput!) { startRun(input: $input) { cursor } }"


def version(
    package: str, number: str, needs: Mapping[str, str] | None = None, **more: object
) -> dict[str, object]:
    """Return a version to publish, which needs packages, each with a constraint; `more` are further fields."""
    dependencies = [{"package": name, "constraint": each} for name, each in (needs or {}).items()]
    return {"package": package, "version": number, "dependencies": dependencies, **more}


def publish(address: str, *versions: Mapping[str, object]) -> None:
    """Publish these, in one transaction."""
    _post(address, _PUBLISH, {"versions": versions, "atomic": True})


def describe(address: str, package: str, description: str) -> None:
    """Register a package, and say what it is."""
    _post(address, _DESCRIBE, {"name": package, "description": description})


def start_run(address: str, package: str) -> None:
    """Start a run that builds the latest version of a package."""
    _post(address, _START, {"plan": {"packages": [package]}})


def _post(address: str, document: str, given: Mapping[str, object]) -> None:
    answer = httpx.post(
        f"{address}/graphql", json={"query": document, "variables": {"input": given}}, timeout=60
    ).json()
    assert "errors" not in answer, answer
