"""The page of the command line, told by the parser that reads it."""

import re
from collections.abc import Iterator
from typing import Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from buildatlas.cli import app
from reference.markdown import code, heading, page, paragraph, plain, sentence, table

_INTRODUCTION: Final = (
    "`buildatlas COMMAND --help` tells the same. `--database` names what a command works on; those that ask take `--url` "
    "to ask a server instead, with the token in `BUILDATLAS_TOKEN`. `--json` gives the answer to programs."
)
_EXITS: Final = (
    ("0", "done"),
    ("1", "the answer is no: unsolvable, cycles found, a stale lock, a run that failed"),
    ("2", "wrong use: what was asked is refused, and would be again"),
    ("3", "failed: the database, the server or a file cannot be used"),
)
# Of a default that is told in words, which the parser puts in brackets.
_DEFAULT: Final = re.compile(r"(?<=default: )\((.*?)\)")


def the_commands() -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    """Yield each command under its full name, those within a group behind it."""
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    return _within(root, "")


def undocumented() -> Iterator[str]:
    """Yield commands, arguments and options without help."""
    for name, command in the_commands():
        if not command.help:
            yield name
        for parameter in _parameters(command):
            if not parameter.help:
                yield f"{name} {parameter.name}"


def commands_page() -> str:
    """Return the page."""
    sections = (line for name, command in the_commands() for line in _section(name, command))
    exits = table(["exit code", "why"], _EXITS)
    return page("Command line", paragraph(_INTRODUCTION), exits, sections)


def _within(group: TyperGroup, before: str) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    for name, command in group.commands.items():
        assert isinstance(command, TyperCommand | TyperGroup)
        yield before + name, command
        if isinstance(command, TyperGroup):
            yield from _within(command, f"{before}{name} ")


def _section(name: str, command: TyperCommand | TyperGroup) -> Iterator[str]:
    context = typer.Context(command, info_name=f"buildatlas {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    yield from heading(2 + name.count(" "), name, name.replace(" ", "-"))
    yield from ["```text", f"buildatlas {name} {usage}", "```", ""]
    yield from paragraph(plain(command.help or ""))
    rows = [_row(parameter, context) for parameter in _parameters(command)]
    if rows:
        yield from table(["argument or option", "what"], rows)


def _parameters(command: TyperCommand | TyperGroup) -> list[TyperArgument | TyperOption]:
    return [
        each for each in command.params if isinstance(each, TyperArgument | TyperOption) and not each.hidden
    ]


def _row(parameter: TyperArgument | TyperOption, context: typer.Context) -> list[str]:
    record = parameter.get_help_record(context)
    assert record is not None
    name, text = record
    told = parameter.help or ""
    # What the parser adds: the default, what is allowed, whether it is required.
    added = _DEFAULT.sub(r"\1", text.removeprefix(told).strip(" []"))
    return [code(name), plain(f"{told} {sentence(added)}" if added else told)]
