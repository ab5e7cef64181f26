"""The command line.

Exit codes: 0 done, 1 the answer is no, 2 wrong use, 3 failed.
"""

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from buildatlas import documents, rendering
from buildatlas.alert_commands import app as alerts
from buildatlas.asking import ask, database_url, open_database
from buildatlas.build_commands import blockers, builds, cancel, retry, runs
from buildatlas.choices import DependencyKind, GraphScope, OnError
from buildatlas.client import Refused, Unreachable, told
from buildatlas.error_commands import errors
from buildatlas.errors import CannotBuild, CannotServe, PortTaken, UnwritableFile, WrongUse
from buildatlas.exits import Exit
from buildatlas.files import UnreadableFile
from buildatlas.metric_commands import metrics
from buildatlas.observability import configure_logging
from buildatlas.options import (
    DatabaseOption,
    DependentsOption,
    JsonOption,
    KindsOption,
    OptionalOption,
    PackagesArgument,
    PlannedKindsOption,
    RequireOption,
    ScopeOption,
    UrlOption,
)
from buildatlas.release import version
from buildatlas.resolving import resolve
from buildatlas.running import plan_input, print_solved, run
from buildatlas.settings import SettingsError, settings
from buildatlas.terminal import print_answer, print_json, reader_may_leave
from buildatlas.token_commands import app as tokens
from buildatlas.top import top
from buildatlas.watching import watch
from buildatlas.wording import counted
from buildatlas.working import worker
from graph.errors import GraphError
from resolvers.errors import Refusal
from storage.errors import StorageError

# Each command loads what it needs when it is run: all of it takes over a second, which --help and --url are spared.

# What the API refuses because of what it was asked; anything else is not the caller's fault.
_CALLERS_FAULTS: Final = frozenset(
    {
        "BAD_USER_INPUT",
        "INVALID_VERSION",
        "INVALID_CONSTRAINT",
        "NOT_FOUND",
        "CONFLICT",
        "ILLEGAL_TRANSITION",
        "LIMIT_EXCEEDED",
        "UNAUTHENTICATED",
        "FORBIDDEN",
    }
)

