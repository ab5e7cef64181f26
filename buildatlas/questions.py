"""A question to the solver, as the command line takes it and a lock keeps it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from buildatlas.choices import DependencyKind, PrereleasePolicy, Strategy
from buildatlas.requirements import parse_requirement


class Question(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """All that is asked, besides the pins to keep. Requirements are texts, sorted: their order never matters."""

    requirements: tuple[str, ...]
    kinds: tuple[DependencyKind, ...] = (DependencyKind.RUNTIME,)
    include_optional: bool = False
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    strategy: Strategy = Strategy.HIGHEST
    prereleases: PrereleasePolicy = PrereleasePolicy.IF_NECESSARY
    as_of: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    def as_input(self, locked: Mapping[str, str]) -> dict[str, Any]:
        """Return the API's form of it; `locked` is pins to keep."""
        return {
            "requirements": list(map(parse_requirement, self.requirements)),
            "kinds": list(self.kinds),
            "includeOptional": self.include_optional,
            "constraints": list(map(parse_requirement, self.constraints)),
            "overrides": list(map(parse_requirement, self.overrides)),
            "locked": [{"package": package, "version": version} for package, version in locked.items()],
            "strategy": self.strategy,
            "prereleases": self.prereleases,
            "asOf": self.as_of.isoformat() if self.as_of else None,
        }

    def constraints_on(self, package: str) -> list[str]:
        """Return what it says of a package without requiring it."""
        return _said_of(package, self.constraints)

    def overrides_of(self, package: str) -> list[str]:
        """Return what it puts in place of every constraint on a package; empty when it leaves them as declared."""
        return _said_of(package, self.overrides)


@dataclass(frozen=True, slots=True)
class Options:
    """What was said of a question besides its requirements; each None or empty when nothing was."""

    kinds: Sequence[DependencyKind] = ()
    include_optional: bool = False
    constraints: Sequence[str] = ()
    overrides: Sequence[str] = ()
    strategy: Strategy | None = None
    prereleases: PrereleasePolicy | None = None
    as_of: datetime | None = None

    def question(self, requirements: Iterable[str]) -> Question:
        """Return the question that they make. Raises InvalidName or InvalidConstraint."""
        kinds = set(self.kinds or [DependencyKind.RUNTIME])
        return Question(
            requirements=_normal(requirements),
            kinds=tuple(kind for kind in DependencyKind if kind in kinds),
            include_optional=self.include_optional,
            constraints=_normal(self.constraints),
            overrides=_normal(self.overrides),
            strategy=self.strategy or Strategy.HIGHEST,
            prereleases=self.prereleases or PrereleasePolicy.IF_NECESSARY,
            as_of=self.as_of and _in_utc(self.as_of),
        )


def _in_utc(moment: datetime) -> datetime:
    """A moment without a zone is one of UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def differences(old: Question, new: Question) -> Iterator[str]:
    """Say in what two questions differ, a line for each part."""
    for field, name in zip(old.__struct_fields__, old.__struct_encode_fields__, strict=True):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield f"{name}: {_difference(before, after)}"


def _difference(before: object, after: object) -> str:
    if isinstance(before, tuple) and isinstance(after, tuple):
        added = [f"+ {each}" for each in after if each not in before]
        return ", ".join([*added, *(f"- {each}" for each in before if each not in after)])
    return f"{_shown(after)} instead of {_shown(before)}"


def _normal(texts: Iterable[str]) -> tuple[str, ...]:
    requirements = map(parse_requirement, texts)
    return tuple(sorted({f"{each['package']} {each['constraint']}".rstrip() for each in requirements}))


def _said_of(package: str, texts: Iterable[str]) -> list[str]:
    requirements = map(parse_requirement, texts)
    return [each["constraint"] for each in requirements if each["package"] == package]


def _shown(value: object) -> str:
    """As the lock spells it."""
    return msgspec.json.encode(value).decode().strip('"')
