"""The builds that are watched, as far as what was delivered tells.

How it works: a build is shown as it was when it was last delivered. Whether it has ended is taken from the event log
instead: only then has all that was to be told of it been told.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from storage.transitions import BuildConclusion, BuildStatus

Item = Mapping[str, Any]
"""What `buildStatus` delivers: a BuildSnapshot, an Event or an EventGap."""
Build = Mapping[str, Any]
State = tuple[str, str | None]
"""Status and conclusion."""

_COMPLETED: Final = BuildStatus.COMPLETED.value
LIVE: Final = tuple(status for status in BuildStatus if status is not BuildStatus.COMPLETED)
"""Where a build is that has not ended."""

_HELD: Final = frozenset(LIVE) - {BuildStatus.BLOCKED, BuildStatus.QUEUED}
_ORDER: Final = {word: place for place, word in enumerate([*BuildConclusion, *BuildStatus])}

# What fits a screen.
_MOST_ENDINGS: Final = 10


@dataclass(frozen=True, slots=True)
class Change:
    """What an event tells of one build."""

    at: str
    package: str | None
    version: str | None
    status: str | None
    """None: the build is gone."""
    conclusion: str | None = None
    worker: str | None = None
    seconds: float | None = None
    """How long it took, once it has ended."""
    note: str | None = None


@dataclass(slots=True)
class Board:
    """Fed with what is delivered, in its order."""

    statuses: Collection[str] | None = None
    """What is watched, as the filter has it. None: builds in any state."""
    worker: str | None = None
    _is_whole: bool = False
    """Whether all of the beginning has been delivered."""
    _beginning: str | None = None
    """Cursor of the beginning."""
    _builds: dict[str, Build] = field(default_factory=dict)
    _counts: Counter[State] = field(default_factory=Counter)
    _going_on: set[str] = field(default_factory=set)
    """Builds whose end has not been told."""
    _endings: dict[str, Build] = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        """Whether every build that is watched has ended."""
        return self._is_whole and not self._going_on

    def feed(self, item: Item) -> Change | None:
        """Take in what was delivered, and return what has changed when it is an event that tells of a change."""
        match item["__typename"]:
            case "BuildSnapshot":
                self._begin(item)
            case "Event":
                return self._happen(item)
            case _:
                self._clear()
        return None

    def counts(self) -> list[Mapping[str, Any]]:
        """Return how many builds are in which state, as BuildCounts in the order of the life cycle."""
        ordered = sorted(self._counts.items(), key=lambda each: _ORDER[each[0][1] or each[0][0]])
        return [
            {"status": status, "conclusion": conclusion, "count": count}
            for (status, conclusion), count in ordered
            if count
        ]

    def held(self) -> list[Build]:
        """Return what workers are at, what has been running longest first."""
        held = [build for build in self._builds.values() if build["status"] in _HELD]
        started = [build for build in held if build["startedAt"] is not None]
        return [
            *sorted(started, key=lambda build: moment(build["startedAt"])),
            *(build for build in held if build["startedAt"] is None),
        ]

    def endings(self) -> Sequence[Build]:
        """Return the builds that ended last, the latest first, also those that are no longer watched since."""
        return list(reversed(self._endings.values()))

    def _begin(self, snapshot: Item) -> None:
        if snapshot["cursor"] != self._beginning:
            self._clear()
            self._beginning = snapshot["cursor"]
        for build in snapshot["builds"]:
            self._put(build)
            if build["status"] != _COMPLETED:
                self._going_on.add(build["id"])
        self._is_whole = snapshot["complete"]

    def _happen(self, event: Item) -> Change | None:
        subject, build = event["subject"], event["build"]
        before = self._builds.get(subject)
        is_watched = build is not None and self._is_watched(build)
        if is_watched:
            self._put(build)
            self._follow(subject, event["transition"])
        else:
            self._drop(subject)
            if before is not None and build is not None:
                self._end(build)
        return _change(event, before, is_watched=is_watched)

    def _is_watched(self, build: Build) -> bool:
        return (self.statuses is None or build["status"] in self.statuses) and (
            self.worker is None or build["worker"] == self.worker
        )

    def _put(self, build: Build) -> None:
        self._drop_count(build["id"])
        self._builds[build["id"]] = build
        self._counts[_state(build)] += 1
        self._end(build)

    def _follow(self, id: str, transition: Mapping[str, Any] | None) -> None:
        if transition is None:
            return
        if transition["to"] == _COMPLETED:
            self._going_on.discard(id)
        else:
            self._going_on.add(id)

    def _end(self, build: Build) -> None:
        """Have it among the last endings, or not any more."""
        self._endings.pop(build["id"], None)
        if build["status"] == _COMPLETED:
            latest = sorted([*self._endings.values(), build], key=lambda each: moment(each["completedAt"]))
            self._endings = {each["id"]: each for each in latest[-_MOST_ENDINGS:]}

    def _drop(self, id: str) -> None:
        self._drop_count(id)
        self._builds.pop(id, None)
        self._going_on.discard(id)

    def _drop_count(self, id: str) -> None:
        build = self._builds.get(id)
        if build is not None:
            self._counts[_state(build)] -= 1

    def _clear(self) -> None:
        self._is_whole, self._beginning = False, None
        for kept in (self._builds, self._counts, self._going_on, self._endings):
            kept.clear()


def moment(text: str) -> datetime:
    """Return a moment that the API has told."""
    return datetime.fromisoformat(text)


def _state(build: Build) -> State:
    return build["status"], build["conclusion"]


def _change(event: Item, before: Build | None, *, is_watched: bool) -> Change | None:
    build, transition = event["build"], event["transition"]
    if build is None:
        return Change(event["at"], event["package"], event["version"], None)
    # Of a build that is no longer watched no more is told than this.
    shown = {"status": transition["to"], **transition} if transition and is_watched else build
    if transition is None and before is not None and _state(before) == _state(build):
        return None
    has_ended = shown["status"] == _COMPLETED
    return Change(
        event["at"],
        event["package"],
        event["version"],
        shown["status"],
        shown["conclusion"],
        build["worker"] if has_ended or shown["status"] in _HELD else None,
        build["durationSeconds"] if has_ended else None,
        shown["reason"] or (build["message"] if has_ended else None),
    )
