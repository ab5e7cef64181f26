"""Standard output, for whoever reads it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import orjson
import typer
from rich.console import Console

from buildatlas.rendering import Show

# What a shell reports of a program that SIGPIPE has ended.
_READER_LEFT: Final = 141


def print_answer(answer: Any, *, as_json: bool, show: Show) -> None:
    """Print an answer as JSON, or as `show` does."""
    with reader_may_leave():
        if as_json:
            print_json(answer)
        else:
            show(Console(), answer)


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """End as any Unix tool does when whoever reads has read enough: an exit code must not be taken for an answer."""
    try:
        yield
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as error:
        # Rich turns a broken pipe into an exit of its own. Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(_READER_LEFT) from error


def print_json(value: Any) -> None:
    """Print a value for programs to read."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())
