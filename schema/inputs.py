"""Inputs of the mutations of the catalogue."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import strawberry

from resolvers.drafts import DependencyRequest, PublishRequest, UpdateRequest
from resolvers.packages import RegisterRequest
from resolvers.versions import DependenciesRequest, StatusRequest
from schema.enums import DependencyKind, PackageStatus, VersionStatus
from schema.errors import RepeatedLabel
from schema.kinds import kind_mask
from storage import transitions


@strawberry.input(description="A word to attach to an object, with a value.")
class LabelInput:
    key: str = strawberry.field(description="Unique on one object.")
    value: str = strawberry.field(description="Any text.")


def label_pairs(given: Sequence[LabelInput]) -> Mapping[str, str]:
    """Return labels by key, or raise RepeatedLabel."""
    pairs: dict[str, str] = {}
    for label in given:
        if label.key in pairs:
            raise RepeatedLabel(label.key)
        pairs[label.key] = label.value
    return pairs


@strawberry.input(description="What a version needs of one package.")
class DependencyInput:
    package: str = strawberry.field(description="The package's name. It need not be registered.")
    constraint: str = strawberry.field(
        default="", description="Such as `>=1.2,<2 || ==3.*`. Empty: any version."
    )
    kinds: list[DependencyKind] = strawberry.field(
        default_factory=lambda: [DependencyKind.RUNTIME], description="What it is needed for; at least one."
    )
    optional: bool = strawberry.field(default=False, description="Whether the version works without it.")
    marker: str | None = strawberry.field(
        default=None, description="A condition, kept as declared and never evaluated."
    )

    def to_request(self) -> DependencyRequest:
        """Return the use case's form of it."""
        return DependencyRequest(
            package=self.package,
            constraint=self.constraint,
            kinds=kind_mask(self.kinds),
            optional=self.optional,
            marker=self.marker,
        )


@strawberry.input(description="A package to be known.")
class RegisterPackageInput:
    name: str = strawberry.field(description="1 to 214 characters out of letters, digits and . _ + - @ / :")
    description: str = strawberry.field(default="", description="What it is.")
    labels: list[LabelInput] = strawberry.field(default_factory=list, description="Words to attach to it.")

    def to_request(self) -> RegisterRequest:
        """Return the use case's form of it."""
        return RegisterRequest(self.name, self.description, label_pairs(self.labels))


@strawberry.input(description="What to change of a package. What is left out or null stays as it is.")
class UpdatePackageInput:
    name: str = strawberry.field(description="Which package.")
    description: str | None = strawberry.field(default=None, description="What it is.")
    status: PackageStatus | None = strawberry.field(
        default=None, description="Its new state. Takes `statusReason`, or its absence, as the reason."
    )
    status_reason: str | None = strawberry.field(default=None, description="Why it has its status.")
    labels: list[LabelInput] | None = strawberry.field(
        default=None, description="All of its labels, in place of those it has."
    )

    def to_request(self) -> UpdateRequest:
        """Return the use case's form of it."""
        return UpdateRequest(
            name=self.name,
            description=self.description,
            status=None if self.status is None else transitions.PackageStatus[self.status.name],
            status_reason=self.status_reason,
            labels=None if self.labels is None else label_pairs(self.labels),
        )


@strawberry.input(description="A package to delete.")
class DeletePackageInput:
    name: str = strawberry.field(description="Which package.")
    force: bool = strawberry.field(default=False, description="Delete though other packages require it.")


@strawberry.input(
    description="Registers the package when it is new. Equal content published again changes nothing; "
    "other content is CONFLICT."
)
class PublishVersionInput:
    package: str = strawberry.field(description="The package's name.")
    version: str = strawberry.field(description="A PEP 440 version.")
    dependencies: list[DependencyInput] = strawberry.field(
        default_factory=list, description="What it needs, each package and constraint once."
    )
    released_at: datetime | None = strawberry.field(default=None, description="When it was released.")
    digest: str | None = strawberry.field(default=None, description="Digest of its content.")
    labels: list[LabelInput] = strawberry.field(default_factory=list, description="Words to attach to it.")
    status: VersionStatus = strawberry.field(
        default=VersionStatus.PUBLISHED, description="The state it starts in."
    )
    forbid_cycles: list[DependencyKind] = strawberry.field(
        default_factory=list,
        description="Refuse, with DEPENDENCY_CYCLE, a version that closes a cycle over these kinds.",
    )

    def to_request(self) -> PublishRequest:
        """Return the use case's form of it."""
        return PublishRequest(
            package=self.package,
            version=self.version,
            dependencies=tuple(each.to_request() for each in self.dependencies),
            released_at=self.released_at,
            digest=self.digest,
            labels=label_pairs(self.labels),
            status=transitions.VersionStatus[self.status.name],
            forbid_cycles=kind_mask(self.forbid_cycles),
        )


@strawberry.input(description="At most 10,000 items.")
class PublishVersionsInput:
    versions: list[PublishVersionInput] = strawberry.field(description="What to publish, in this order.")
    atomic: bool = strawberry.field(default=True, description="Write nothing unless every item is good.")


@strawberry.input(description="A version's new state.")
class SetVersionStatusInput:
    package: str = strawberry.field(description="The package's name.")
    version: str = strawberry.field(description="Which version.")
    status: VersionStatus = strawberry.field(description="Its new state.")
    reason: str | None = strawberry.field(default=None, description="Why.")

    def to_request(self) -> StatusRequest:
        """Return the use case's form of it."""
        return StatusRequest(
            self.package, self.version, transitions.VersionStatus[self.status.name], self.reason
        )


@strawberry.input(description="A version's new dependencies, in place of those it has.")
class SetDependenciesInput:
    package: str = strawberry.field(description="The package's name.")
    version: str = strawberry.field(description="Which version.")
    dependencies: list[DependencyInput] = strawberry.field(description="All that it needs.")
    forbid_cycles: list[DependencyKind] = strawberry.field(
        default_factory=list,
        description="Refuse, with DEPENDENCY_CYCLE, dependencies that close a cycle over these kinds.",
    )

    def to_request(self) -> DependenciesRequest:
        """Return the use case's form of it."""
        return DependenciesRequest(
            self.package,
            self.version,
            tuple(each.to_request() for each in self.dependencies),
            kind_mask(self.forbid_cycles),
        )
