"""Options that several commands take, with their help."""

from typing import Annotated, Final

import typer

from buildatlas.choices import DependencyKind, GraphScope

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="A file, or a sqlite:/// or postgresql:// URL. Default: BUILDATLAS_DATABASE_URL, else a file in your data "
        "directory.",
        show_default=False,
    ),
]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Ask the server at this address: of a large catalogue far quicker than reading the database each time.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
_KIND_HELP: Final = f"Follow dependencies of this kind: {', '.join(DependencyKind)}; may be repeated."
KindsOption = Annotated[
    list[DependencyKind] | None,
    typer.Option("--kind", metavar="KIND", help=_KIND_HELP, show_default="all"),
]
SolvedKindsOption = Annotated[
    list[DependencyKind] | None,
    typer.Option("--kind", metavar="KIND", help=_KIND_HELP, show_default="RUNTIME"),
]
PlannedKindsOption = Annotated[
    list[DependencyKind] | None,
    typer.Option("--kind", metavar="KIND", help=_KIND_HELP, show_default="RUNTIME and BUILD"),
]
OptionalOption = Annotated[bool, typer.Option("--optional", help="Also follow optional dependencies.")]
ScopeOption = Annotated[
    GraphScope, typer.Option("--scope", help="The dependencies of each latest version, or of all versions.")
]
PackagesArgument = Annotated[
    list[str] | None,
    typer.Argument(help="What to build, and nothing besides; every active package when left out."),
]
DependentsOption = Annotated[bool, typer.Option("--dependents", help="Also everything that depends on them.")]
RequireOption = Annotated[
    list[str] | None, typer.Option(help="Solve this requirement first and plan its pins; may be repeated.")
]
