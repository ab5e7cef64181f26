"""The reference tells of everything that can be asked, given, set or read."""

import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from graphql import GraphQLField, GraphQLInt, GraphQLObjectType, build_schema
from starlette.routing import Route, WebSocketRoute

from buildatlas.server import create_app
from buildatlas.settings import Settings, variable
from reference import commands, error_codes, metrics, settings
from reference.markdown import plain
from reference.pages import pages, undocumented
from reference.types import told
from reference.types import undocumented as undocumented_types
from resolvers.measurements import MEASUREMENTS
from schema.enums import ErrorCode
from schema.root import printed_schema
from tests.docs.site import REPOSITORY

HTTP: Final = (REPOSITORY / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
WORKER: Final = (REPOSITORY / "docs" / "reference" / "worker.md").read_text(encoding="utf-8")


def _fields(root: str) -> list[str]:
    """Return how the headings of a root's fields begin."""
    found = build_schema(printed_schema()).type_map[root]
    assert isinstance(found, GraphQLObjectType)
    return [f"## `{name}`" for name in found.fields]


@cache
def _pages() -> Mapping[str, str]:
    return pages()


def test_nothing_is_undocumented() -> None:
    assert list(undocumented()) == []


def test_whatever_has_no_description_in_the_schema_is_found() -> None:
    schema = build_schema(
        """
        type Query { one(a: Int, "told" b: Kind): Int "told" two(input: Given): Int }
        "told" enum Kind { X "told" Y }
        "told" input Given { z: Int }
        """
    )

    assert list(undocumented_types(schema)) == [
        *("Query", "Query.one", "Query.one(a)", "Query.two(input)"),
        "Kind.X",
        "Given.z",
    ]


def test_an_option_without_help_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    ((name, command), *_) = commands.the_commands()
    monkeypatch.setattr(command.params[0], "help", None)
    monkeypatch.setattr(commands, "the_commands", lambda: iter([(name, command)]))

    assert list(commands.undocumented()) == ["serve host"]


def test_a_setting_of_which_nothing_is_told_is_found() -> None:
    source = (
        'class Settings:\n    one: int = 1\n    """`ONE`: told."""\n    two: int = 2\n    three: int = 3\n'
    )

    assert settings.texts_of(source) == {"one": "`ONE`: told."}


def test_every_error_is_told_of_by_its_own_class_and_every_metric_by_its_name() -> None:
    assert list(error_codes.undocumented()) == []
    assert list(metrics.undocumented()) == []


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("graphql/queries.md", _fields("Query")),
        ("graphql/mutations.md", _fields("Mutation")),
        ("graphql/subscriptions.md", _fields("Subscription")),
        ("commands.md", [f"buildatlas {name} " for name, _ in commands.the_commands()]),
        ("settings.md", [variable(name) for name in Settings.__dataclass_fields__]),
        ("errors.md", [code.name for code in ErrorCode]),
        ("metrics.md", list(MEASUREMENTS)),
    ],
)
def test_a_page_of_the_reference_has_all_of_its_names(page: str, names: list[str]) -> None:
    text = _pages()[page]

    assert names
    assert [name for name in names if name not in text] == []


def test_an_input_is_told_of_with_its_types_its_defaults_and_what_it_is() -> None:
    page = _pages()["graphql/inputs.md"]

    assert (
        "| `includeDependents` | [`Boolean`](scalars.md#Boolean)! | `false` | "
        "Also everything that depends on them, directly or not. |"
    ) in page
    assert "| `kinds` | \\[[`DependencyKind`](enumerations.md#DependencyKind)!\\]! | `[RUNTIME" in page


def test_an_operation_is_told_of_with_the_scope_that_it_needs() -> None:
    section = _pages()["graphql/mutations.md"].partition("## `deletePackage`")[2].partition("## ")[0]

    assert "STILL\\_REQUIRED when others require it." in section
    assert "Needs the [scope](../http.md#access) `admin`." in section


def test_what_is_deprecated_is_told_to_be_with_the_reason() -> None:
    field = GraphQLField(GraphQLInt, description="How many.", deprecation_reason="Use `total`.")

    assert told(field) == "How many. **Deprecated**: Use `total`."


def test_a_text_reads_as_it_stands_but_for_its_code() -> None:
    assert plain("a *b* <c>\n  of `x|*` | [d]") == r"a \*b\* \<c\> of `x|*` \| \[d\]"


def test_the_pages_are_written_below_the_folder_that_is_named(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "reference", tmp_path / "new"], cwd=REPOSITORY, check=True)

    written = {
        path.relative_to(tmp_path / "new").as_posix(): path.read_text(encoding="utf-8")
        for path in (tmp_path / "new").rglob("*.md")
    }
    assert written == _pages()


def test_every_variable_that_a_worker_sets_or_withholds_is_told_of() -> None:
    sources = (REPOSITORY / "buildatlas" / "worker").glob("*.py")
    variables = {name for path in sources for name in re.findall(r'"(BUILDATLAS_\w+)"', path.read_text())}

    assert len(variables) > 10
    assert [name for name in variables if f"`{name}`" not in WORKER] == []


def test_every_endpoint_is_told_of(tmp_path: Path) -> None:
    app = create_app(Settings(str(tmp_path / "x.db")))
    paths = {route.path for route in app.routes if isinstance(route, Route | WebSocketRoute)}

    assert paths == {"/graphql", "/graphql/stream", "/session", "/healthz", "/readyz", "/metrics"}
    assert [path for path in paths if f"## `{path}`" not in HTTP] == []
