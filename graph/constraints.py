"""Constraints: unions of PEP 440 specifier sets, with the `^` and `~` of npm and Cargo.

    constraint  = "" | "*" | set { "||" set }
    set         = specifier { "," specifier }
    specifier   = ( "==" | "!=" | "<=" | ">=" | "<" | ">" | "~=" | "===" | "^" | "~" ) version

What one set admits is what `packaging.specifiers.SpecifierSet` admits; the
union and the two sugared operators are ours.
"""

import functools
import itertools
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.version import Version

from graph.errors import InvalidConstraint, InvalidVersion
from graph.ranges import EVERYTHING, NOTHING, Ranges, above, at_least, at_most, below, exactly, series, union
from graph.versions import MAX_VERSION_LENGTH, parse_version

# No declared constraint comes near; without a limit one text could hold a megabyte of specifiers.
MAX_CONSTRAINT_LENGTH: Final = 4096
# Sets are intersected one by one, so that the work grows with the square of their number.
MAX_SPECIFIERS: Final = 100

# What is longer than this is rare, and a cache that is full of it would be large.
_LONGEST_KEPT: Final = 256

_OPERATOR: Final = re.compile(r"===|==|!=|<=|>=|~=|<|>|\^|~")
_OPERATORS_IN_WORDS: Final = "one of == != >= <= > < ~= === ^ ~ before a version"


