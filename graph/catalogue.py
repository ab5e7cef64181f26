"""What the solver needs to know of a registry, and the form it keeps it in."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from graph.admitted import Admission
from graph.constraints import Constraint
from graph.dependencies import Kind
from graph.ranges import Ranges

# More constraints than are declared on any one package; whoever makes up new ones must not fill the memory.
MOST_MASKS = 4096


class Status(StrEnum):
    """The states of a package or version that decide whether the solver may pick it."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PUBLISHED = "PUBLISHED"
    DEPRECATED = "DEPRECATED"
    ARCHIVED = "ARCHIVED"
    YANKED = "YANKED"
    QUARANTINED = "QUARANTINED"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One registered version. `id` is the catalogue's own: unique in it, and never interpreted."""

    id: int
    text: str
    key: bytes
    is_prerelease: bool
    status: Status
    released_at: datetime | None


@dataclass(slots=True)
class Candidates:
    """All versions of one package, ascending.

    A set of them is an int used as a bitmask: bit i + 1 is `versions[i]`, and bit 0
    stands for "not selected at all". Masks of constraints are kept, since the same
    few texts are asked for over and over.
    """

    package: str
    status: Status
    versions: tuple[Candidate, ...]
    everything: int = field(init=False)
    """The mask of all versions, without bit 0."""
    prereleases: int = field(init=False, default=0)
    plain_admissions: dict[bool, Admission] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    """What `admission` says of it where a question says nothing particular, by whether the oldest are preferred."""
    _with_status: dict[Status, int] = field(init=False, repr=False, default_factory=dict)
    _keys: list[bytes] = field(init=False, repr=False)
    _masks: dict[str, tuple[int, int]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.everything = (1 << len(self.versions) + 1) - 2
        self._keys = [candidate.key for candidate in self.versions]
        for index, candidate in enumerate(self.versions):
            if candidate.is_prerelease:
                self.prereleases |= 1 << index + 1
            if candidate.status is not Status.PUBLISHED:
                self._with_status[candidate.status] = self.with_status(candidate.status) | 1 << index + 1

    @property
    def is_delicate(self) -> bool:
        """Whether what others declare about this package decides which of its versions may be picked."""
        return bool(self.prereleases or self.with_status(Status.YANKED))

    def with_status(self, status: Status) -> int:
        """Return the versions in this state, which must not be PUBLISHED: that is the rule, these the exceptions."""
        return self._with_status.get(status, 0)

    def with_key(self, key: bytes) -> int:
        """Return the version that has this sort key, or an empty mask."""
        index = bisect_left(self._keys, key)
        return 1 << index + 1 if index < len(self._keys) and self._keys[index] == key else 0

    def released_after(self, moment: datetime) -> int:
        """Return the versions known to be later than `moment`; undated ones are not."""
        return sum(
            1 << index + 1
            for index, candidate in enumerate(self.versions)
            if candidate.released_at is not None and candidate.released_at > moment
        )

    def within(self, ranges: Ranges) -> int:
        """Return the versions in `ranges`."""
        mask = 0
        for low, high in ranges.intervals():
            first = bisect_left(self._keys, low)
            end = len(self._keys) if high is None else bisect_left(self._keys, high)
            mask |= (1 << end + 1) - (1 << first + 1)
        return mask

    def mask(self, constraint: Constraint) -> int:
        """Return the versions that satisfy `constraint`, whatever their status."""
        known = self._masks.get(constraint.text)
        return known[0] if known is not None else self._both_masks(constraint)[0]

    def exact_mask(self, constraint: Constraint) -> int:
        """Return the versions that `constraint` pins by `==` or `===`."""
        return self._both_masks(constraint)[1]

    def _both_masks(self, constraint: Constraint) -> tuple[int, int]:
        # By the text, whose hash is kept: this is asked of every dependency that the solver meets.
        masks = self._masks.get(constraint.text)
        if masks is None:
            if len(self._masks) >= MOST_MASKS:
                self._masks.clear()
            masks = self._masks[constraint.text] = self._evaluate(constraint)
        return masks

    def _evaluate(self, constraint: Constraint) -> tuple[int, int]:
        admitted = exact = 0
        for alternative in constraint.alternatives:
            mask = self.within(alternative.ranges)
            if alternative.texts:
                mask &= self._published_as(alternative.texts)
            admitted |= mask
            if alternative.is_exact:
                exact |= mask
        return admitted, exact

    def _published_as(self, texts: frozenset[str]) -> int:
        """`===` compares the published text; a version cannot be spelled two ways at once."""
        if len(texts) > 1:
            return 0
        return sum(
            1 << index + 1
            for index, candidate in enumerate(self.versions)
            if candidate.text.casefold() in texts
        )


@dataclass(frozen=True, slots=True)
class Declaration:
    """A dependency as one version declares it."""

    package: str
    constraint: Constraint
    kinds: Kind
    optional: bool


def declaration_order(declaration: Declaration) -> tuple[str, str]:
    """Sort by the package required, then by the constraint: nothing may depend on the order of declaration."""
    return declaration.package, declaration.constraint.text


@dataclass(frozen=True, slots=True)
class Mention:
    """A constraint that some version of the catalogue declares on a package, and the earliest release that does."""

    constraint: Constraint
    kinds: Kind
    optional: bool
    since: datetime | None
    """None when an undated version declares it."""


class Catalogue(Protocol):
    """A registry, asked lazily and in batches: each call may cost a round trip, so ask for much at once."""

    def candidates(self, packages: Collection[str]) -> Mapping[str, Candidates]:
        """Return every version of each package; a package that is not registered is left out."""
        ...

    def dependencies(self, versions: Sequence[Candidate]) -> Sequence[Sequence[Declaration]]:
        """Return what each of `versions` declares, in the same order; each sorted by `declaration_order`."""
        ...

    def close_names(self, package: str) -> Sequence[str]:
        """Return registered names that are spelled like `package`, likeliest first. Asked only to explain."""
        ...

    def mentions(self, packages: Collection[str]) -> Mapping[str, Sequence[Mention]]:
        """Return what versions that can be picked declare about each package, without repeats.

        Decides about pre-releases and yanked versions, and is asked only for packages that have such.
        """
        ...