app = typer.Typer(
    name="buildatlas",
    help="Every package an organisation builds, what each version needs, and how its builds stand.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line, and turn what goes wrong into a sentence and an exit code."""
    try:
        app(standalone_mode=True)
    except Refused as error:
        _fail(told(error, os.environ), Exit.WRONG_USE if error.code in _CALLERS_FAULTS else Exit.FAILED)
    except (WrongUse, SettingsError, GraphError, Refusal) as error:
        _fail(error, Exit.WRONG_USE)
    except (StorageError, UnreadableFile, UnwritableFile, Unreachable) as error:
        _fail(error, Exit.FAILED)
    except (PortTaken, CannotServe, CannotBuild) as error:
        _fail(error, Exit.FAILED)


def _fail(error: Exception | str, code: int) -> None:
    Console(stderr=True).print(
        f"[bold red]error[/bold red]: {escape(str(error))}", highlight=False, soft_wrap=True
    )
    sys.exit(code)


@app.callback(invoke_without_command=True)
def _common(
    *, show_version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False
) -> None:
    if show_version:
        typer.echo(version())
        raise typer.Exit


@app.command(rich_help_panel="Service")
def serve(
    *,
    host: Annotated[
        str | None, typer.Option(help="The address to answer on.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[int | None, typer.Option(help="The port to answer on.", show_default="8000")] = None,
    anonymous_read: Annotated[
        bool | None,
        typer.Option(
            "--anonymous-read/--no-anonymous-read",
            help="Whether those may read who show no token, once there are any.",
            show_default="no",
        ),
    ] = None,
    trusted_documents: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A JSON file whose values are the only documents that are executed without a token.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="How many processes answer at the address; SIGHUP restarts them.", show_default="1"
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Serve the API and its page."""
    from buildatlas.serving import serve as run_server

    _settle()
    defaults = settings(os.environ)
    chosen = replace(
        defaults,
        host=defaults.host if host is None else host,
        port=defaults.port if port is None else port,
        anonymous_read=defaults.anonymous_read if anonymous_read is None else anonymous_read,
        trusted_documents=trusted_documents or defaults.trusted_documents,
        workers=defaults.workers if workers is None else workers,
        database_url=defaults.database_url if database is None else database,
    )
    configure_logging(sys.stderr, level=chosen.log_level)
    console = Console(stderr=True)

    def announce(address: str, location: str) -> None:
        console.print(
            f"Buildatlas {version()} serves [bold]{address}[/bold] from {escape(location)}",
            highlight=False,
            soft_wrap=True,
        )

    run_server(chosen, announce=announce)


@app.command("import", rich_help_panel="Catalogue")
def import_(
    files: Annotated[
        list[str], typer.Argument(help="Catalogue JSON Lines: plain, .gz, .zst, or - for standard input.")
    ],
    *,
    on_error: Annotated[
        OnError, typer.Option(help="At a bad line: stop and write nothing of its file, or skip the line.")
    ] = OnError.STOP,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add packages and versions from catalogue files. Each file is written whole or not at all."""
    from buildatlas import transfers
    from resolvers import transfer
    from resolvers.measuring import SILENT, Measurer

    _settle()
    with open_database(database, create=True) as opened:
        reports = transfers.import_files(
            opened,
            files,
            on_error=transfer.OnError(on_error),
            console=Console(stderr=True),
            measurer=Measurer() if settings(os.environ).measuring else SILENT,
        )
        if as_json:
            print_json([report.as_json() for report in reports])
        else:
            for report in reports:
                report.show(Console(), Console(stderr=True))
    if any(report.is_refused for report in reports):
        raise typer.Exit(Exit.FAILED)


@app.command(rich_help_panel="Catalogue")
def export(
    output: Annotated[
        Path | None, typer.Argument(help="The file to write; standard output when left out, or for -.")
    ] = None,
    *,
    database: DatabaseOption = None,
) -> None:
    """Write the whole catalogue as JSON Lines, as import reads it."""
    from buildatlas import transfers

    if output == Path("-"):
        output = None
    with open_database(database, create=False) as opened, reader_may_leave():
        lines = transfers.export_file(opened, output)
    if output is not None:
        Console(stderr=True).print(f"{output}: {counted(lines, 'line')}", markup=False, highlight=False)


app.command(rich_help_panel="Catalogue")(resolve)
app.command(rich_help_panel="Builds")(run)
app.command(rich_help_panel="Builds")(watch)
app.command(rich_help_panel="Builds")(worker)
app.command(rich_help_panel="Builds")(runs)
app.command(rich_help_panel="Builds")(builds)
app.command(rich_help_panel="Builds")(blockers)
app.command(rich_help_panel="Service")(errors)
app.command(rich_help_panel="Builds")(cancel)
app.command(rich_help_panel="Builds")(retry)
app.command(rich_help_panel="Service")(metrics)
app.command(rich_help_panel="Service")(top)
app.add_typer(alerts, rich_help_panel="Service")
app.add_typer(tokens, rich_help_panel="Service")


@app.command(rich_help_panel="Catalogue")
def plan(
    packages: PackagesArgument = None,
    *,
    dependents: DependentsOption = False,
    require: RequireOption = None,
    kind: PlannedKindsOption = None,
    optional: OptionalOption = False,
    scope: ScopeOption = GraphScope.LATEST,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the order to build in: waves, cycles, and the critical path."""
    wanted = plan_input(packages, require, kind, dependents=dependents, optional=optional, scope=scope)
    answer = ask(documents.PLAN, {"input": wanted}, database=database, url=url)["buildPlan"]
    print_solved(answer, as_json=as_json, show=rendering.plan)


@app.command(rich_help_panel="Catalogue")
def cycles(
    *,
    first: Annotated[int, typer.Option(help="Show at most this many.", min=1, max=1000)] = 10,
    kind: KindsOption = None,
    optional: OptionalOption = False,
    scope: ScopeOption = GraphScope.LATEST,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find packages that need each other. Exits with 1 when there are any."""
    variables = {**_graph(kind, scope, optional), "first": first}
    answer = ask(documents.CYCLES, variables, database=database, url=url)["cycles"]
    print_answer(answer, as_json=as_json, show=rendering.cycles)
    if answer["totalCount"]:
        raise typer.Exit(Exit.NO)


@app.command(rich_help_panel="Catalogue")
def path(
    start: Annotated[str, typer.Argument(metavar="FROM", help="The package that needs.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="The package that is needed.")],
    *,
    kind: KindsOption = None,
    optional: OptionalOption = False,
    scope: ScopeOption = GraphScope.LATEST,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a shortest chain by which one package needs another. Exits with 1 when there is none."""
    variables = {**_graph(kind, scope, optional), "from": start, "to": end}
    answer = ask(documents.PATH, variables, database=database, url=url)["path"]
    print_answer(answer, as_json=as_json, show=rendering.path_of(start, end))
    if answer is None:
        raise typer.Exit(Exit.NO)


@app.command(rich_help_panel="Catalogue")
def impact(
    packages: Annotated[list[str], typer.Argument(metavar="PACKAGE…", help="What changes.")],
    *,
    first: Annotated[int, typer.Option(help="List at most this many.", min=1, max=10_000)] = 50,
    kind: KindsOption = None,
    optional: OptionalOption = False,
    scope: ScopeOption = GraphScope.LATEST,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a change reaches: everything that depends on these packages, nearest first."""
    variables = {**_graph(kind, scope, optional), "packages": packages, "first": first}
    answer = ask(documents.IMPACT, variables, database=database, url=url)["impact"]
    print_answer(answer, as_json=as_json, show=rendering.impact)


@app.command(rich_help_panel="Database")
def migrate(*, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Bring the database to the newest form, making it when it is not there."""
    with open_database(database, create=True) as opened:
        opened.migrate()
        if as_json:
            print_json({"database": opened.location, "revision": opened.revision})
        else:
            typer.echo(f"{opened.location} is at revision {opened.revision}")


@app.command(rich_help_panel="Database")
def backup(
    file: Annotated[
        Path, typer.Argument(help="The file to write: a database of its own, in one SQLite file.")
    ],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything to one file, verified, while others read and write."""
    from buildatlas import safekeeping

    with open_database(database, create=False) as opened:
        kept = safekeeping.back_up(opened, file, force=force)
    print_answer(kept, as_json=as_json, show=safekeeping.show_backup)


@app.command(rich_help_panel="Database")
def restore(
    file: Annotated[Path, typer.Argument(help="What backup has written.")],
    *,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill a database without rows from a backup: all of it or nothing. The database may be of another kind."""
    from buildatlas import safekeeping

    kept = safekeeping.restore(file, database_url(database))
    print_answer(kept, as_json=as_json, show=safekeeping.show_restore)


@app.command(rich_help_panel="Database")
def doctor(
    *,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended, and look again.")
    ] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for what is wrong with the database, while others use it. Exits with 1 when something is, or is left."""
    from buildatlas import mending

    with open_database(database, create=False) as opened:
        report = mending.examined(opened, repair=repair, console=Console(stderr=True))
    print_answer(report, as_json=as_json, show=mending.show)
    if report["wrong"]:
        raise typer.Exit(Exit.NO)


def _settle() -> None:
    """Take what has been loaded out of the garbage collector's sight.

    It is there for good: looking through its 150,000 objects again and again takes a quarter of the time of an import of a
    large catalogue.
    """
    gc.freeze()


def _graph(kinds: list[DependencyKind] | None, scope: GraphScope, optional: bool) -> dict[str, Any]:
    return {"kinds": kinds or None, "scope": scope, "includeOptional": optional}


if __name__ == "__main__":
    main()
