"""Simulating: the question, and the answers without and with what is supposed."""

import strawberry

import graph.difference
from resolvers.resolutions import Resolved, Unsolved
from resolvers.simulations import Simulated, SimulateRequest
from schema.enums import PinChangeDirection
from schema.inputs import PublishVersionInput
from schema.questions import PinInput, ResolveInput
from schema.solving import Pin, ResolveResult, resolve_result


@strawberry.input(
    description="What would change, with nothing written: the same engine as resolve. At most 10,000 versions "
    "to publish and yank."
)
class SimulateInput:
    resolve: ResolveInput = strawberry.field(description="What to solve, without and with what is supposed.")
    publish: list[PublishVersionInput] = strawberry.field(
        default_factory=list,
        description="Versions to suppose published, in this order; refused as publishing them would be.",
    )
    yank: list[PinInput] = strawberry.field(
        default_factory=list, description="Versions to suppose yanked after that, supposed ones included."
    )

    def to_request(self) -> SimulateRequest:
        """Return the use case's form of it."""
        return SimulateRequest(
            self.resolve.to_request(),
            tuple(each.to_request() for each in self.publish),
            tuple((each.package, each.version) for each in self.yank),
        )


@strawberry.type(description="A package that is pinned before and after, at different versions.")
class PinChange:
    package: str = strawberry.field(description="The package's name.")
    from_: str = strawberry.field(name="from", description="The version before.")
    to: str = strawberry.field(description="The version after.")
    direction: PinChangeDirection = strawberry.field(description="Which way it moves, by PEP 440.")

    @classmethod
    def of(cls, change: graph.difference.PinChange) -> "PinChange":
        """Show a change."""
        direction = PinChangeDirection[change.direction.name]
        return cls(package=change.package, from_=change.before, to=change.after, direction=direction)


@strawberry.type(description="What changes from one resolution to another, each by name.")
class ResolutionDiff:
    added: list[Pin] = strawberry.field(description="Pins of packages that are not pinned before.")
    removed: list[Pin] = strawberry.field(description="Pins of packages that are not pinned after.")
    changed: list[PinChange] = strawberry.field(description="Packages pinned at another version.")


@strawberry.type(description="The answers without and with what is supposed, from one moment.")
class Simulation:
    before: ResolveResult = strawberry.field(description="The answer as things are.")
    after: ResolveResult = strawberry.field(description="The answer as things would be.")
    diff: ResolutionDiff | None = strawberry.field(
        description="What changes between them. Null when either is a conflict."
    )

    @classmethod
    def of(cls, simulated: Simulated) -> "Simulation":
        """Show a simulation."""
        return cls(
            before=resolve_result(simulated.before),
            after=resolve_result(simulated.after),
            diff=_diff(simulated),
        )


def _diff(simulated: Simulated) -> ResolutionDiff | None:
    if simulated.diff is None:
        return None
    before, after = _pins(simulated.before), _pins(simulated.after)
    return ResolutionDiff(
        added=[after[package] for package in simulated.diff.added],
        removed=[before[package] for package in simulated.diff.removed],
        changed=[PinChange.of(change) for change in simulated.diff.changed],
    )


def _pins(answer: Resolved | Unsolved) -> dict[str, Pin]:
    assert isinstance(answer, Resolved), "only solutions are compared"
    return {pin.package: Pin.of(pin, answer.version_ids) for pin in answer.resolution.pins}
