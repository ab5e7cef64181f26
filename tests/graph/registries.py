"""Registries as plain lists of releases, to be drawn at random, changed and built.

The shapes are chosen for what they do to a solver: about half of what is asked
of them has no answer, and many answers are found only by taking choices back.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from graph.catalogue import Declaration, Status
from graph.constraints import parse_constraint
from graph.dependencies import ALL_KINDS, Kind
from graph.resolution import PrereleasePolicy, Question, Requirement, Strategy
from tests.graph.strategies import questions, universes
from tests.graph.universe import Universe

_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_DAYS = 1000


@dataclass(frozen=True, slots=True)
class Need:
    """A dependency as one release declares it."""

    package: str
    constraint: str = ""
    kinds: Kind = Kind.RUNTIME
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Release:
    """One version of a package, as it is published."""

    package: str
    version: str
    needs: tuple[Need, ...] = ()
    status: Status = Status.PUBLISHED
    released_at: datetime | None = None


class Registry:
    """Everything that a catalogue holds, in an order that must not matter.

    No dataclass, because Hypothesis prints those in full, and refuses where that is very much.
    """

    def __init__(
        self, releases: Sequence[Release], statuses: Sequence[tuple[str, Status]], *, seed: int | None = None
    ) -> None:
        self.releases = releases
        self.statuses = statuses
        """Of packages, whether they have releases or not."""
        self._seed = seed

    def __repr__(self) -> str:
        if self._seed is not None:
            return f"random_case({self._seed})[0]"
        return f"Registry({self.releases!r}, {self.statuses!r})"

    def built(self) -> Universe:
        """Return it in the form that the solver asks."""
        index = Universe()
        for name, status in self.statuses:
            index.add_package(name, status)
        for release in self.releases:
            index.add(
                release.package,
                release.version,
                [_declaration(need) for need in release.needs],
                status=release.status,
                released_at=release.released_at,
            )
        return index

    def shuffled(self, order: random.Random) -> "Registry":
        """Return the same with everything written down in another order."""
        releases = [
            replace(release, needs=tuple(order.sample(release.needs, len(release.needs))))
            for release in order.sample(self.releases, len(self.releases))
        ]
        return Registry(tuple(releases), tuple(order.sample(self.statuses, len(self.statuses))))


def _declaration(need: Need) -> Declaration:
    return Declaration(need.package, parse_constraint(need.constraint), need.kinds, need.optional)


def registry_of(index: Universe) -> Registry:
    """Return what `index` was built from."""
    releases = [
        Release(
            name,
            version.text,
            tuple(
                Need(d.package, d.constraint.text, d.kinds, d.optional) for d in index.declared_by(version)
            ),
            version.status,
            version.released_at,
        )
        for name in index.names()
        for version in index.versions_of(name)
    ]
    return Registry(tuple(releases), tuple((name, index.status_of(name)) for name in index.names()))


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a registry is, and how tight."""

    packages: int
    versions: int
    needs: int
    slack: float
    """The share of a package's versions that a constraint on it lets in."""
    oddities: float
    """How often something is not a published, final version or a plain RUNTIME dependency."""


def random_shape(rng: random.Random) -> Shape:
    """Draw a shape between a handful of packages and forty."""
    return Shape(
        packages=rng.randint(4, 40),
        versions=rng.randint(3, 8),
        needs=rng.randint(1, 4),
        slack=rng.uniform(0.25, 0.7),
        oddities=rng.choice([0.0, 0.03, 0.1]),
    )


def random_case(seed: int) -> tuple[Registry, Question]:
    """Return the registry and the question of this number."""
    rng = random.Random(seed)
    drawn = random_registry(rng, random_shape(rng))
    return Registry(drawn.releases, drawn.statuses, seed=seed), random_question(rng, drawn)


