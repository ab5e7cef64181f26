"""Events, as subscribers get them."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.subscriptions import EventSelection, Told
from schema.alert_types import Alert
from schema.builds import Build
from schema.enums import EventKind
from schema.fields import field
from schema.history import StateTransition
from schema.runs import BuildRun
from schema.subjects import read_row, subject_id
from storage import tables
from storage.rows import EventRow


@strawberry.input(description="Which events to deliver. All that is given must be true of each.")
class EventFilter:
    kinds: list[EventKind] | None = strawberry.field(default=None, description="Of one of these kinds.")
    packages: list[str] | None = strawberry.field(
        default=None, description="About one of these packages, or a version of one."
    )
    run: strawberry.ID | None = strawberry.field(
        default=None, description="About this run, or one of its builds."
    )

    def to_selection(self) -> EventSelection:
        """Return the use case's form of it."""
        return EventSelection(
            kinds=None
            if self.kinds is None
            else frozenset(tables.EventKind[kind.name] for kind in self.kinds),
            packages=None if self.packages is None else frozenset(self.packages),
            run=None if self.run is None else read_row("filter.run", self.run, tables.SubjectType.RUN),
        )


@strawberry.type(
    description="One committed change. Cursors grow in commit order; a stream has no gap and no repeat."
)
class Event:
    row: strawberry.Private[EventRow]
    told: strawberry.Private[Told]
    cursor: str = strawberry.field(description="Its position. Give the last one seen to resume after it.")
    at: datetime = strawberry.field(description="When it happened.")
    kind: EventKind = strawberry.field(description="What it tells of.")
    subject: strawberry.ID = strawberry.field(description="Id of what changed; it may be gone by now.")
    package: str | None = strawberry.field(
        description="Name of the package that it is about, when it is about one."
    )
    version: str | None = strawberry.field(description="The version that it is about, when it is about one.")
    transition: StateTransition | None = strawberry.field(
        description="What happened, when it was a change of state."
    )

    @classmethod
    def of(cls, row: EventRow, told: Told) -> "Event":
        """Show a stored event, of what was read along with it."""
        transition = told.transitions.get(row.transition_id or 0)
        return cls(
            row=row,
            told=told,
            cursor=str(row.seq),
            at=row.at,
            kind=EventKind[row.kind],
            subject=subject_id(row.subject_type, row.subject_id),
            package=row.package,
            version=row.version,
            transition=StateTransition.of(transition) if transition else None,
        )

    @field("The build that it is about, as it is when delivered. Null: it is about none, or that is gone.")
    def build(self) -> Build | None:
        if self.row.subject_type is not tables.SubjectType.BUILD:
            return None
        build = self.told.builds.get(self.row.subject_id)
        return Build.of(build) if build else None

    @field("The run that it is about, or that its build is of, as it is when delivered.")
    def run(self) -> BuildRun | None:
        run = self.told.runs.get(self.row.run_id or 0)
        return BuildRun.of(run) if run else None

    @field("The alert that it is about, as it is when delivered. Null: it is about none, or that is gone.")
    def alert(self) -> Alert | None:
        if self.row.subject_type is not tables.SubjectType.ALERT:
            return None
        alert = self.told.alerts.get(self.row.subject_id)
        return Alert.of(alert) if alert else None


@strawberry.type(
    description="The history asked for has been trimmed: read afresh, then go on from `resumeFrom`."
)
class EventGap:
    requested: str = strawberry.field(description="The cursor that was given.")
    resume_from: str = strawberry.field(description="The oldest cursor that can still be resumed from.")


EventItem = Annotated[
    Event | EventGap, strawberry.union("EventItem", description="An event, or word that some are gone.")
]
