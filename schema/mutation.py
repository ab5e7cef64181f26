"""The mutations."""

from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from resolvers import batches, packages, versions
from schema.alert_mutation import AlertMutation
from schema.build_mutation import BuildMutation
from schema.context import Info
from schema.fields import mutation
from schema.inputs import (
    DeletePackageInput,
    PublishVersionInput,
    PublishVersionsInput,
    RegisterPackageInput,
    SetDependenciesInput,
    SetVersionStatusInput,
    UpdatePackageInput,
)
from schema.metrics import MetricMutations
from schema.payloads import (
    DeletePackagePayload,
    PackagePayload,
    PackageVersionPayload,
    PublishVersionResult,
    PublishVersionsPayload,
)
from schema.threads import now, write
from storage.monitoring_tables import Scope


@strawberry.type(description="What can be changed.")
class Mutation(MetricMutations, AlertMutation, BuildMutation):
    @mutation(
        Scope.WRITE,
        "Make a package known. Equal content again changes nothing; other content is ALREADY_EXISTS.",
    )
    async def register_package(
        self, info: Info, input: Annotated[RegisterPackageInput, argument(description="The package.")]
    ) -> PackagePayload:
        change = partial(packages.register, request=input.to_request(), now=now(), actor=info.context.actor)
        return PackagePayload.of(await write(info.context, change))

    @mutation(Scope.WRITE, "Change what is said of a package, or its state.")
    async def update_package(
        self, info: Info, input: Annotated[UpdatePackageInput, argument(description="What to change.")]
    ) -> PackagePayload:
        change = partial(packages.update, request=input.to_request(), now=now(), actor=info.context.actor)
        return PackagePayload.of(await write(info.context, change))

    @mutation(Scope.ADMIN, "Delete a package with its versions. STILL_REQUIRED when others require it.")
    async def delete_package(
        self, info: Info, input: Annotated[DeletePackageInput, argument(description="Which package.")]
    ) -> DeletePackagePayload:
        change = partial(packages.delete, name=input.name, force=input.force, now=now())
        deletion = await write(info.context, change)
        return DeletePackagePayload(
            deleted_name=deletion.name, deleted_versions=deletion.versions, cursor=str(deletion.cursor)
        )

    @mutation(
        Scope.WRITE,
        "Publish a version, registering its package when that is new. Equal content again changes "
        "nothing; other content is CONFLICT.",
    )
    async def publish_version(
        self, info: Info, input: Annotated[PublishVersionInput, argument(description="The version.")]
    ) -> PackageVersionPayload:
        change = partial(
            versions.publish,
            request=input.to_request(),
            now=now(),
            actor=info.context.actor,
            graphs=info.context.atlas.graphs,
        )
        return PackageVersionPayload.of(await write(info.context, change))

    @mutation(
        Scope.WRITE, "Publish many versions at once: with `atomic` all or none, otherwise each that is good."
    )
    async def publish_versions(
        self, info: Info, input: Annotated[PublishVersionsInput, argument(description="The versions.")]
    ) -> PublishVersionsPayload:
        items = [each.to_request() for each in input.versions]
        change = partial(
            batches.publish_all,
            items=items,
            atomic=input.atomic,
            now=now(),
            actor=info.context.actor,
            graphs=info.context.atlas.graphs,
        )
        batch = await write(info.context, change)
        return PublishVersionsPayload(
            results=[PublishVersionResult.of(result) for result in batch.results],
            published=batch.published,
            failed=batch.failed,
            cursor=str(batch.cursor),
        )

    @mutation(Scope.WRITE, "Move a version through its life cycle.")
    async def set_version_status(
        self, info: Info, input: Annotated[SetVersionStatusInput, argument(description="Where to.")]
    ) -> PackageVersionPayload:
        change = partial(versions.set_status, request=input.to_request(), now=now(), actor=info.context.actor)
        return PackageVersionPayload.of(await write(info.context, change))

    @mutation(Scope.WRITE, "Replace what a version needs.")
    async def set_dependencies(
        self,
        info: Info,
        input: Annotated[SetDependenciesInput, argument(description="Of what, and with what.")],
    ) -> PackageVersionPayload:
        change = partial(
            versions.set_dependencies,
            request=input.to_request(),
            as_admin=info.context.viewer.may(Scope.ADMIN),
            now=now(),
            graphs=info.context.atlas.graphs,
        )
        return PackageVersionPayload.of(await write(info.context, change))
