"""A catalogue for pages to show, published over HTTP."""

from collections.abc import Mapping

from tests.dashboard.asking import ask

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
    ask(address, _PUBLISH, input={"versions": versions, "atomic": True})


def describe(address: str, package: str, description: str) -> None:
    """Register a package, and say what it is."""
    ask(address, _DESCRIBE, input={"name": package, "description": description})


def start_run(address: str, package: str) -> None:
    """Start a run that builds the latest version of a package."""
    ask(address, _START, input={"plan": {"packages": [package]}})