def random_registry(rng: random.Random, shape: Shape) -> Registry:
    """Draw a registry; a third of them ask for versions that match in age, as grown ones do."""
    names = [f"p{number:02}" for number in range(shape.packages)]
    drift = rng.random() < 0.3
    counts = {name: rng.randint(max(1, shape.versions // 2), shape.versions) for name in names}
    releases = []
    for name in names:
        usual = rng.sample(names, min(len(names), shape.needs + 1))
        for number in range(1, counts[name] + 1):
            age = number / counts[name] if drift else rng.random()
            wanted = rng.sample(usual, rng.randint(min(1, shape.needs - 1), min(shape.needs, len(usual))))
            needs = [_need(rng, shape, other, counts[other], age) for other in wanted]
            releases.append(_release(rng, shape, name, number, needs))
    statuses = [(name, _package_status(rng, shape)) for name in names]
    return Registry(tuple(releases), tuple(statuses))


def _release(
    rng: random.Random, shape: Shape, name: str, number: int, needs: Iterable[Need | None]
) -> Release:
    status = Status.PUBLISHED
    if rng.random() < shape.oddities:
        status = rng.choice(
            [Status.YANKED, Status.YANKED, Status.DEPRECATED, Status.DEPRECATED, Status.DRAFT]
        )
    is_prerelease = rng.random() < shape.oddities
    dated = rng.random() < 0.8
    return Release(
        name,
        f"{number}{'rc1' if is_prerelease else ''}",
        tuple(need for need in needs if need is not None),
        status,
        _EPOCH + timedelta(days=rng.randrange(_DAYS)) if dated else None,
    )


def _package_status(rng: random.Random, shape: Shape) -> Status:
    if rng.random() < shape.oddities / 2:
        return rng.choice([Status.DEPRECATED, Status.ARCHIVED, Status.QUARANTINED])
    return Status.ACTIVE


def _need(rng: random.Random, shape: Shape, other: str, count: int, age: float) -> Need:
    if rng.random() < shape.oddities / 5:
        return Need(f"ghost-{other}")
    is_odd = rng.random() < shape.oddities
    kinds = rng.choice([Kind.PEER, Kind.BUILD, Kind.PEER | Kind.RUNTIME]) if is_odd else Kind.RUNTIME
    return Need(other, _constraint(rng, shape, count, age), kinds, optional=rng.random() < shape.oddities / 2)


def _constraint(rng: random.Random, shape: Shape, count: int, age: float) -> str:
    """Draw a constraint on a package of `count` versions that lets in those about as far along as `age`."""
    if rng.random() < 0.1:
        return ""
    width = max(1, round(shape.slack * count))
    low = max(1, min(count - width + 1, round(age * count - width / 2 + 0.5)))
    high = low + width - 1
    style = rng.randrange(12)
    if style == 0:
        return f"=={rng.randint(low, high)}"
    if style == 1:
        return f"=={low} || >={high}"
    if style == 2:
        return f"!={rng.randint(low, high)}"
    if style == 3 and rng.random() < shape.oddities:
        return rng.choice([f">={low}rc1", f"==={low}", f"=={low}rc1 || =={high}.*"])
    return f">={low}" if high >= count else f">={low},<{high + 1}" if low > 1 else f"<{high + 1}"


def random_question(rng: random.Random, registry: Registry) -> Question:
    """Draw a question, half the time with nothing but requirements."""
    names = [name for name, _ in registry.statuses]

    def said(most: int) -> tuple[Requirement, ...]:
        return tuple(
            Requirement(rng.choice(names), rng.choice(["", "", ">=2", "<4", "!=3", "==2 || >=4"]))
            for _ in range(rng.randint(0, most))
        )

    question = Question(
        (Requirement(rng.choice(names)), *said(min(4, len(names) // 2))),
        strategy=rng.choice(list(Strategy)),
    )
    if rng.random() < 0.5:
        return question
    return replace(
        question,
        kinds=rng.choice([Kind.RUNTIME, Kind.RUNTIME | Kind.PEER, Kind.RUNTIME | Kind.BUILD, ALL_KINDS]),
        include_optional=rng.random() < 0.5,
        constraints=said(2),
        overrides=said(1),
        locked=_locks(rng, registry),
        prereleases=rng.choice(list(PrereleasePolicy)),
        as_of=_EPOCH + timedelta(days=rng.randrange(_DAYS)) if rng.random() < 0.3 else None,
    )


def _locks(rng: random.Random, registry: Registry) -> Sequence[tuple[str, str]]:
    chosen = rng.sample(registry.releases, min(4, len(registry.releases)))
    return tuple({release.package: (release.package, release.version) for release in chosen}.values())


def cases() -> st.SearchStrategy[tuple[Registry, Question]]:
    """Draw a registry and a question to it: small ones that shrink well, or large ones by their number."""
    small = st.tuples(universes().map(registry_of), questions())
    return st.one_of(small, st.integers(0, 10**9).map(random_case))
