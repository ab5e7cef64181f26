"""What the solver is asked and what it answers, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto

import msgspec

from graph.dependencies import Kind


class _Upper(StrEnum):
    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[str]) -> str:
        del start, count, last_values
        return name


class Strategy(_Upper):
    """Which of several versions that would do is preferred."""

    HIGHEST = auto()
    LOWEST = auto()
    LOWEST_DIRECT = auto()
    """The oldest of what is required directly, the newest of everything else."""


class PrereleasePolicy(_Upper):
    """When a version such as 2.0rc1 may be picked."""

    IF_NECESSARY = auto()
    """When no final version is visible, or when something names a pre-release of that package."""
    ALLOW = auto()
    DISALLOW = auto()


@dataclass(frozen=True, slots=True)
class Requirement:
    """A package and the versions of it that would do; an empty constraint is satisfied by each."""

    package: str
    constraint: str = ""

    def __str__(self) -> str:
        return f"{self.package} {self.constraint}".rstrip()


@dataclass(frozen=True, slots=True)
class Question:
    """Everything an answer depends on besides the catalogue.

    The order within each sequence never matters.
    """

    requirements: Sequence[Requirement]
    kinds: Kind = Kind.RUNTIME
    include_optional: bool = False
    constraints: Sequence[Requirement] = ()
    overrides: Sequence[Requirement] = ()
    locked: Sequence[tuple[str, str]] = ()
    strategy: Strategy = Strategy.HIGHEST
    prereleases: PrereleasePolicy = PrereleasePolicy.IF_NECESSARY
    as_of: datetime | None = None


class Pin(msgspec.Struct, frozen=True, gc=False):
    """The version picked of one package, in the text it was published under."""

    package: str
    version: str
    direct: bool


class ResolutionEdge(msgspec.Struct, frozen=True, gc=False):
    """Who required what; `dependent` is None for the question itself."""

    dependent: str | None
    dependency: str
    constraint: str
    kinds: Kind = Kind.RUNTIME
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Statistics:
    """How much work an answer took."""

    decisions: int
    conflicts: int
    packages_considered: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """One version of everything needed, so that all constraints hold. Pins are in order of name."""

    pins: tuple[Pin, ...]
    edges: tuple[ResolutionEdge, ...]
    fingerprint: str
    statistics: Statistics


class DerivationKind(_Upper):
    """What a step of an explanation rests on: a declared fact, or earlier steps."""

    ROOT_REQUIREMENT = auto()
    DEPENDENCY = auto()
    NO_VERSIONS = auto()
    UNKNOWN_PACKAGE = auto()
    CONSTRAINT = auto()
    DERIVED = auto()


@dataclass(frozen=True, slots=True)
class DerivationStep:
    """One fact or conclusion; `causes` are indices of earlier steps."""

    index: int
    kind: DerivationKind
    text: str
    causes: tuple[int, ...] = ()
    package: str | None = None
    versions: str | None = None
    dependency: str | None = None
    constraint: str | None = None


class Source(_Upper):
    """In which part of a question something is asked."""

    REQUIREMENT = auto()
    CONSTRAINT = auto()
    OVERRIDE = auto()


@dataclass(frozen=True, slots=True)
class Asked:
    """One entry of a question."""

    source: Source
    requirement: Requirement


class RelaxationKind(_Upper):
    """What a relaxation does to a question."""

    WIDEN = auto()
    DROP = auto()
    ALLOW_PRERELEASES = auto()
    LATER_AS_OF = auto()


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One change to a question that was tried and found to solve it."""

    kind: RelaxationKind
    description: str
    asked: Asked | None = None
    """The entry that is widened or dropped."""
    constraint: str | None = None
    """What it is widened to."""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Proof that nothing satisfies the question. The last step concludes it."""

    message: str
    steps: tuple[DerivationStep, ...] = field(repr=False)
    core: tuple[Asked, ...]
    """Entries of the question that cannot hold together."""
    core_is_minimal: bool
    """Whether none of them can be left out, as was tried for each; there may not have been time for that."""
    relaxations: tuple[Relaxation, ...]
    """The best first."""
    statistics: Statistics
