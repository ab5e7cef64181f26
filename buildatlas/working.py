"""The command `worker`."""

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from buildatlas.errors import WrongUse
from buildatlas.labels import parse_labels

if TYPE_CHECKING:
    from buildatlas.worker.execution import Executor
    from buildatlas.worker.jobs import Job

# How long the server may take for an answer, in seconds. Whatever is asked may be asked again.
_LEAST_PATIENCE: Final = 5.0
_MOST_PATIENCE: Final = 30.0

CommandArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="COMMAND…",
        help="What builds a package version, with its arguments: run without a shell, in an empty folder. It finds the "
        "build in BUILDATLAS_PACKAGE, BUILDATLAS_VERSION and others, and may write what it produced to the file "
        "BUILDATLAS_RESULT. It exits with 0 for SUCCESS, 77 for SKIPPED, 75 for INFRA_ERROR, anything else for FAILURE.",
    ),
]
UrlOption = Annotated[str, typer.Option("--url", help="The server to work for.")]
ConcurrencyOption = Annotated[int, typer.Option(help="How many builds to run at once.", min=1, max=1_000)]
NameOption = Annotated[
    str | None,
    typer.Option(help="What the worker is called; unique.", show_default="host, process and a random part"),
]
LabelOption = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="What the worker offers, such as arch=arm64; may be repeated."),
]
LeaseOption = Annotated[
    int,
    typer.Option(
        metavar="SECONDS", help="For how long a build is the worker's without word of it.", min=1, max=86_400
    ),
]
PollOption = Annotated[
    float, typer.Option(metavar="SECONDS", help="How long to wait when there is nothing to do.", min=0.05)
]
GraceOption = Annotated[
    float,
    typer.Option(metavar="SECONDS", help="How long builds may go on once the worker is told to stop.", min=0),
]
KillAfterOption = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", help="How long after SIGTERM a command that does not end gets SIGKILL.", min=0
    ),
]
ExecutorOption = Annotated[
    str, typer.Option(metavar="[local|dask]", help="Where commands run: here, or on a Dask cluster.")
]
SchedulerOption = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="The scheduler of the Dask cluster.")
]
UntilIdleOption = Annotated[
    bool, typer.Option("--until-idle", help="Stop once nothing is queued or held by anyone.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Do not print a line for each build.")]


def worker(
    command: CommandArgument,
    *,
    url: UrlOption,
    concurrency: ConcurrencyOption = 1,
    name: NameOption = None,
    label: LabelOption = None,
    lease: LeaseOption = 60,
    poll: PollOption = 1.0,
    grace: GraceOption = 30.0,
    kill_after: KillAfterOption = 10.0,
    executor: ExecutorOption = "local",
    scheduler: SchedulerOption = None,
    until_idle: UntilIdleOption = False,
    quiet: QuietOption = False,
) -> None:
    """Build: claim what is queued, run a command for each, and report how it ends. SIGTERM stops it in good order."""
    from buildatlas import client  # noqa: PLC0415
    from buildatlas.worker.agent import Agent, Habits  # noqa: PLC0415
    from buildatlas.worker.api import Api  # noqa: PLC0415
    from buildatlas.worker.jobs import Terms  # noqa: PLC0415

    if executor == "local" and shutil.which(command[0]) is None:
        raise WrongUse(f"{command[0]}: there is no such command")
    terms = Terms(command, url, lease, kill_after)
    habits = Habits(name or _name(), concurrency, parse_labels(label or ()), poll, grace, until_idle)
    console = Console(stderr=True)

    def say(text: str) -> None:
        # Nobody may be there to read it: no reason to build no more.
        with suppress(OSError, SystemExit):
            console.print(text, highlight=False, soft_wrap=True)

    def tell(job: "Job") -> None:
        if not quiet:
            say(_line(job))

    def complain(error: Exception) -> None:
        say(f"[yellow]{escape(str(error))}[/yellow]")

    with (
        client.connect(url, patience=_patience(lease)) as connected,
        _executor(executor, scheduler) as runs_it,
    ):
        api = Api(connected, on_trouble=complain)
        agent = Agent(api, runs_it, terms, habits, on_end=tell, on_trouble=complain)
        say(f"worker {escape(habits.name)} builds for {escape(url)}")
        with _signals(agent.leave):
            agent.run()


def _patience(lease: int) -> float:
    """Return how long to wait for an answer: a server that hangs must not cost the leases, as another may answer."""
    return min(max(lease / 3, _LEAST_PATIENCE), _MOST_PATIENCE)


def _name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(2).hex()}"


def _line(job: "Job") -> str:
    if job.conclusion is None:
        return f"[yellow]LOST[/yellow]         {escape(str(job.held))}"
    color = "green" if job.conclusion in {"SUCCESS", "SKIPPED"} else "red"
    return f"[{color}]{job.conclusion:12}[/{color}] {escape(str(job.held))}  {job.seconds:.1f} s"


@contextmanager
def _executor(kind: str, scheduler: str | None) -> Iterator["Executor"]:
    if kind == "local":
        from buildatlas.worker.local import LocalExecutor  # noqa: PLC0415

        yield LocalExecutor()
        return
    if kind != "dask":
        raise WrongUse(f"--executor {kind}: it is local or dask")
    if scheduler is None:
        raise WrongUse("--executor dask needs the address of the cluster's scheduler: --scheduler ADDRESS")
    try:
        from buildatlas.worker.cluster import connected  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise WrongUse(
            f"--executor dask needs {error.name}, which is not installed: install buildatlas[dask]"
        ) from error
    with connected(scheduler) as cluster:
        yield cluster


@contextmanager
def _signals(leave: Callable[[], None]) -> Iterator[None]:
    """Have the signals that end a program call `leave` instead."""
    before = {number: signal.signal(number, lambda *_: leave()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
