"""The subscriptions.

How it works: each subscriber reads the event log from its own place, a batch at a time
and the next one only when the last is delivered, so a slow one holds up nobody and
costs no memory. At the end of the log it waits for the pulse.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated

import anyio
import strawberry
from strawberry import argument

from resolvers.subscriptions import EventSelection, Progress, Trimmed, read_events
from schema.context import Context, Info
from schema.enums import EventKind
from schema.errors import InvalidPage
from schema.fields import subscription
from schema.history import StateTransition
from schema.positions import read_position
from schema.selections import selects
from schema.subjects import read_row, subject_id
from storage import tables
from storage.rows import EventRow, TransitionRow


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
    def of(cls, row: EventRow, transition: TransitionRow | None) -> "Event":
        """Show a stored event."""
        return cls(
            cursor=str(row.seq),
            at=row.at,
            kind=EventKind[row.kind],
            subject=subject_id(row.subject_type, row.subject_id),
            package=row.package,
            version=row.version,
            transition=StateTransition.of(transition) if transition else None,
        )


@strawberry.type(
    description="The history asked for has been trimmed: read afresh, then go on from `resumeFrom`."
)
class EventGap:
    requested: str = strawberry.field(description="The cursor that was given.")
    resume_from: str = strawberry.field(description="The oldest cursor that can still be resumed from.")


EventItem = Annotated[
    Event | EventGap, strawberry.union("EventItem", description="An event, or word that some are gone.")
]


@strawberry.type(description="What can be watched.")
class Subscription:
    @subscription(
        "Everything after `after` (now, when null), then live. Give the last cursor seen to resume "
        "after any break."
    )
    async def events(
        self,
        info: Info,
        filter: Annotated[EventFilter | None, argument(description="Which events. Null: all.")] = None,
        after: Annotated[str | None, argument(description="The last cursor seen. Null: from now on.")] = None,
    ) -> AsyncGenerator[EventItem, None]:
        chosen = filter.to_selection() if filter else EventSelection()
        start = await _start(info.context, after)
        read = partial(
            read_events,
            info.context.atlas.database,
            selection=chosen,
            with_transitions=selects(info, "transition"),
        )
        async with aclosing(_follow(info.context, read, start)) as items:
            async for item in items:
                yield item


async def _start(context: Context, after: str | None) -> int:
    """Return the position to begin after, or raise InvalidPage when `after` is none of this log."""
    newest = await anyio.to_thread.run_sync(context.atlas.database.cursor)
    if after is None:
        return newest
    position = read_position("after", after)
    if position > newest:
        raise InvalidPage(
            "after", f"is past the newest event, which is {newest}: is it from another database?"
        )
    return position


async def _follow(
    context: Context, read: Callable[[int], Progress | Trimmed], start: int
) -> AsyncGenerator[EventItem, None]:
    """Yield what comes after `start`, and wait for more at the end. A gap ends it."""
    position = start
    while True:
        found = await anyio.to_thread.run_sync(read, position)
        if isinstance(found, Trimmed):
            yield EventGap(requested=str(position), resume_from=str(found.resume_from))
            return
        for row in found.events:
            yield Event.of(row, _transition(found, row))
        position = found.position
        if not found.events:
            await context.application.pulse.beyond(position)


def _transition(found: Progress, row: EventRow) -> TransitionRow | None:
    return None if row.transition_id is None else found.transitions.get(row.transition_id)
