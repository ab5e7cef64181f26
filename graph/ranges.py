"""Sets of versions as points on the line of sort keys, with their algebra and their text.

How it works: `points` are the places, ascending, at which membership changes,
beginning outside. So a set is a list of half-open intervals, the last of which
may have no end; the complement only adds or removes the point below everything;
union and intersection are one sweep over both lists; membership is whether a
bisection lands on an odd place. Bounds such as "after every local version of
1.0" lie between versions and are points like any other.

A point from which no version is reached before the next one would be a second
spelling of the same set, so the constructors use only the lower of such points
(`_just_below`): equal sets have equal points.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import and_, or_

from packaging.version import Version

from graph.versions import Side, after_locals, after_posts, just_after, locate, sort_key

_LOWEST = b""


@dataclass(frozen=True, slots=True)
class Ranges:
    """A set of versions."""

    points: tuple[bytes, ...] = ()

    def __contains__(self, key: bytes) -> bool:
        return bisect_right(self.points, key) % 2 == 1

    def __bool__(self) -> bool:
        return bool(self.points)

    def __or__(self, other: "Ranges") -> "Ranges":
        return self._sweep(other, or_)

    def __and__(self, other: "Ranges") -> "Ranges":
        return self._sweep(other, and_)

    def __invert__(self) -> "Ranges":
        if self.points[:1] == (_LOWEST,):
            return Ranges(self.points[1:])
        return Ranges((_LOWEST, *self.points))

    def __sub__(self, other: "Ranges") -> "Ranges":
        return self & ~other

    def __le__(self, other: "Ranges") -> bool:
        """Whether every version of this set is in `other`."""
        return not self - other

    def intervals(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Yield the first key in and the first key out again of each interval, ascending; None: no end."""
        points = iter(self.points)
        for low in points:
            yield low, next(points, None)

    def _sweep(self, other: "Ranges", combine: Callable[[bool, bool], bool]) -> "Ranges":
        points: list[bytes] = []
        inside = False
        for point in sorted({*self.points, *other.points}):
            if combine(point in self, point in other) is not inside:
                inside = not inside
                points.append(point)
        return Ranges(tuple(points))

    def text(self) -> str | None:
        """Return the constraint of fewest parts that means this set, or None where PEP 440 has no words for it.

        Only sets made by complement can lack one: "1.0 and its post-releases, but not 1.1" has no specifier.
        """
        runs = [_run_text(run) for run in _runs(list(self.intervals()))]
        if not runs:
            return "<0.dev0"
        spelled = [run for run in runs if run is not None]
        return " || ".join(spelled) if len(spelled) == len(runs) else None


NOTHING = Ranges()
EVERYTHING = Ranges((_LOWEST,))


def union(sets: Iterable[Ranges]) -> Ranges:
    """Return what is in any of `sets`, in one sweep over all of them: thousands of versions may declare as many."""
    turns: Counter[bytes] = Counter()
    for each in sets:
        turns.update(each.points[::2])
        turns.subtract(each.points[1::2])
    points = []
    depth = 0
    for point in sorted(turns):
        before, depth = depth, depth + turns[point]
        if (depth > 0) is not (before > 0):
            points.append(point)
    return Ranges(tuple(points))


def at_least(version: Version) -> Ranges:
    """`>=`"""
    return Ranges((_just_below(version),))


def at_most(version: Version) -> Ranges:
    """`<=`: local versions of the bound are in."""
    return Ranges((_LOWEST, after_locals(version)))


def above(version: Version) -> Ranges:
    """`>`: post-releases and local versions of the bound are out, unless it is a post-release itself."""
    if version.dev is None and version.post is None:
        return Ranges((after_posts(version),))
    return Ranges((after_locals(version),))


def below(version: Version) -> Ranges:
    """`<`: pre-releases of the bound are out, unless it is a pre-release itself."""
    bound = version if version.is_prerelease else version.__replace__(dev=0, local=None)
    return NOTHING if (end := _just_below(bound)) == _LOWEST else Ranges((_LOWEST, end))


def exactly(version: Version) -> Ranges:
    """`==`: its local versions are in, unless it names one."""
    end = just_after(sort_key(version)) if version.local else after_locals(version)
    return Ranges((_just_below(version), end))


