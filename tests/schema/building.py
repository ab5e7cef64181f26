"""Runs and builds, as clients and workers bring them about."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.schema.world import World

START: Final = """mutation Start($input: StartRunInput!) { startRun(input: $input) {
    created cursor run { id status total } conflict { message } } }"""
CLAIM: Final = """mutation Claim($input: ClaimBuildsInput!) { claimBuilds(input: $input) {
    claims { lease build { id status attempt worker packageVersion { package { name } } } } } }"""
REPORT: Final = """mutation Report($input: ReportBuildInput!) { reportBuild(input: $input) {
    cursor build { id status conclusion message attempt notBefore outputDigest } } }"""
LOG: Final = """mutation Log($input: AppendLogInput!) { appendLog(input: $input) { cursor build { id } } }"""
CANCEL: Final = """mutation Cancel($input: CancelBuildInput!) { cancelBuild(input: $input) {
    cursor build { status conclusion reason } } }"""
BUILDS: Final = """{ builds { nodes { id status conclusion packageVersion { package { name } } } } }"""

Shown = Mapping[str, Any]


def start(world: World, *packages: str, **fields: object) -> Shown:
    """Start a run of these packages and return the run."""
    content = {"plan": {"packages": list(packages), "kinds": ["RUNTIME"]}, **fields}
    run: Shown = world.ask(START, input=content)["startRun"]["run"]
    return run


def claim(world: World, **fields: object) -> Sequence[Shown]:
    """Have a worker claim builds, and return the claims."""
    claims: Sequence[Shown] = world.ask(CLAIM, input={"worker": "w", **fields})["claimBuilds"]["claims"]
    return claims


def held(claimed: Shown) -> Mapping[str, str]:
    """Return what a worker says which build it holds by."""
    return {"build": claimed["build"]["id"], "lease": claimed["lease"]}


def report(world: World, claimed: Shown, status: str = "COMPLETED", **fields: object) -> Shown:
    """Have a worker report a build that it has claimed, and return the build."""
    build: Shown = world.ask(REPORT, input={**held(claimed), "status": status, **fields})["reportBuild"][
        "build"
    ]
    return build


def build_next(world: World, conclusion: str = "SUCCESS", **fields: object) -> Shown:
    """Have the next build claimed and done, and return it."""
    (claimed,) = claim(world)
    report(world, claimed, "RUNNING")
    return report(world, claimed, "COMPLETED", conclusion=conclusion, **fields)


def ids(world: World) -> Mapping[str, str]:
    """Return the newest build of each package."""
    nodes = world.ask(BUILDS)["builds"]["nodes"]
    return {each["packageVersion"]["package"]["name"]: each["id"] for each in reversed(nodes)}


def states(world: World) -> Mapping[str, str]:
    """Return how the newest build of each package stands."""
    nodes = world.ask(BUILDS)["builds"]["nodes"]
    return {
        each["packageVersion"]["package"]["name"]: each["conclusion"] or each["status"]
        for each in reversed(nodes)
    }
