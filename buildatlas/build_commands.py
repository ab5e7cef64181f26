"""The commands about runs and builds that are there: looking at them, canceling them, trying again."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from buildatlas import build_documents, build_rendering
from buildatlas.asking import ask, connected
from buildatlas.client import Client
from buildatlas.errors import WrongUse
from buildatlas.options import DatabaseOption, JsonOption, UrlOption
from buildatlas.terminal import print_answer, print_json, reader_may_leave
from storage.transitions import BuildConclusion, BuildStatus

FirstOption = Annotated[int, typer.Option(help="List at most this many.", min=1, max=1000)]
RunOption = Annotated[str | None, typer.Option(metavar="ID", help="Only what belongs to this run.")]


def runs(
    *,
    first: FirstOption = 20,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first, with how many builds of each stand how."""
    answer = ask(build_documents.RUNS, {"first": first}, database=database, url=url)["runs"]
    print_answer(answer, as_json=as_json, show=build_rendering.runs)


def builds(
    build: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="Show all that is known of this build, instead of a list."),
    ] = None,
    *,
    run: RunOption = None,
    package: Annotated[str | None, typer.Option(help="Only builds of this package.")] = None,
    status: Annotated[
        list[BuildStatus] | None, typer.Option(help="Only builds in this state; may be repeated.")
    ] = None,
    conclusion: Annotated[
        list[BuildConclusion] | None, typer.Option(help="Only builds that ended so; may be repeated.")
    ] = None,
    worker: Annotated[
        str | None, typer.Option(help="Only builds that this worker holds, or held last.")
    ] = None,
    first: FirstOption = 50,
    why: Annotated[bool, typer.Option("--why", help="Also say why each is not running.")] = False,
    log: Annotated[
        bool, typer.Option("--log", help="Print what the build of this ID has printed, and nothing else.")
    ] = False,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List builds, newest first, or show one."""
    chosen = _filter(run=run, package=package, status=status, conclusion=conclusion, worker=worker)
    if build is None:
        if log:
            raise WrongUse("--log prints the log of one build: name its ID")
        variables = {"filter": chosen, "first": first, "why": why}
        answer = ask(build_documents.BUILDS, variables, database=database, url=url)["builds"]
        print_answer(answer, as_json=as_json, show=build_rendering.builds)
        return
    if chosen:
        raise WrongUse("one build is shown whatever it is: leave out its ID, or what to filter by")
    with connected(database=database, url=url) as client:
        if log:
            _print_log(client, build, as_json=as_json)
        else:
            found = _there(client.ask(build_documents.BUILD, {"id": build})["build"], build)
            print_answer(found, as_json=as_json, show=build_rendering.build)


def cancel(
    id: Annotated[str, typer.Argument(metavar="ID", help="Of a run, or of a build.")],
    *,
    reason: Annotated[str | None, typer.Option(help="Why, as history is to tell it.")] = None,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Call off a run or a build. What a worker holds ends within its lease."""
    asked = {"input": {"id": id, "reason": reason}}
    with connected(database=database, url=url) as client:
        match client.ask(build_documents.KIND, {"id": id})["node"]:
            case {"__typename": "BuildRun"}:
                answer = client.ask(build_documents.CANCEL_RUN, asked)["cancelRun"]["run"]
                show = build_rendering.run
            case {"__typename": "Build"}:
                answer = client.ask(build_documents.CANCEL_BUILD, asked)["cancelBuild"]["build"]
                show = build_rendering.build_line
            case _:
                raise WrongUse(f"there is no run or build {id}")
    print_answer(answer, as_json=as_json, show=show)


def retry(
    id: Annotated[str, typer.Argument(metavar="ID", help="Of a build that ended badly.")],
    *,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a build again, and with it what could not be built because of it."""
    answer = ask(build_documents.RETRY_BUILD, {"input": {"id": id}}, database=database, url=url)
    print_answer(answer["retryBuild"]["build"], as_json=as_json, show=build_rendering.build_line)


def blockers(
    *,
    run: RunOption = None,
    first: FirstOption = 20,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what to mend first: the root causes of what is not built, by how much each holds up."""
    variables = {"run": run, "first": first}
    answer = ask(build_documents.BLOCKERS, variables, database=database, url=url)["blockers"]
    print_answer(answer, as_json=as_json, show=build_rendering.blockers)


def _filter(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value}


def _print_log(client: Client, id: str, *, as_json: bool) -> None:
    lines = _log(client, id)
    if as_json:
        print_json(list(lines))
        return
    with reader_may_leave():
        for line in lines:
            sys.stdout.write(f"{line['text']}\n")


def _log(client: Client, id: str) -> Iterator[dict[str, Any]]:
    """Yield all lines, a page after the other."""
    after, is_more = None, True
    while is_more:
        found = client.ask(build_documents.LOG, {"id": id, "after": after})["build"]
        page = _there(found, id)["log"]
        yield from page["nodes"]
        after, is_more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]


def _there(build: dict[str, Any] | None, id: str) -> dict[str, Any]:
    if build is None:
        raise WrongUse(f"there is no build {id}")
    return build
