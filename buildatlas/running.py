"""The command `run`: starting a run, seeing what it would be, and waiting for its end."""

import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from buildatlas import build_documents, build_rendering, rendering
from buildatlas.asking import ask, connected
from buildatlas.choices import BuildTrigger, DependencyKind, GraphScope
from buildatlas.client import Client, Refused, Unreachable
from buildatlas.errors import WrongUse
from buildatlas.exits import Exit
from buildatlas.labels import parse_labels
from buildatlas.options import (
    DatabaseOption,
    DependentsOption,
    JsonOption,
    OptionalOption,
    PackagesArgument,
    PlannedKindsOption,
    RequireOption,
    ScopeOption,
    UrlOption,
)
from buildatlas.rendering import Data
from buildatlas.requirements import parse_requirement
from buildatlas.terminal import print_answer, print_json, reader_may_leave
from buildatlas.worker.api import is_passing

TriggerOption = Annotated[
    BuildTrigger,
    typer.Option(metavar="TRIGGER", help=f"Why the packages are built: {', '.join(BuildTrigger)}."),
]
PriorityOption = Annotated[
    int,
    typer.Option(help="Builds of a run with a higher one are claimed first.", min=-1_000_000, max=1_000_000),
]
MaxAttemptsOption = Annotated[
    int, typer.Option(help="How often to try before an INFRA_ERROR is left to stand.", min=1, max=100)
]
TimeoutOption = Annotated[int, typer.Option(metavar="SECONDS", help="How long each try may run.", min=1)]
LabelOption = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Attach this to the run; may be repeated.")
]
WorkerLabelOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Only workers that offer this build it; may be repeated."),
]
KeyOption = Annotated[
    str | None, typer.Option(help="Any text of your own: a repeat with the same key gives the first run.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show what the run would be, and start nothing.")
]
WaitOption = Annotated[
    bool, typer.Option("--wait", help="Wait for its end. Exits with 1 unless that is SUCCESS.")
]

# How often a run that is waited for is looked at.
_PAUSE: Final = 1.0

# A server that is started again is back long before it has not answered so many times in a row.
_MOST_FAILURES: Final = 300


def run(
    packages: PackagesArgument = None,
    *,
    dependents: DependentsOption = False,
    require: RequireOption = None,
    kind: PlannedKindsOption = None,
    optional: OptionalOption = False,
    scope: ScopeOption = GraphScope.LATEST,
    trigger: TriggerOption = BuildTrigger.MANUAL,
    priority: PriorityOption = 0,
    max_attempts: MaxAttemptsOption = 3,
    timeout: TimeoutOption = 3600,
    label: LabelOption = None,
    worker_label: WorkerLabelOption = None,
    key: KeyOption = None,
    dry_run: DryRunOption = False,
    wait: WaitOption = False,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a run, which builds packages in the order that they need each other in. Workers do the building."""
    if dry_run and wait:
        raise WrongUse("--dry-run starts nothing that --wait could wait for")
    wanted = {
        "plan": plan_input(packages, require, kind, dependents=dependents, optional=optional, scope=scope),
        "trigger": trigger,
        "priority": priority,
        "maxAttempts": max_attempts,
        "timeoutSeconds": timeout,
        "labels": parse_labels(label or ()),
        "workerLabels": parse_labels(worker_label or ()),
        "idempotencyKey": key,
    }
    if dry_run:
        found = ask(build_documents.PREVIEW_RUN, {"input": wanted}, database=database, url=url)["previewRun"]
        print_solved(found, as_json=as_json, show=build_rendering.preview)
        return
    with connected(database=database, url=url) as client:
        answer = client.ask(build_documents.START_RUN, {"input": wanted})["startRun"]
        if answer["conflict"] is not None:
            _end_with(answer["conflict"], as_json=as_json)
        if not wait:
            print_answer(answer, as_json=as_json, show=build_rendering.started)
            return
        ended = _attended(client, answer, as_json=as_json)
    if ended["conclusion"] != "SUCCESS":
        raise typer.Exit(Exit.NO)


def plan_input(
    packages: Sequence[str] | None,
    require: Sequence[str] | None,
    kinds: Sequence[DependencyKind] | None,
    *,
    dependents: bool,
    optional: bool,
    scope: GraphScope,
) -> dict[str, Any]:
    """Return a BuildPlanInput. Raises InvalidName or InvalidConstraint."""
    wanted: dict[str, Any] = {
        "packages": packages or [],
        "includeDependents": dependents,
        "kinds": kinds or [DependencyKind.RUNTIME, DependencyKind.BUILD],
        "includeOptional": optional,
        "scope": scope,
    }
    if require:
        wanted["resolve"] = {"requirements": [parse_requirement(text) for text in require]}
    return wanted


def print_solved(answer: Data, *, as_json: bool, show: rendering.Show) -> None:
    """Print what was solved, or why it could not be, which ends the command."""
    if answer["__typename"] == "ResolutionConflict":
        _end_with(answer, as_json=as_json)
    print_answer(answer, as_json=as_json, show=show)


def _end_with(conflict: Data, *, as_json: bool) -> NoReturn:
    print_answer(conflict, as_json=as_json, show=rendering.conflict)
    raise typer.Exit(Exit.NO)


def awaited(
    client: Client,
    run: Data,
    *,
    tell: Callable[[Data], object],
    complain: Callable[[Exception], object],
    pause: Callable[[float], object] = time.sleep,
) -> Data:
    """Return a run as it is once it has ended. `tell` gets it before, whenever the counts of its builds have changed.

    A server that does not answer is complained of once, and may come back. Raises what clients raise.
    """
    failures = 0
    while run["status"] != "COMPLETED":
        pause(_PAUSE)
        try:
            seen = _now(client, run["id"])
        except (Refused, Unreachable) as error:
            failures += 1
            if not is_passing(error) or failures == _MOST_FAILURES:
                raise
            if failures == 1:
                complain(error)
            continue
        failures = 0
        if seen["counts"] != run["counts"] and seen["status"] != "COMPLETED":
            tell(seen)
        run = seen
    return run


def _now(client: Client, id: str) -> Data:
    run: Data | None = client.ask(build_documents.RUN, {"id": id})["run"]
    if run is None:
        raise WrongUse(f"there is no run {id} any more")
    return run


def _attended(client: Client, answer: dict[str, Any], *, as_json: bool) -> Data:
    """Print a run from its start to its end, or as JSON only its end, and return that."""
    console, errors = Console(quiet=as_json), Console(stderr=True)

    def complain(error: Exception) -> None:
        errors.print(f"[yellow]{escape(str(error))}[/yellow]", highlight=False, soft_wrap=True)

    with reader_may_leave():
        build_rendering.started(console, answer)
        ended = awaited(
            client,
            answer["run"],
            tell=lambda run: build_rendering.progress(console, run),
            complain=complain,
        )
        if as_json:
            print_json({**answer, "run": {**answer["run"], **ended}})
        elif ended is not answer["run"]:
            build_rendering.run(console, ended)
    return ended