@dataclass(frozen=True, slots=True)
class Alternative:
    """One specifier set of a union."""

    ranges: Ranges
    texts: frozenset[str] = frozenset()
    """Case-folded operands of `===`; not empty: only a version published under each of these texts will do."""
    is_exact: bool = False
    """Whether it pins one version by `==` or `===`."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """The versions of a package that would do. Equal when declared in the same text."""

    text: str
    alternatives: tuple[Alternative, ...] = field(compare=False)
    names_prerelease: bool = field(compare=False)
    """Whether it speaks of a pre-release, other than to exclude it."""

    @property
    def ranges(self) -> Ranges:
        """The union of the alternatives without `===`, which compares texts and so has no place on the line."""
        return functools.reduce(Ranges.__or__, (a.ranges for a in self.alternatives if not a.texts), NOTHING)

    @property
    def compares_texts(self) -> bool:
        """Whether `===` is anywhere in it, which compares published texts and so has no place on the line."""
        return any(alternative.texts for alternative in self.alternatives)

    @property
    def normalised(self) -> str:
        """The same set of versions in one canonical spelling, or the declared text where `===` leaves none."""
        if self.compares_texts:
            return self.text
        return self.ranges.text() or self.text

    def admits(self, key: bytes, text: str) -> bool:
        """Whether the version with this sort key, published under this text, will do."""
        folded = text.casefold()
        return any(key in a.ranges and all(folded == t for t in a.texts) for a in self.alternatives)


def parse_constraint(text: str) -> Constraint:
    """Return the constraint that `text` spells, or raise InvalidConstraint with the position of the first misfit."""
    return _kept(text) if len(text) <= _LONGEST_KEPT else _parse(text)


def is_constraint(text: str) -> bool:
    """Whether `text` spells a constraint."""
    try:
        parse_constraint(text)
    except InvalidConstraint:
        return False
    return True


def both(texts: Iterable[str]) -> str:
    """Return one constraint that holds where all of `texts` do; of very many unions only words for it."""
    said = [text for text in dict.fromkeys(map(str.strip, texts)) if text not in {"", "*"}]
    unions = [[alternative.strip() for alternative in text.split("||")] for text in said]
    if math.prod(map(len, unions)) > MAX_SPECIFIERS:
        return " and ".join(f"({text})" for text in said)
    return " || ".join(",".join(sets) for sets in itertools.product(*unions))


def either(constraints: Collection[tuple[str, ...]]) -> str:
    """Return one constraint that holds where all of any of `constraints` do, as short as it can be said."""
    said = list(dict.fromkeys(map(both, constraints)))
    if not all(said):
        return ""
    ranges = None if len(said) == 1 else ranges_of(constraints)
    return (ranges and ranges.text()) or " || ".join(said)


def ranges_of(constraints: Iterable[tuple[str, ...]]) -> Ranges | None:
    """Return the versions that satisfy all of any of `constraints`; None where `===` compares texts."""
    parsed = [list(map(parse_constraint, texts)) for texts in constraints]
    if any(constraint.compares_texts for each in parsed for constraint in each):
        return None
    meets = (functools.reduce(Ranges.__and__, (one.ranges for one in each), EVERYTHING) for each in parsed)
    return union(meets)


def _parse(text: str) -> Constraint:
    if len(text) > MAX_CONSTRAINT_LENGTH:
        raise InvalidConstraint(text, MAX_CONSTRAINT_LENGTH, f"at most {MAX_CONSTRAINT_LENGTH} characters")
    if text.strip() in {"", "*"}:
        return Constraint(text, (Alternative(EVERYTHING),), names_prerelease=False)
    sets = list(_pieces(text, "||", 0))
    if text.count(",") + len(sets) > MAX_SPECIFIERS:
        raise InvalidConstraint(text, 0, f"at most {MAX_SPECIFIERS} specifiers")
    clauses = [list(_clauses(text, body, start, alone=len(sets) == 1)) for body, start in sets]
    return Constraint(
        text,
        tuple(map(_alternative, clauses)),
        names_prerelease=any(clause.names_prerelease for group in clauses for clause in group),
    )


# The largest catalogue measured declares 6,757 texts.
_kept = functools.lru_cache(maxsize=1 << 16)(_parse)


@dataclass(frozen=True, slots=True)
class _Clause:
    operator: str
    ranges: Ranges
    text: str
    is_exact: bool
    names_prerelease: bool


def _alternative(clauses: list[_Clause]) -> Alternative:
    return Alternative(
        functools.reduce(Ranges.__and__, (clause.ranges for clause in clauses), EVERYTHING),
        frozenset(clause.text.casefold() for clause in clauses if clause.operator == "==="),
        is_exact=any(clause.is_exact for clause in clauses),
    )


def _pieces(text: str, separator: str, offset: int) -> Iterator[tuple[str, int]]:
    """Split as str.split does, with the position of each piece."""
    for piece in text.split(separator):
        yield piece, offset
        offset += len(piece) + len(separator)


def _clauses(text: str, body: str, offset: int, *, alone: bool) -> Iterator[_Clause]:
    found = False
    for piece, start in _pieces(body, ",", offset):
        if piece.strip():
            found = True
            yield _clause(text, piece.strip(), start + len(piece) - len(piece.lstrip()))
    # `packaging` takes ">=1," and even "," alone. Beside "||", nothing at all is more likely a slip than "everything".
    if not found and not alone:
        raise InvalidConstraint(text, offset, _OPERATORS_IN_WORDS)


def _clause(text: str, clause: str, start: int) -> _Clause:
    match = _OPERATOR.match(clause)
    if match is None:
        raise InvalidConstraint(text, start, _lacking(clause))
    operator = match[0]
    operand = clause[match.end() :].strip()
    position = start + len(clause) - len(operand)
    if operator == "===":
        _check_accepted(text, clause, position, "a version without spaces, ; or )")
        return _Clause(operator, EVERYTHING, operand, is_exact=True, names_prerelease=_is_prerelease(operand))
    return _range_clause(text, operator, operand, position)


def _lacking(clause: str) -> str:
    """Return what is expected before `clause`: whoever gives a version alone means that one, or what is compatible with it."""
    version = clause.removeprefix("v")
    meant = [f"{operator}{version}" for operator in ("==", "^") if version[:1].isdigit()]
    would_do = " or ".join(filter(is_constraint, meant))
    return f"an operator before the version, as in {would_do}" if would_do else _OPERATORS_IN_WORDS


def _range_clause(text: str, operator: str, operand: str, position: int) -> _Clause:
    is_series = operator in {"==", "!="} and operand.endswith(".*")
    version = _operand_version(text, operand.removesuffix(".*") if is_series else operand, position)
    canonical = {"^": ">=", "~": ">="}.get(operator, operator) + operand
    _check_accepted(text, canonical, position + len(operand), _LIMITS_OF.get(operator, _NO_LOCAL))
    ranges = series(version) if is_series else _RANGES[operator](version)
    return _Clause(
        operator,
        ~ranges if operator == "!=" else ranges,
        operand,
        is_exact=operator == "==" and not is_series,
        names_prerelease=version.is_prerelease and operator != "!=" and not is_series,
    )


_NO_LOCAL: Final = "a version without a local part (+…) or .*, which only == and != take"
_LIMITS_OF: Final[Mapping[str, str]] = {
    "~=": "at least two numbers, as in ~=1.4, and no local part",
    "==": "a final release before .*, as in ==1.4.*",
    "!=": "a final release before .*, as in !=1.4.*",
}


def _operand_version(text: str, operand: str, position: int) -> Version:
    try:
        return parse_version(operand)
    except InvalidVersion as error:
        expected = error.expected if operand else "a version"
        raise InvalidConstraint(text, position + error.position, expected) from None


def _check_accepted(text: str, clause: str, position: int, expected: str) -> None:
    """`packaging` has the last word on what a specifier may look like."""
    try:
        Specifier(clause)
    except InvalidSpecifier:
        raise InvalidConstraint(text, position, expected) from None


def _is_prerelease(text: str) -> bool:
    try:
        return len(text) <= MAX_VERSION_LENGTH and parse_version(text).is_prerelease
    except InvalidVersion:
        return False


def _compatible(version: Version) -> Ranges:
    """`~=1.4.2`: at least that, within 1.4"""
    return at_least(version) & series(version.__replace__(release=version.release[:-1]))


def _caret(version: Version) -> Ranges:
    """`^1.2.3`: up to the next change of the first number that is not zero"""
    leading = next(
        (i for i, number in enumerate(version.release[:3]) if number), min(len(version.release), 3) - 1
    )
    return at_least(version) & below(_next_release(version, leading))


def _tilde(version: Version) -> Ranges:
    """`~1.2.3`: up to the next second number; `~1`: up to the next first"""
    return at_least(version) & below(_next_release(version, min(len(version.release), 2) - 1))


def _next_release(version: Version, index: int) -> Version:
    release = version.release
    return Version.from_parts(epoch=version.epoch, release=(*release[:index], release[index] + 1))


_RANGES: Final[Mapping[str, Callable[[Version], Ranges]]] = {
    "==": exactly,
    "!=": exactly,
    ">=": at_least,
    "<=": at_most,
    ">": above,
    "<": below,
    "~=": _compatible,
    "^": _caret,
    "~": _tilde,
}
