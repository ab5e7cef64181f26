"""A catalogue to fuzz, and what a client can know of it: names, ids, cursors and leases."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.clients.catalogue import Api

_VERSIONS: Final = ("1.0", "1.1", "2.0rc1", "2.0")
_WORKER: Final = "fuzzed"

_PUBLISH: Final = "mutation($input: PublishVersionsInput!) { publishVersions(input: $input) { failed } }"
_START: Final = "mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }"
_REPORT: Final = "mutation($input: ReportBuildInput!) { reportBuild(input: $input) { cursor } }"
_LOG: Final = "mutation($input: AppendLogInput!) { appendLog(input: $input) { cursor } }"
_STATUS: Final = "mutation($input: SetVersionStatusInput!) { setVersionStatus(input: $input) { cursor } }"
_CLAIM: Final = """mutation($input: ClaimBuildsInput!) { claimBuilds(input: $input) {
    claims { lease build { id } } } }"""
_IDS: Final = """query($name: String!) { package(name: $name) { id versions { nodes {
    id dependencies { id } } } builds { nodes { id run { id } } } } }"""
_CURSORS: Final = """query($name: String!, $build: ID!) {
    server { cursor }
    packages(first: 3) { edges { cursor } }
    updated: packages(first: 3, orderBy: { field: UPDATED_AT, direction: DESC }) { edges { cursor } }
    builds(first: 3) { edges { cursor } }
    runs(first: 3) { edges { cursor } }
    stateTransitions(first: 3) { edges { cursor } }
    package(name: $name) { versions { edges { cursor } } dependents { edges { cursor } } }
    build(id: $build) { log { nodes { sequence } } dependencies { edges { cursor } } } }"""


@dataclass(frozen=True, slots=True)
class Known:
    """What some of the catalogue can be named by."""

    names: Sequence[str]
    ids: Sequence[str]
    cursors: Sequence[str]
    leases: Sequence[str]
    held: Sequence[str]
    """Ids of the builds that those leases are of; some have ended."""
    versions: Sequence[str] = _VERSIONS
    workers: Sequence[str] = (_WORKER,)


def grow(api: Api, prefix: str) -> Known:
    """Add packages of this prefix and a run of them to a catalogue, some built, some held and some waiting.

    A package needs a library twice removed, one that cannot be had, and there is a cycle. Nothing needs the last.
    """
    names = [f"{prefix}-{each}" for each in ("zlib", "lib", "app", "loop", "pool", "free")]
    zlib, lib, app, loop, pool, free = names
    _publish(api, zlib, {})
    _publish(api, lib, {zlib: ">=1", f"{prefix}-absent": "==9"})
    _publish(api, app, {lib: ">=1.0,<2", zlib: ""})
    _publish(api, loop, {pool: ">=1"})
    _publish(api, pool, {loop: ""})
    _publish(api, free, {zlib: ""}, status="DRAFT")
    api.ask(_STATUS, input={"package": zlib, "version": "1.1", "status": "YANKED"})
    plan = {"packages": [zlib, app, loop, pool], "kinds": ["RUNTIME"]}
    api.ask(_START, input={"plan": plan, "labels": [{"key": "of", "value": prefix}]})
    claims = [*_claim(api), *_claim(api)]
    for line in range(3):
        api.ask(_LOG, input={**claims[0], "firstLine": line, "lines": [f"line {line}"]})
    api.ask(_REPORT, input={**claims[0], "status": "COMPLETED", "conclusion": "SUCCESS"})
    api.ask(_REPORT, input={**claims[1], "status": "COMPLETED", "conclusion": "FAILURE"})
    claims += [*_claim(api), *_claim(api)]
    found = [api.ask(_IDS, name=each) for each in names]
    builds = [claim["build"] for claim in claims]
    cursors = api.ask(_CURSORS, name=lib, build=builds[0])
    return Known(
        names=[*names, f"{prefix}-absent"],
        ids=sorted(set(_texts(found, "id"))),
        cursors=["0", *sorted(set(_texts(cursors, "cursor", "sequence")))],
        leases=[claim["lease"] for claim in claims],
        held=builds,
    )


def _publish(api: Api, package: str, needs: Mapping[str, str], *, status: str = "PUBLISHED") -> None:
    """Publish all versions of a package, each with these dependencies."""
    dependencies = [{"package": name, "constraint": constraint} for name, constraint in needs.items()]
    versions = [
        {"package": package, "version": each, "dependencies": dependencies, "status": status}
        for each in _VERSIONS
    ]
    assert api.ask(_PUBLISH, input={"versions": versions})["publishVersions"]["failed"] == 0


def _claim(api: Api) -> Sequence[Mapping[str, str]]:
    """Have a worker claim a build, and return what it holds that by."""
    asked = {"worker": _WORKER, "limit": 1, "leaseSeconds": 3600}
    claims = api.ask(_CLAIM, input=asked)["claimBuilds"]["claims"]
    return [{"build": each["build"]["id"], "lease": each["lease"]} for each in claims]


def _texts(tree: Any, *names: str) -> Iterator[str]:
    """Yield what the fields of these names hold, however deep."""
    if isinstance(tree, list):
        for each in tree:
            yield from _texts(each, *names)
    elif isinstance(tree, dict):
        for name, value in tree.items():
            if name in names and isinstance(value, str):
                yield value
            else:
                yield from _texts(value, *names)
