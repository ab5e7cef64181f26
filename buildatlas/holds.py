"""What keeps pins from the latest versions of their packages, told from an answer alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from buildatlas.choices import Strategy
from buildatlas.questions import Question
from graph.constraints import parse_constraint
from graph.versions import parse_version, sort_key

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hold:
    """A pin that is older than the latest version of its package, and why."""

    package: str
    version: str
    latest: str
    reasons: tuple[str, ...]


def holds(
    answer: Data, question: Question, locked: Mapping[str, str], yanked: Iterable[Mapping[str, str]]
) -> list[Hold]:
    """Return what is held back in a resolution that was asked for with the latest version of each pin.

    `locked` are the pins that it was to keep, `yanked` the versions that it supposes to be so.
    """
    return list(_Held(answer, question, locked, yanked).all())


class _Held:
    def __init__(
        self,
        answer: Data,
        question: Question,
        locked: Mapping[str, str],
        yanked: Iterable[Mapping[str, str]],
    ) -> None:
        self._question = question
        self._locked = locked
        self._yanked = {(each["package"], parse_version(each["version"])) for each in yanked}
        self._pins: list[Data] = answer["pins"]
        self._version = {pin["package"]: pin["version"] for pin in self._pins}
        self._edges: dict[str, list[Data]] = {}
        for edge in answer["edges"]:
            self._edges.setdefault(edge["dependency"], []).append(edge)

    def all(self) -> Iterator[Hold]:
        for pin in self._pins:
            # Null for a version that is only supposed, and for a package without one that is published.
            stored = pin["packageVersion"]
            latest = stored and stored["package"]["latestVersion"]
            if latest and parse_version(latest["version"]) > parse_version(pin["version"]):
                reasons = list(self._excluded(pin["package"], latest["version"]))
                reasons = reasons or self._otherwise(pin, latest)
                yield Hold(pin["package"], pin["version"], latest["version"], tuple(reasons))

    def _excluded(self, package: str, version: str) -> Iterator[str]:
        """Name all that shuts this version out."""
        if (package, parse_version(version)) in self._yanked:
            yield f"{version} is supposed to be yanked"
        for whose, constraint in self._constraints(package):
            if not _admits(constraint, version):
                yield f"{whose} {constraint}"

    def _constraints(self, package: str) -> Iterator[tuple[str, str]]:
        """Yield each constraint on a package that counts, after the words for whose it is."""
        overrides = self._question.overrides_of(package)
        yield from (("you override to", text) for text in overrides)
        yield from (("you restrict to", text) for text in self._question.constraints_on(package))
        for edge in () if overrides else self._edges.get(package, ()):
            dependent = edge["dependent"]
            whose = "you require" if dependent is None else f"{dependent} {self._version[dependent]} needs"
            yield whose, edge["constraint"]

    def _otherwise(self, pin: Data, latest: Data) -> list[str]:
        """Say why the latest version was not picked although nothing shuts it out by itself."""
        name, asked = pin["package"], self._question
        if self._locked.get(name) == pin["version"]:
            return ["the lock keeps it"]
        released = latest["releasedAt"] and datetime.fromisoformat(latest["releasedAt"])
        if asked.as_of and released and released > asked.as_of:
            return [f"{latest['version']} was released after the moment asked about"]
        if asked.strategy is Strategy.LOWEST or (asked.strategy is Strategy.LOWEST_DIRECT and pin["direct"]):
            return [f"the strategy {asked.strategy} prefers old versions"]
        return self._missed(name, latest) or [
            f"what {latest['version']} brings along does not go with the rest"
        ]

    def _missed(self, package: str, latest: Data) -> list[str]:
        """Say what the latest version needs that the other pins are not."""
        return [
            f"{latest['version']} needs {need['packageName']} {need['constraint']}, "
            f"and {need['packageName']} is at {self._version[need['packageName']]}"
            for need in latest["dependencies"]
            if self._is_followed(need) and self._is_missed(package, need)
        ]

    def _is_followed(self, need: Data) -> bool:
        asked = self._question
        return bool(set(need["kinds"]) & set(asked.kinds)) and (
            asked.include_optional or not need["optional"]
        )

    def _is_missed(self, package: str, need: Data) -> bool:
        name = need["packageName"]
        if name == package or name not in self._version or self._question.overrides_of(name):
            return False
        return not _admits(need["constraint"], self._version[name])


def _admits(constraint: str, version: str) -> bool:
    return parse_constraint(constraint).admits(sort_key(parse_version(version)), version)
