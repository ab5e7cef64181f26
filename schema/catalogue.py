"""Packages, their versions, and what each version declares that it needs."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from resolvers.neighbourhoods import Direction
from schema.arguments import After, Before, First, IncludeOptional, Kinds, Last, Scope, Transitive
from schema.build_loaders import Selection
from schema.context import Info
from schema.enums import DependencyKind, GraphScope, PackageStatus, VersionStatus
from schema.errors import Vanished
from schema.fields import field
from schema.identifiers import global_id
from schema.kinds import kind_list, kind_mask
from schema.neighbours import Neighbourhood, neighbourhood
from schema.node import Label, Node, labels
from schema.pagination import Page, PageInfo, cursor, page, page_info, page_size, window
from storage import transitions
from storage.builds import Owner
from storage.rows import DependencyRow, PackageRow, VersionRow


@strawberry.type(description="A package: a name, and the versions published under it.")
class Package(Node):
    row: strawberry.Private[PackageRow]
    name: str = strawberry.field(description="Unique, and case-sensitive.")
    description: str = strawberry.field(description="What it is, in its owner's words; may be empty.")
    status: PackageStatus = strawberry.field(description="Where it is in its life cycle.")
    status_reason: str | None = strawberry.field(description="Why it has this status.")
    labels: list[Label] = strawberry.field(description="What its owner attached to it, by key.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def of(cls, row: PackageRow) -> "Package":
        """Show a stored package."""
        return cls(
            row=row,
            id=global_id("Package", row.id),
            name=row.name,
            description=row.description,
            status=PackageStatus[row.status],
            status_reason=row.status_reason,
            labels=labels(row.labels),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @field("Newest PUBLISHED version that is not a pre-release, else the newest PUBLISHED one.")
    async def latest_version(self, info: Info) -> "PackageVersion | None":
        row = await info.context.loaders.latest_version.load(self.row.id)
        return PackageVersion.of(row) if row else None

    @field("One version. Another spelling of an equal version finds it too.")
    async def version(
        self, info: Info, version: Annotated[str, argument(description="A PEP 440 version.")]
    ) -> "PackageVersion | None":
        row = await info.context.loaders.version_by_text(self.row.id, version)
        return PackageVersion.of(row) if row else None

    @field("Newest first.")
    async def versions(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        status: Annotated[
            list[VersionStatus] | None,
            argument(description="Only versions in one of these states. Null: all."),
        ] = None,
    ) -> "PackageVersionConnection":
        asked = window(bytes, first=first, after=after, last=last, before=before)
        statuses = None if status is None else tuple(transitions.VersionStatus[each.name] for each in status)
        loaders = info.context.loaders
        rows = await loaders.versions_page(self.row.id, asked, statuses)
        return PackageVersionConnection(
            page=page(rows, asked), count=partial(loaders.count_versions, self.row.id, statuses)
        )

    @field(
        "Packages that this one requires and that are registered, nearest first. Null kinds: all kinds. "
        "A traversal stops at a bound: see `truncated`."
    )
    async def dependencies(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        transitive: Transitive = False,
        kinds: Kinds = None,
        scope: Scope = GraphScope.LATEST,
        include_optional: IncludeOptional = False,
    ) -> "PackageConnection":
        asked = Neighbourhood(
            Direction.DEPENDENCIES, self.name, transitive, kinds, scope, include_optional, first, after
        )
        return await PackageConnection.around(info, asked)

    @field(
        "Packages that require this one, nearest first. Null kinds: all kinds. "
        "A traversal stops at a bound: see `truncated`."
    )
    async def dependents(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        transitive: Transitive = False,
        kinds: Kinds = None,
        scope: Scope = GraphScope.LATEST,
        include_optional: IncludeOptional = False,
    ) -> "PackageConnection":
        asked = Neighbourhood(
            Direction.DEPENDENTS, self.name, transitive, kinds, scope, include_optional, first, after
        )
        return await PackageConnection.around(info, asked)

    @field("The builds of its versions, newest first.")
    async def builds(self, info: Info, first: First = None, after: After = None) -> "BuildConnection":
        return await BuildConnection.of_owner(
            info.context, Selection(Owner.PACKAGE), self.row.id, first=first, after=after
        )


@strawberry.type(description="One version of a package, with what it declares.")
class PackageVersion(Node):
    row: strawberry.Private[VersionRow]
    version: str = strawberry.field(description="As published. Equal PEP 440 versions are one version.")
    status: VersionStatus = strawberry.field(description="Where it is in its life cycle.")
    status_reason: str | None = strawberry.field(description="Why it has this status.")
    is_prerelease: bool = strawberry.field(description="Whether PEP 440 counts it as a pre-release.")
    released_at: datetime | None = strawberry.field(
        description="When it was released, as its publisher says."
    )
    digest: str | None = strawberry.field(description="Digest of its content, as its publisher says.")
    labels: list[Label] = strawberry.field(description="What its publisher attached to it, by key.")
    created_at: datetime = strawberry.field(description="When it was published here.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def of(cls, row: VersionRow) -> "PackageVersion":
        """Show a stored version."""
        return cls(
            row=row,
            id=global_id("PackageVersion", row.id),
            version=row.version,
            status=VersionStatus[row.status],
            status_reason=row.status_reason,
            is_prerelease=row.is_prerelease,
            released_at=row.released_at,
            digest=row.digest,
            labels=labels(row.labels),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @field("The package it is a version of.")
    async def package(self, info: Info) -> Package:
        row = await info.context.loaders.package.load(self.row.package_id)
        if row is None:
            raise Vanished("package", self.version)
        return Package.of(row)

    @field("As declared, in declaration order.")
    async def dependencies(self, info: Info, kinds: Kinds = None) -> "list[Dependency]":
        rows = await info.context.loaders.dependencies.load(self.row.id) or []
        wanted = None if kinds is None else kind_mask(kinds)
        return [Dependency.of(row) for row in rows if wanted is None or row.kinds & wanted]

    @field("Its build that was planned last. Null: it was never to be built.")
    async def latest_build(self, info: Info) -> "Build | None":
        row = await info.context.loaders.builds.latest.load(self.row.id)
        return Build.of(row) if row else None


@strawberry.type(description="What one version declares that it needs of one package.")
class Dependency(Node):
    row: strawberry.Private[DependencyRow]
    package_name: str = strawberry.field(description="The name it requires, registered or not.")
    constraint: str = strawberry.field(description="As declared.")
    kinds: list[DependencyKind] = strawberry.field(description="What it is needed for.")
    optional: bool = strawberry.field(description="Whether the version works without it.")
    marker: str | None = strawberry.field(description="A condition, kept as declared and never evaluated.")

    @classmethod
    def of(cls, row: DependencyRow) -> "Dependency":
        """Show a stored dependency."""
        return cls(
            row=row,
            id=global_id("Dependency", row.id),
            package_name=row.package_name,
            constraint=row.constraint,
            kinds=kind_list(row.kinds),
            optional=row.optional,
            marker=row.marker,
        )

    @field("The version that declares it.")
    async def version(self, info: Info) -> PackageVersion:
        row = await info.context.loaders.version.load(self.row.version_id)
        if row is None:
            raise Vanished("version", f"dependency on {self.package_name}")
        return PackageVersion.of(row)

    @field("Null when nothing of that name is registered.")
    async def package(self, info: Info) -> Package | None:
        row = await info.context.loaders.package_by_name.load(self.package_name)
        return Package.of(row) if row else None

    @field("Published versions that satisfy the constraint, newest first.")
    async def candidates(
        self, info: Info, first: Annotated[int, argument(description="At most this many: 1 to 1000.")] = 20
    ) -> list[PackageVersion]:
        limit = page_size("first", first)
        rows = await info.context.loaders.candidates(self.package_name, self.constraint, limit)
        return [PackageVersion.of(row) for row in rows]


@strawberry.type(description="A package within a list.")
class PackageEdge:
    node: Package = strawberry.field(description="The package.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of a list of packages.")
class PackageConnection:
    page: strawberry.Private[Page[PackageRow]]
    cursors: strawberry.Private[list[str]]
    count: strawberry.Private[Callable[[], Awaitable[int]]]
    truncated: bool = strawberry.field(
        description="Whether a bounded traversal stopped, so that totalCount is a lower bound."
    )

    @classmethod
    async def around(cls, info: Info, asked: Neighbourhood) -> "PackageConnection":
        """Return a page of what lies around a package in the graph."""
        found = await neighbourhood(info.context, asked)

        async def count() -> int:
            return found.total

        return cls(page=found.page, cursors=found.cursors, count=count, truncated=found.truncated)

    @field("The packages of this page, with their places.")
    def edges(self) -> list[PackageEdge]:
        return [
            PackageEdge(node=Package.of(row), cursor=place)
            for row, place in zip(self.page.rows, self.cursors, strict=True)
        ]

    @field("The packages of this page.")
    def nodes(self) -> list[Package]:
        return [Package.of(row) for row in self.page.rows]

    @field("Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        return page_info(self.page, self.cursors)

    @field("How many there are in the whole list.")
    async def total_count(self) -> int:
        return await self.count()


@strawberry.type(description="A version within a list.")
class PackageVersionEdge:
    node: PackageVersion = strawberry.field(description="The version.")
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of a list of versions.")
class PackageVersionConnection:
    page: strawberry.Private[Page[VersionRow]]
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @field("The versions of this page, with their places.")
    def edges(self) -> list[PackageVersionEdge]:
        return [
            PackageVersionEdge(node=PackageVersion.of(row), cursor=cursor(row.sort_key))
            for row in self.page.rows
        ]

    @field("The versions of this page.")
    def nodes(self) -> list[PackageVersion]:
        return [PackageVersion.of(row) for row in self.page.rows]

    @field("Where this page stands in the list.")
    def page_info(self) -> PageInfo:
        ends = (self.page.rows[0], self.page.rows[-1]) if self.page.rows else ()
        return page_info(self.page, [cursor(row.sort_key) for row in ends])

    @field("How many there are in the whole list.")
    async def total_count(self) -> int:
        return await self.count()


# Packages and builds refer to each other, and each needs the others only once all of them are there.
from schema.builds import Build, BuildConnection  # noqa: E402
