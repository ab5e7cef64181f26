"""The subscriptions.

How it works: each subscriber goes through the event log from its own place, a batch at a time and the next one only when the last
is delivered, so a slow one holds up nobody and costs no memory. At the end of the log it waits for the pulse, and what is new is
read once for all.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from typing import Annotated

import anyio
import strawberry
from strawberry import argument

from resolvers import watching
from resolvers.measurements import DELIVERY
from resolvers.subscriptions import NOTHING, EventSelection, Progress, Trimmed, Wanted, pick, read_events
from resolvers.watching import BuildWatch
from schema.build_inputs import BuildFilter
from schema.builds import Build
from schema.context import Context, Info
from schema.errors import InvalidPage
from schema.events import Event, EventFilter, EventGap, EventItem
from schema.fields import subscription
from schema.positions import read_position
from schema.selections import selects
from schema.threads import now
from storage import builds
from storage.monitoring_tables import Scope

After = Annotated[str | None, argument(description="The last cursor seen. Null: from now on.")]


@strawberry.type(description="Builds that match, at the beginning. At most 500 a message.")
class BuildSnapshot:
    cursor: str = strawberry.field(
        description="Everything after it is still to be delivered. The same for each part of a beginning."
    )
    builds: list[Build] = strawberry.field(description="Some of the builds that match, newest first.")
    complete: bool = strawberry.field(description="Whether these were the last; changes follow.")


BuildStatusItem = Annotated[
    BuildSnapshot | Event | EventGap,
    strawberry.union(
        "BuildStatusItem", description="Builds as they are, a change of one, or word that some are gone."
    ),
]


@strawberry.type(description="What can be watched.")
class Subscription:
    @subscription(
        Scope.READ,
        "Everything after `after` (now, when null), then live. Give the last cursor seen to resume "
        "after any break.",
    )
    async def events(
        self,
        info: Info,
        filter: Annotated[EventFilter | None, argument(description="Which events. Null: all.")] = None,
        after: After = None,
    ) -> AsyncGenerator[EventItem, None]:
        after = info.context.feed.after or after
        chosen = filter.to_selection() if filter else EventSelection()
        start = await _start(info.context, after)
        wanted = Wanted(*(selects(info, name) for name in ("transition", "build", "run", "alert")))
        async with aclosing(_follow(info.context, chosen, wanted, start)) as items:
            async for item in items:
                yield item

    @subscription(
        Scope.READ,
        "The builds that match, first as they are (not when `after` is given), then each change; one that stops "
        "matching is delivered once more.",
    )
    async def build_status(
        self,
        info: Info,
        filter: Annotated[BuildFilter | None, argument(description="Which builds. Null: all.")] = None,
        after: Annotated[
            str | None, argument(description="The last cursor seen. Null: begin with what there is.")
        ] = None,
    ) -> AsyncGenerator[BuildStatusItem, None]:
        context = info.context
        after = context.feed.after or after
        watch = BuildWatch(
            context.atlas.database, filter.to_filter() if filter else builds.ALL, is_resumed=after is not None
        )
        start: int | None = None if after is None else await _start(context, after)
        if start is None:
            before = None
            while True:
                part = await anyio.to_thread.run_sync(watch.snapshot, start, before)
                start = part.position
                # Whoever has a part only begins anew.
                context.feed.cursor = start if part.is_last else None
                context.forget()
                yield BuildSnapshot(
                    cursor=str(start), builds=[Build.of(row) for row in part.builds], complete=part.is_last
                )
                if part.is_last:
                    break
                before = part.builds[-1].id
        items = _follow(context, watch.selection, watching.WANTED, start, choose=watch.concerning)
        async with aclosing(items):
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
    context: Context,
    selection: EventSelection,
    wanted: Wanted,
    start: int,
    *,
    choose: Callable[[Progress], Progress] = lambda found: found,
) -> AsyncGenerator[EventItem, None]:
    """Yield what comes after `start`, and wait for more at the end. A gap ends it."""
    position = start
    # What is read again after a break happened long ago: only what comes from here on tells how late it is.
    is_live = False
    feed, pulse = context.feed, context.application.pulse
    # The pulse may not have been felt yet, and history is not delivered as what is new is.
    known = await anyio.to_thread.run_sync(context.atlas.database.cursor)
    while True:
        newest = max(known, pulse.position)
        found = await _next(context, position, newest, selection, wanted)
        if isinstance(found, Trimmed):
            feed.cursor = None
            yield EventGap(requested=str(position), resume_from=str(found.resume_from))
            return
        # What is asked of a build beyond its own row is read as it is now, too.
        context.forget()
        chosen = choose(found)
        for row in chosen.events:
            feed.cursor = row.seq
            if is_live:
                context.measurer.record(DELIVERY, max((now() - row.at).total_seconds(), 0))
            yield Event.of(row, chosen.told)
        position = found.position
        if position >= max(known, pulse.position):
            if not feed.at_end(position):
                return
            is_live = True
            await pulse.beyond(position)


async def _next(
    context: Context, position: int, newest: int, selection: EventSelection, wanted: Wanted
) -> Progress | Trimmed:
    """Return the next events that match, from what all have in common where that reaches as far back."""
    database = context.atlas.database
    stretch = await context.application.tail.after(position, newest=newest)
    if stretch is None:
        read = partial(read_events, database, position, selection=selection, wanted=wanted)
        return await anyio.to_thread.run_sync(read)
    picking = partial(pick, database, stretch, selection=selection, wanted=wanted)
    # What is only looked through in memory is quicker done than handed to a thread.
    return picking() if wanted == NOTHING else await anyio.to_thread.run_sync(picking)
