"""What every field can reach: the application, and the batches of the operation it belongs to."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

import anyio
import strawberry
from strawberry.dataloader import DataLoader

from resolvers.access import TRUSTED, Viewer
from resolvers.atlas import Atlas
from resolvers.build_measures import UNMEASURED, BuildMeasures
from resolvers.measuring import SILENT, Measurer, Names
from resolvers.neighbourhoods import Neighbours, Walk, neighbourhoods
from resolvers.policy import DEFAULT_POLICY, Policy
from schema.errors import Behind
from schema.feeds import Feed
from schema.limits import Limits
from schema.loaders import Loaders
from schema.pulse import Pulse
from schema.tails import Tail
from schema.turns import Turns

# What they have to write is committed together, or at once where a database takes it so.
_WRITERS: Final = 16


@dataclass(frozen=True, slots=True)
class Exposure:
    """What those get to see who show no token."""

    hides_schema: bool = False
    """Neither introspection, nor hints at what there is in what is said of mistakes."""
    trusted_documents: frozenset[str] | None = None
    """The only texts that are executed for them; None: any."""


@dataclass(slots=True, eq=False)
class Application:
    """What lives as long as the process."""

    atlas: Atlas
    pulse: Pulse
    version: str
    started_at: datetime
    writers: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(_WRITERS))
    """Threads that write wait for each other, so reads have others of their own."""
    policy: Policy = DEFAULT_POLICY
    """What builds are scheduled by."""
    turns: Turns = field(default_factory=Turns)
    """At resolving, planning and searching the graph."""
    limits: Limits = field(default_factory=Limits)
    exposure: Exposure = Exposure()
    measurer: Measurer = SILENT
    build_measures: BuildMeasures = UNMEASURED
    operation_names: Names = field(default_factory=Names)
    """What operations are measured under."""
    tail: Tail = field(init=False)

    def __post_init__(self) -> None:
        self.tail = Tail(self.atlas.database)

    async def catch_up(self, position: int, *, patience: float) -> None:
        """Return once what was written up to `position` of the event log can be read.

        Raises Behind when that has not come about within `patience` seconds, and Unavailable.
        """
        if self.pulse.position >= position:
            return
        newest = await anyio.to_thread.run_sync(self.atlas.database.cursor)
        if newest < position:
            with anyio.move_on_after(patience):
                await self.pulse.beyond(position - 1)
                return
            newest = await anyio.to_thread.run_sync(self.atlas.database.cursor)
        if newest < position:
            raise Behind(position, newest=newest, seconds=patience)


@dataclass(slots=True)
class Context:
    """What one operation works with. Loaders keep what they have read, so no two operations share them."""

    application: Application
    request_id: str
    actor: str | None = None
    """Who asks, as history is to tell it."""
    viewer: Viewer = TRUSTED
    """What whoever asks may do."""
    feed: Feed = field(default_factory=Feed)
    executed: bool = False
    """Whether the document was accepted, so that errors are about what it asks for."""
    _loaders: Loaders | None = None
    _around: DataLoader[Walk, Neighbours] | None = None

    @property
    def loaders(self) -> Loaders:
        """What reads rows, made when it is first asked for: there are many, and most operations use few."""
        if self._loaders is None:
            self._loaders = Loaders(self.application.atlas.database)
        return self._loaders

    @property
    def around(self) -> DataLoader[Walk, Neighbours]:
        """What searches around packages."""
        if self._around is None:
            self._around = DataLoader(self._neighbourhoods)
        return self._around

    def forget(self) -> None:
        """Read everything afresh from here on: something was written.

        Fields that are being resolved keep the loaders they have begun with. Mutations run one after the
        other, each with all that is asked of its answer, so none of them sees two moments.
        """
        self._loaders = self._around = None

    async def _neighbourhoods(self, walks: list[Walk]) -> list[Neighbours]:
        found = await anyio.to_thread.run_sync(neighbourhoods, self.atlas, walks)
        return [found[walk] for walk in walks]

    @property
    def atlas(self) -> Atlas:
        """The catalogue, its graphs and the solver's view of it."""
        return self.application.atlas

    @property
    def measurer(self) -> Measurer:
        """Where it is told how long things take."""
        return self.application.measurer

    def fed(self, feed: Feed) -> "Context":
        """Return a context for one more operation, whose items are delivered by way of `feed`."""
        return Context(self.application, self.request_id, self.actor, self.viewer, feed)

    def for_operation(self) -> "Context":
        """Return a context for one more operation of the same request or socket."""
        return self.fed(self.feed)


Info: TypeAlias = strawberry.Info[Context, None]