def series(prefix: Version) -> Ranges:
    """`==prefix.*`: every version whose release begins with that of `prefix`, pre-releases included."""
    release = prefix.release
    start = Version.from_parts(epoch=prefix.epoch, release=release, dev=0)
    end = Version.from_parts(epoch=prefix.epoch, release=(*release[:-1], release[-1] + 1), dev=0)
    return Ranges((_just_below(start), _just_below(end)))


def _just_below(version: Version) -> bytes:
    """Return the lowest point from which `version` is the first one reached."""
    if version.local is None and version.dev is not None:
        if version.dev > 0:
            return after_locals(version.__replace__(dev=version.dev - 1))
        if version.post is not None:
            post = version.post - 1 if version.post else None
            return after_locals(version.__replace__(post=post, dev=None))
        if version.pre is not None and version.pre[1] > 0:
            phase, number = version.pre
            return after_posts(version.__replace__(pre=(phase, number - 1), dev=None))
        if version.epoch == 0 and not any(version.release) and version.pre is None:
            return _LOWEST
    return sort_key(version)


# Text

_Interval = tuple[bytes, bytes | None]


def _runs(intervals: list[_Interval]) -> Iterator[list[_Interval]]:
    """Group neighbours whose gap has a `!=` of its own: `<1 || >1.post…` is said shorter as `!=1`."""
    run: list[_Interval] = []
    for interval in intervals:
        gap_start = run[-1][1] if run else None
        if gap_start is not None and _equality(gap_start, interval[0]) is None:
            yield run
            run = []
        run.append(interval)
    if run:
        yield run


def _run_text(run: list[_Interval]) -> str | None:
    (low, high), (_, end) = run[0], run[-1]
    if (
        len(run) == 1
        and low != _LOWEST
        and high is not None
        and (equality := _equality(low, high)) is not None
    ):
        return f"=={equality}"
    lower, upper = _lower_text(low), _upper_text(end)
    if upper is None:
        return None
    gaps = [f"!={_equality(out, back)}" for (_, out), (back, _) in pairwise(run) if out is not None]
    return ",".join(filter(None, (lower, upper, *gaps))) or "*"


def _equality(low: bytes, high: bytes) -> str | None:
    """Return what follows `==` when the interval is one version or one series."""
    version, side = locate(low)
    if side is Side.AT and exactly(version).points == (low, high):
        return str(version)
    if side is Side.AT and version.dev == 0 and version.pre is None and version.post is None:
        return _series_text(version, low, high)
    return None


def _series_text(start: Version, low: bytes, high: bytes) -> str | None:
    """`==1.*` and `==1.0.*` both start at 1.dev0: the end tells which number is counted on."""
    end, _ = locate(high)
    size = len(end.release)
    prefix = Version.from_parts(epoch=start.epoch, release=(*start.release, *(0,) * size)[:size])
    return f"{prefix}.*" if series(prefix).points == (low, high) else None


# Local versions stand alone: a constraint can name one, but none ends between two of them.


def _lower_text(low: bytes) -> str:
    """Return the specifier that begins at `low`: empty when everything below is in too."""
    if low == _LOWEST:
        return ""
    version, side = locate(low)
    if side is Side.AT:
        return f">={version}"
    if side is Side.AFTER_LOCALS and version.dev is None and version.post is None:
        return f">={version}.post0.dev0"
    return f">{version}"


def _upper_text(high: bytes | None) -> str | None:
    """Return the specifier that ends at `high`: empty when there is no end, None when PEP 440 has none."""
    if high is None:
        return ""
    version, side = locate(high)
    if side is Side.AFTER_LOCALS:
        return f"<={version}"
    if side is Side.AFTER_POSTS:
        return _before_next_prerelease(version)
    if version.dev == 0 and version.pre is None and version.post is None:
        return f"<{version.__replace__(dev=None)}"
    return f"<{version}" if version.is_prerelease else f"<={version},!={version}"


def _before_next_prerelease(version: Version) -> str | None:
    """What follows the post-releases of 1.0a1 is 1.0a2.dev0; nothing in particular follows those of 1.0."""
    if version.pre is None:
        return None
    phase, number = version.pre
    return f"<{version.__replace__(pre=(phase, number + 1), dev=0)}"
