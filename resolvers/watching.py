"""Watching builds that match a filter: as they are, and then each change of one that does, or did until then.

How it works: the watch remembers which builds its subscriber takes for matching. After a resumption it does not know that,
and goes by the state that each build comes from; what it cannot tell it delivers once.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from resolvers.subscriptions import EventSelection, Progress, Wanted
from storage import builds, events
from storage.build_rows import BuildRow
from storage.builds import BuildFilter
from storage.database import Database
from storage.rows import EventRow, TransitionRow
from storage.tables import EventKind
from storage.transitions import BuildStatus

SNAPSHOT: Final = 500
"""Builds in one part of what there is at the beginning."""


WANTED: Final = Wanted(transitions=True, builds=True, runs=True)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Builds that match, as they are at a position of the event log or a little later."""

    builds: list[BuildRow]
    position: int
    is_last: bool


@dataclass(slots=True)
class BuildWatch:
    """What one subscriber watches. Not for several threads at once."""

    database: Database
    filter: BuildFilter
    is_resumed: bool
    """Whether the subscriber knows of builds that this watch does not know of."""
    _matching: set[int] = field(default_factory=set)
    _told: set[int] = field(default_factory=set)

    def snapshot(self, position: int | None, before: int | None) -> Snapshot:
        """Return the next builds that match, newest first; `position` and the last build before are those of the part before.

        Changes after the position are still to come, also where a build shows them already.
        """
        with self.database.read() as connection:
            at = events.newest(connection) if position is None else position
            rows = builds.page(connection, self.filter, limit=SNAPSHOT + 1, after=before)
        part = rows[:SNAPSHOT]
        self._matching.update(row.id for row in part)
        return Snapshot(part, at, len(rows) <= SNAPSHOT)

    @property
    def selection(self) -> EventSelection:
        """The events that can concern the subscriber. `WANTED` is to be read along with them."""
        return EventSelection(
            kinds=frozenset({EventKind.BUILD_CHANGED}),
            packages=None if self.filter.package is None else frozenset({self.filter.package}),
            run=self.filter.run_id,
        )

    def concerning(self, found: Progress) -> Progress:
        """Return those of the next events that the subscriber is to be told. Each is to be given once, and in order."""
        told = tuple(event for event in found.events if self._concerns(event, found))
        return Progress(told, found.position, found.told)

    def _concerns(self, event: EventRow, found: Progress) -> bool:
        build = found.told.builds.get(event.subject_id)
        if build is not None and self._matches(build):
            self._matching.add(build.id)
            return True
        # Where there is none it went with its package. Whoever has it should learn so.
        transition = found.told.transitions.get(event.transition_id or 0)
        return self._forget(event.subject_id) or self._may_have_matched(event.subject_id, transition)

    def _forget(self, id: int) -> bool:
        if id in self._matching:
            self._matching.remove(id)
            self._told.add(id)
            return True
        return False

    def _may_have_matched(self, id: int, transition: TransitionRow | None) -> bool:
        """Whether a subscriber from before may have a build that does not match any more."""
        if not self.is_resumed or id in self._told:
            return False
        self._told.add(id)
        if transition is None or transition.origin is None:
            return False
        origin = BuildStatus(transition.origin)
        had_ended = origin is BuildStatus.COMPLETED
        return _lets(self.filter.statuses, origin) and (self.filter.conclusions is None or had_ended)

    def _matches(self, build: BuildRow) -> bool:
        return (
            _lets(self.filter.statuses, build.status)
            and (
                self.filter.conclusions is None
                or (build.conclusion is not None and build.conclusion in self.filter.conclusions)
            )
            and (self.filter.worker is None or self.filter.worker == build.worker)
        )


def _lets(choice: Collection[BuildStatus] | None, status: BuildStatus) -> bool:
    return choice is None or status in choice
