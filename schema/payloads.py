"""What mutations answer."""

import strawberry

from resolvers.batches import ItemResult
from resolvers.errors import Refusal
from resolvers.packages import PackageChange
from resolvers.versions import VersionChange
from schema.catalogue import Package, PackageVersion
from schema.codes import code_of
from schema.enums import ErrorCode

_CURSOR = "Position of the change in the event log; of the newest event when nothing changed."


@strawberry.type(description="A package after a change.")
class PackagePayload:
    package: Package = strawberry.field(description="The package as it is now.")
    cursor: str = strawberry.field(description=_CURSOR)

    @classmethod
    def of(cls, change: PackageChange) -> "PackagePayload":
        """Show a change."""
        return cls(package=Package.of(change.package), cursor=str(change.cursor))


@strawberry.type(description="A version after a change.")
class PackageVersionPayload:
    version: PackageVersion = strawberry.field(description="The version as it is now.")
    created: bool = strawberry.field(description="Whether it is new.")
    cursor: str = strawberry.field(description=_CURSOR)

    @classmethod
    def of(cls, change: VersionChange) -> "PackageVersionPayload":
        """Show a change."""
        return cls(
            version=PackageVersion.of(change.version), created=change.created, cursor=str(change.cursor)
        )


@strawberry.type(description="What was deleted.")
class DeletePackagePayload:
    deleted_name: str = strawberry.field(description="The package's name.")
    deleted_versions: int = strawberry.field(description="How many versions went with it.")
    cursor: str = strawberry.field(description=_CURSOR)


@strawberry.type(description="Why one item of many was refused.")
class UserError:
    code: ErrorCode = strawberry.field(description="What kind of refusal.")
    message: str = strawberry.field(description="What is wrong, and what to do.")
    path: list[str] = strawberry.field(
        description="Where in the item: names of fields, and indices from 0. Empty: the item as a whole."
    )

    @classmethod
    def of(cls, refusal: Refusal) -> "UserError":
        """Show a refusal."""
        return cls(code=code_of(refusal), message=str(refusal), path=list(refusal.path))


@strawberry.type(
    description="What became of one item. Neither a version nor an error: another item stopped it."
)
class PublishVersionResult:
    index: int = strawberry.field(description="Its place among the items, from 0.")
    version: PackageVersion | None = strawberry.field(description="The version as it is now.")
    error: UserError | None = strawberry.field(description="Why it was refused.")

    @classmethod
    def of(cls, result: ItemResult) -> "PublishVersionResult":
        """Show what became of an item."""
        return cls(
            index=result.index,
            version=PackageVersion.of(result.version) if result.version else None,
            error=UserError.of(result.error) if result.error else None,
        )


@strawberry.type(description="What became of many versions.")
class PublishVersionsPayload:
    results: list[PublishVersionResult] = strawberry.field(description="One for each item, in their order.")
    published: int = strawberry.field(description="How many versions are new.")
    failed: int = strawberry.field(description="How many items were refused.")
    cursor: str = strawberry.field(description=_CURSOR)
