"""The command `resolve`: an answer, what changes in it, and the lock that keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from buildatlas import documents, explaining, locks, rendering
from buildatlas.asking import ask
from buildatlas.choices import PrereleasePolicy, Strategy
from buildatlas.errors import WrongUse
from buildatlas.exits import Exit
from buildatlas.holds import Hold, holds
from buildatlas.keeping import keeping
from buildatlas.locks import Lock
from buildatlas.options import DatabaseOption, JsonOption, OptionalOption, SolvedKindsOption, UrlOption
from buildatlas.questions import Options, Question
from buildatlas.rendering import Data
from buildatlas.supposing import Supposed, supposed
from buildatlas.terminal import print_answer

RequirementsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="REQUIREMENT",
        help="Such as 'Flux>=0.14' or DataFrames. Without any, the question is that of the --lock or --diff file, "
        "and no option may ask otherwise.",
        show_default=False,
    ),
]
ConstraintOption = Annotated[
    list[str] | None, typer.Option(help="Restrict a package without requiring it; may be repeated.")
]
OverrideOption = Annotated[
    list[str] | None,
    typer.Option(help="Replace every declared constraint on a package; may be repeated."),
]
StrategyOption = Annotated[
    Strategy | None,
    typer.Option(help="Which of several versions that would do.", show_default=Strategy.HIGHEST.value),
]
PrereleasesOption = Annotated[
    PrereleasePolicy | None,
    typer.Option(help="When a pre-release may be picked.", show_default=PrereleasePolicy.IF_NECESSARY.value),
]
AsOfOption = Annotated[datetime | None, typer.Option(help="Ignore versions released later (UTC).")]
ExplainOption = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Also list the pins that are held back from the latest version and by whom, or the steps of the proof "
        "that there is no answer.",
    ),
]
LockOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Keep the pins in this file where they still satisfy, and write the answer to it. With --simulate-…, "
        "it is only read.",
    ),
]
LockedOption = Annotated[
    bool, typer.Option("--locked", help="Exit with 1 instead of writing the --lock file when it is stale.")
]
UpgradeOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PACKAGE", help="Do not keep this package's pin in the --lock file; may be repeated."
    ),
]
DiffOption = Annotated[
    Path | None,
    typer.Option(
        metavar="LOCK", help="Compare the pins with those in this lock. Exits with 1 when any differs."
    ),
]
PublishOption = Annotated[
    list[str] | None,
    typer.Option(
        "--simulate-publish",
        metavar="VERSION",
        help="Suppose this version published, and show what changes; nothing is written. May be repeated. "
        "'lib 2.0', 'lib 2.0 needs zlib>=1; tool ^2', or @FILE for the versions in catalogue JSON Lines.",
    ),
]
YankOption = Annotated[
    list[str] | None,
    typer.Option(
        "--simulate-yank",
        metavar="VERSION",
        help="Suppose this version yanked, such as 'lib 2.0', also one supposed to be published. May be repeated.",
    ),
]


def resolve(
    requirements: RequirementsArgument = None,
    *,
    kind: SolvedKindsOption = None,
    optional: OptionalOption = False,
    constraint: ConstraintOption = None,
    override: OverrideOption = None,
    strategy: StrategyOption = None,
    prereleases: PrereleasesOption = None,
    as_of: AsOfOption = None,
    explain: ExplainOption = False,
    lock: LockOption = None,
    locked: LockedOption = False,
    upgrade: UpgradeOption = None,
    diff: DiffOption = None,
    simulate_publish: PublishOption = None,
    simulate_yank: YankOption = None,
    database: DatabaseOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pick one version of everything needed, or explain why none can be picked. Exits with 1 then."""
    supposing = supposed(simulate_publish or (), simulate_yank or ())
    kept = keeping(
        lock, upgrade=upgrade or (), is_checked=locked, is_read_only=bool(simulate_publish or simulate_yank)
    )
    other = locks.read(diff) if diff else None
    options = Options(
        tuple(kind or ()),
        optional,
        tuple(constraint or ()),
        tuple(override or ()),
        strategy,
        prereleases,
        as_of,
    )
    asked = _question(requirements or (), options, kept.lock or other)
    document, variables = _operation(asked.as_input(kept.pins), supposing, explain=explain)
    answer = _Answer.of(ask(document, variables, database=database, url=url))
    told = _Told(
        answer,
        held=holds(answer.data, asked, kept.pins, supposing.yank) if explain and answer.is_solved else None,
        is_explained=explain,
        compared=locks.compared(other.pins, locks.pins_of(answer.data))
        if other and answer.is_solved
        else None,
        compared_with=diff,
    )
    settled = kept.settle(asked, answer.data) if answer.is_solved else kept.left()
    print_answer(told.as_json(), as_json=as_json, show=lambda console, _: told.show(console))
    settled.show(Console(stderr=True))
    if not answer.is_solved or told.is_different or settled.is_stale:
        raise typer.Exit(Exit.NO)


def _operation(wanted: Data, supposing: Supposed, *, explain: bool) -> tuple[str, dict[str, Any]]:
    """Return the document that asks for this, with its variables."""
    if not supposing:
        return documents.RESOLVE, {"input": wanted, "explain": explain}
    suppositions = {"resolve": wanted, "publish": supposing.publish, "yank": supposing.yank}
    return documents.SIMULATE, {"input": suppositions, "explain": explain}


def _question(requirements: Sequence[str], options: Options, kept: Lock | None) -> Question:
    """Return what is asked here, or else what a lock was the answer to."""
    if requirements:
        return options.question(requirements)
    if kept is None:
        raise WrongUse("nothing is required: name a REQUIREMENT, or a lock that has a question in it")
    if options != Options():
        raise WrongUse("the question is that of the lock: to ask otherwise, name the requirements as well")
    return kept.question


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the API answers."""

    data: Data
    simulation: Data | None
    """What it is the second answer of."""

    @classmethod
    def of(cls, found: Data) -> "_Answer":
        simulation = found.get("simulate")
        return cls(simulation["after"] if simulation else found["resolve"], simulation)

    @property
    def is_solved(self) -> bool:
        """Whether there are pins."""
        return bool(self.data["__typename"] == "Resolution")


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer, with what is found out about it here. What is None was not asked for, or there are no pins."""

    answer: _Answer
    held: Sequence[Hold] | None
    is_explained: bool
    compared: Data | None
    compared_with: Path | None

    @property
    def is_different(self) -> bool:
        """Whether the pins are others than in the lock that they are compared with."""
        return self.compared is not None and any(self.compared.values())

    def as_json(self) -> dict[str, Any]:
        """Return the answer as the API gives it, with the rest beside it."""
        told = dict(self.answer.simulation or self.answer.data)
        if self.held is not None:
            told["heldBack"] = explaining.as_json(self.held)
        if self.compared is not None:
            told["lockDiff"] = self.compared
        return told

    def show(self, console: Console) -> None:
        """Print it."""
        show = rendering.resolution if self.answer.is_solved else rendering.conflict
        show(console, self.answer.data)
        if self.held is not None:
            explaining.holds(console, self.held)
        elif self.is_explained:
            explaining.derivation(console, self.answer.data)
        if self.answer.simulation is not None:
            explaining.simulation(console, self.answer.simulation)
        if self.compared is not None:
            explaining.changes(console, f"compared with {self.compared_with}", self.compared)
