"""The reference as a whole: its pages, and what they have nothing to tell of."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from graphql import OperationType
from graphql.utilities import build_schema

from reference import commands, error_codes, metrics, settings
from reference.graphql_types import enumerations_page, inputs_page, objects_page, scalars_page
from reference.operations import operations_page, overview_page
from reference.types import ROOTS
from reference.types import undocumented as undocumented_types
from schema.root import printed_schema


def pages() -> Mapping[str, str]:
    """Return the text of each page, by its path."""
    schema = build_schema(printed_schema())
    return {
        "graphql/index.md": overview_page(),
        **{f"graphql/{ROOTS[kind.name.title()]}": operations_page(schema, kind) for kind in OperationType},
        "graphql/objects.md": objects_page(schema),
        "graphql/inputs.md": inputs_page(schema),
        "graphql/enumerations.md": enumerations_page(schema),
        "graphql/scalars.md": scalars_page(schema),
        "commands.md": commands.commands_page(),
        "settings.md": settings.settings_page(),
        "errors.md": error_codes.error_codes_page(schema),
        "metrics.md": metrics.metrics_page(),
    }


def undocumented() -> Iterator[str]:
    """Yield all that can be asked, given or read and of which nothing is told."""
    yield from undocumented_types(build_schema(printed_schema()))
    yield from commands.undocumented()
    yield from settings.undocumented()
    yield from error_codes.undocumented()
    yield from metrics.undocumented()


def write(folder: Path) -> None:
    """Write all pages below `folder`, which is made where it is not there."""
    for path, text in pages().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
